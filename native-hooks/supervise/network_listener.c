/* Asks the kernel which socket listens at an address: sock_diag(7), one exact look-up, about a microsecond. */
#include "supervise/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#define LOOPBACK_DEVICE 1 /* LOOPBACK_IFINDEX of include/net/flow.h: sockets may be bound to it */
#define TCP_LISTENING 10 /* TCP_LISTEN of include/net/tcp_states.h */

union answer {
	struct nlmsghdr header;
	uint8_t bytes[4096];
};

static bool ask(int query, const struct gk_endpoint *endpoint) {
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = {.nlmsg_len = sizeof(message), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
		.request = {.sdiag_protocol = IPPROTO_TCP, .idiag_states = 1U << TCP_LISTENING},
	};
	struct inet_diag_sockid *id = &message.request.id;
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)endpoint->address);
	size_t skip = v4 ? 12 : 0;
	message.request.sdiag_family = v4 ? AF_INET : AF_INET6;
	/* As a packet from the address to itself, from a port that nobody has: only a listener can be met. */
	memcpy(id->idiag_src, endpoint->address + skip, 16 - skip);
	memcpy(id->idiag_dst, endpoint->address + skip, 16 - skip);
	id->idiag_sport = htons(endpoint->port);
	id->idiag_if = LOOPBACK_DEVICE;
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return send(query, &message, sizeof(message), 0) == (ssize_t)sizeof(message);
}

static size_t take(int query, const struct gk_endpoint *endpoint, union answer *answer) {
	if (query < 0 || !ask(query, endpoint))
		return 0;
	ssize_t n = recv(query, answer, sizeof(*answer), MSG_DONTWAIT); /* the kernel answers within send */
	return n < 0 ? 0 : (size_t)n;
}

uint32_t gk_listener_inode(int query, const struct gk_endpoint *endpoint) {
	union answer answer;
	size_t n = take(query, endpoint, &answer);
	if (n < NLMSG_LENGTH(sizeof(struct inet_diag_msg)) || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	struct inet_diag_msg found;
	memcpy(&found, answer.bytes + NLMSG_HDRLEN, sizeof(found));
	return found.idiag_state == TCP_LISTENING ? found.idiag_inode : 0;
}

bool gk_nobody_listens(int query, const struct gk_endpoint *endpoint) {
	union answer answer;
	size_t n = take(query, endpoint, &answer);
	if (n < NLMSG_LENGTH(sizeof(struct nlmsgerr)) || answer.header.nlmsg_type != NLMSG_ERROR)
		return false;
	struct nlmsgerr told;
	memcpy(&told, answer.bytes + NLMSG_HDRLEN, sizeof(told));
	return told.error == -ENOENT;
}
