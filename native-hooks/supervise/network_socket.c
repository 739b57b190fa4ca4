#include "supervise/network.h"

#include "image/address.h"
#include "supervise/judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static int option(int fd, int name, int *out) {
	socklen_t length = sizeof(*out);
	return getsockopt(fd, SOL_SOCKET, name, out, &length) != 0 ? -errno : 0;
}

int gk_socket_take(struct gk_call *call, int number, struct gk_socket *out) {
	*out = (struct gk_socket){.fd = -1};
	GK_AUTO_CLOSE int fd = -1;
	int error = gk_take_descriptor(call, number, &fd);
	if (error == 0)
		error = option(fd, SO_DOMAIN, &out->domain);
	if (error == 0)
		error = option(fd, SO_TYPE, &out->type);
	if (error == 0)
		error = option(fd, SO_PROTOCOL, &out->protocol);
	if (error)
		return error;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	out->blocking = (flags & O_NONBLOCK) == 0;
	out->fd = gk_take_fd(&fd);
	return 0;
}

bool gk_socket_is_known(const struct gk_socket *socket) {
	switch (socket->domain) {
	case AF_UNIX:
		return socket->type == SOCK_STREAM || socket->type == SOCK_SEQPACKET;
	case AF_INET:
	case AF_INET6:
		return socket->type == SOCK_STREAM && socket->protocol == IPPROTO_TCP;
	case AF_NETLINK:
		return socket->protocol == NETLINK_ROUTE;
	default:
		return false;
	}
}

int gk_address_read(struct gk_call *call, uint64_t at, uint64_t length, struct gk_address *out) {
	int size = (int)(uint32_t)length;
	if (size < 0 || (size_t)size > sizeof(out->room))
		return -EINVAL;
	memset(&out->room, 0, sizeof(out->room));
	out->length = (socklen_t)size;
	return size == 0 ? 0 : gk_read_memory(call, at, &out->room, (size_t)size);
}

static void map_v4(const struct in_addr *from, uint8_t to[16]) {
	memcpy(to, mapped_prefix, sizeof(mapped_prefix));
	memcpy(to + sizeof(mapped_prefix), from, sizeof(*from));
}

/* The shortest sockaddr_in6 that the kernel takes: without the scope (SIN6_LEN_RFC2133). */
#define SHORTEST_V6 24U

int gk_endpoint_of(const struct gk_address *address, int domain, struct gk_endpoint *out) {
	if (address->length < (domain == AF_INET6 ? SHORTEST_V6 : sizeof(address->v4)))
		return -EINVAL;
	if (address->any.sa_family != domain)
		return -EAFNOSUPPORT;
	if (domain == AF_INET) {
		map_v4(&address->v4.sin_addr, out->address);
		out->port = ntohs(address->v4.sin_port);
	} else {
		memcpy(out->address, &address->v6.sin6_addr, sizeof(out->address));
		out->port = ntohs(address->v6.sin6_port);
	}
	return 0;
}

struct gk_slice gk_endpoint_text(const struct gk_endpoint *endpoint, char out[GK_ENDPOINT_TEXT]) {
	bool v4 = memcmp(endpoint->address, mapped_prefix, sizeof(mapped_prefix)) == 0;
	const uint8_t *bytes = v4 ? endpoint->address + sizeof(mapped_prefix) : endpoint->address;
	if (inet_ntop(v4 ? AF_INET : AF_INET6, bytes, out, GK_ENDPOINT_TEXT) == NULL)
		out[0] = '\0';
	return gk_slice_of(out);
}

int gk_endpoint_local(const struct gk_socket *socket, struct gk_endpoint *out) {
	struct gk_address local = {.length = sizeof(local.room)};
	if (getsockname(socket->fd, &local.any, &local.length) != 0)
		return -errno;
	return gk_endpoint_of(&local, socket->domain, out);
}

static bool is_v6_only(const struct gk_socket *socket) {
	int only = 1;
	socklen_t length = sizeof(only);
	return getsockopt(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length) != 0 || only != 0;
}

void gk_loopback_for(const struct gk_socket *socket, uint16_t port, struct gk_address *out) {
	const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
	*out = (struct gk_address){.length = sizeof(out->v4)};
	if (socket->domain == AF_INET) {
		out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = loopback};
		return;
	}
	out->length = sizeof(out->v6);
	out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
	if (!is_v6_only(socket))
		map_v4(&loopback, out->v6.sin6_addr.s6_addr);
}

int gk_judge_endpoint(struct gk_call *call, const struct gk_endpoint *endpoint, const struct gk_verdict *verdict) {
	char text[GK_ENDPOINT_TEXT];
	struct gk_subject subject = {
		.action = GK_ACTION_NETWORK, .target = gk_endpoint_text(endpoint, text), .port = endpoint->port};
	return gk_judge_verdict(call, &subject, verdict);
}

struct gk_verdict gk_verdict_own(void) {
	return (struct gk_verdict){
		.effect = GK_EFFECT_ALLOW, .source = GK_SOURCE_OWN, .rule = GK_NO_RULE, .pierced = GK_NO_RULE};
}
