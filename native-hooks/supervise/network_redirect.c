#include "image/address.h"
#include "supervise/channel.h"
#include "supervise/network.h"

#include <errno.h>
#include <linux/limits.h>

#define ANNOUNCEMENT_MAX (PATH_MAX + 512)

static int bind_to_loopback(const struct gk_socket *socket);

/* The socket's own idea of who it is decides how the daemon can be reached: a port of ::1 cannot speak to 127.0.0.1. */
static int destination(const struct gk_socket *socket, const struct gk_endpoint *local, uint16_t port,
		       struct gk_address *to) {
	enum gk_address_class class = gk_address_class(local->address);
	if (class != GK_ADDRESS_LOOPBACK && class != GK_ADDRESS_UNSPECIFIED)
		return -EADDRNOTAVAIL;
	gk_loopback_for(socket, port, to);
	if (socket->domain == AF_INET6 && class == GK_ADDRESS_LOOPBACK) {
		struct in6_addr address;
		memcpy(&address, local->address, sizeof(address));
		if (IN6_IS_ADDR_LOOPBACK(&address))
			to->v6.sin6_addr = in6addr_loopback;
	}
	return 0;
}

static int announce(struct gk_call *call, const char *kind, uint16_t source, const struct gk_endpoint *target,
		    const struct gk_address *to) {
	uint8_t buffer[ANNOUNCEMENT_MAX];
	char program[PATH_MAX], text[GK_ENDPOINT_TEXT];
	struct gk_frame_writer w;
	bool v6 = to->any.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&to->v6.sin6_addr);
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_CONNECTION, 0);
	gk_frame_u64(&w, GK_FIELD_FAMILY, v6 ? 6 : 4);
	gk_frame_u64(&w, GK_FIELD_SOURCE_PORT, source);
	gk_frame_bytes(&w, GK_FIELD_TARGET, gk_endpoint_text(target, text));
	gk_frame_u64(&w, GK_FIELD_PORT, target->port);
	gk_frame_u64(&w, GK_FIELD_PID, (uint64_t)call->tgid);
	gk_frame_bytes(&w, GK_FIELD_KIND, gk_slice_of(kind));
	int proc;
	ssize_t length = gk_call_proc(call, &proc) == 0 ? readlinkat(proc, "exe", program, sizeof(program)) : -1;
	if (length > 0)
		gk_frame_bytes(&w, GK_FIELD_PROGRAM, gk_slice(program, (size_t)length));
	int error = gk_frame_end(&w);
	if (error == 0 && call->supervisor->channel == NULL)
		error = -EPIPE;
	return error == 0 ? gk_channel_send(call->supervisor->channel, gk_slice(w.buffer, w.length)) : error;
}

int gk_announce(struct gk_call *call, const struct gk_socket *socket, const char *kind, uint16_t port,
		const struct gk_endpoint *target, struct gk_address *to) {
	struct gk_endpoint local;
	int error = gk_endpoint_local(socket, &local);
	if (error == 0 && local.port == 0) {
		error = bind_to_loopback(socket);
		if (error == 0)
			error = gk_endpoint_local(socket, &local);
	}
	if (error == 0)
		error = destination(socket, &local, port, to);
	if (error)
		return error;
	/* Without a port, or without a daemon that was told of it, nobody would know whose connection arrives. */
	if (local.port == 0 || announce(call, kind, local.port, target, to) != 0)
		return -ECONNREFUSED;
	return 0;
}

static int bind_to_loopback(const struct gk_socket *socket) {
	struct gk_address address;
	const int off = 0;
	gk_loopback_for(socket, 0, &address);
	/* Programs may have asked that the port be chosen at connect only, which is too late to announce it. */
	if (setsockopt(socket->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &off, sizeof(off)) != 0 && errno != ENOPROTOOPT)
		return -errno;
	if (bind(socket->fd, &address.any, address.length) == 0)
		return 0;
	/* Bound by another thread meanwhile: what it is bound to is looked at next. */
	return errno == EINVAL ? 0 : -errno;
}
