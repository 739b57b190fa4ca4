/* connect, on a duplicate of the caller's socket and with our copy of the address. The peer sees the supervisor's process in
 * SO_PEERCRED, never the caller's: the daemon must not trust that, and gatekeeper's own sockets are never connected to. */
#include "image/address.h"
#include "include/gk_dispatch.gen.h"
#include "supervise/files.h"
#include "supervise/network.h"
#include "supervise/pool.h"
#include "supervise/result.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>

/* One connect on its way; lives on while it blocks. */
struct attempt {
	struct gk_socket socket;
	struct gk_address to;
	int target; /* the pinned Unix socket that to names, owned; -1 */
	bool redirected; /* to the daemon, which alone learns whether the destination is there, and records it */
};

static int decide(struct gk_call *call, const struct gk_address *asked, struct attempt *attempt);
static int decide_local(struct gk_call *call, const struct gk_address *asked, struct attempt *attempt);
static int decide_internet(struct gk_call *call, const struct gk_address *asked, struct attempt *attempt);

static void release(struct attempt *attempt) {
	if (attempt->socket.fd >= 0)
		close(attempt->socket.fd);
	if (attempt->target >= 0)
		close(attempt->target);
}

static void carry_out(struct gk_call *call, void *context) {
	struct attempt *attempt = context;
	int result;
	do
		result = connect(attempt->socket.fd, &attempt->to.any, attempt->to.length);
	while (result != 0 && errno == EINTR && attempt->socket.blocking && gk_call_waits(call));
	gk_answer_result(call, result != 0 ? -errno : 0);
	if (attempt->redirected && (result == 0 || call->answer.error == EINPROGRESS))
		gk_receipts_forget(&call->receipts);
	release(attempt);
	free(attempt);
}

void gk_do_connect(struct gk_call *call) {
	struct gk_address asked;
	struct attempt *attempt = malloc(sizeof(*attempt));
	if (attempt == NULL)
		return gk_answer_error(call, ENOMEM);
	*attempt = (struct attempt){.socket.fd = -1, .target = -1};
	int error = gk_socket_take(call, gk_arg_int(call, 0), &attempt->socket);
	if (error == 0)
		error = gk_address_read(call, call->args[1], call->args[2], &asked);
	if (error == 0)
		error = decide(call, &asked, attempt);
	if (error == 0 && !gk_call_valid(call))
		error = -ESRCH;
	if (error == 0 && !attempt->socket.blocking)
		return carry_out(call, attempt);
	if (error == 0 && gk_run_blocking(call, carry_out, attempt) == 0)
		return;
	if (error)
		gk_answer_error(call, error);
	release(attempt);
	free(attempt);
}

/* Judges the connection and fills attempt->to. */
static int decide(struct gk_call *call, const struct gk_address *asked, struct attempt *attempt) {
	if (!gk_socket_is_known(&attempt->socket)) {
		char text[32];
		snprintf(text, sizeof(text), "socket of family %d", attempt->socket.domain);
		struct gk_subject subject = {.action = GK_ACTION_NETWORK, .target = gk_slice_of(text)};
		int error = gk_refuse(call, &subject, GK_REASON_NO_RULE);
		return error ? error : -EACCES;
	}
	if (asked->length < sizeof(asked->any.sa_family))
		return -EINVAL;
	/* Dissolves a connection, or is refused by the kernel; a netlink peer is the kernel itself. */
	if (asked->any.sa_family == AF_UNSPEC || attempt->socket.domain == AF_NETLINK) {
		attempt->to = *asked;
		return 0;
	}
	return attempt->socket.domain == AF_UNIX ? decide_local(call, asked, attempt)
						 : decide_internet(call, asked, attempt);
}

/* Abstract names are outside the tree and outside any policy; the kernel's own wall does not stand in our way, so only names that
 * this run bound are let through. */
static int decide_abstract(struct gk_call *call, const struct gk_address *asked, struct attempt *attempt,
			   struct gk_slice name) {
	attempt->to = *asked;
	uint8_t shown[sizeof(asked->local.sun_path)];
	memcpy(shown, name.at, name.length);
	shown[0] = '@';
	struct gk_subject subject = {.action = GK_ACTION_UNIX_SOCKET, .target = gk_slice(shown, name.length)};
	struct gk_verdict own = gk_verdict_own();
	if (gk_network_is_own_name(call->supervisor->network, name))
		return gk_judge_verdict(call, &subject, &own);
	return gk_refuse(call, &subject, GK_REASON_ABSTRACT_SOCKET);
}

static int judge_socket_file(struct gk_call *call, const struct gk_object *object) {
	struct gk_subject subject = {.action = GK_ACTION_UNIX_SOCKET, .target = gk_object_path(object)};
	struct gk_verdict own = gk_verdict_own();
	if (!S_ISSOCK(object->stat.st_mode))
		return -ECONNREFUSED;
	if (gk_network_is_own_path(call->supervisor->network, object))
		return gk_judge_verdict(call, &subject, &own);
	/* It has lost its name, so no policy can speak of it. */
	if (object->anonymous)
		return gk_refuse(call, &subject, GK_REASON_NO_RULE);
	return gk_judge_object(call, GK_ACTION_UNIX_SOCKET, object);
}

static int decide_local(struct gk_call *call, const struct gk_address *asked, struct attempt *attempt) {
	size_t header = offsetof(struct sockaddr_un, sun_path);
	if (asked->any.sa_family != AF_UNIX || asked->length <= header || asked->length > sizeof(asked->local))
		return -EINVAL;
	size_t room = asked->length - header;
	if (asked->local.sun_path[0] == '\0')
		return decide_abstract(call, asked, attempt, gk_slice(asked->local.sun_path, room));

	char path[sizeof(asked->local.sun_path) + 1] = {0};
	memcpy(path, asked->local.sun_path, room);
	GK_AUTO_OBJECT struct gk_object object = {.fd = -1};
	int error = gk_resolve_object(call, AT_FDCWD, path, strlen(path), GK_FOLLOW, &object);
	if (error == 0)
		error = judge_socket_file(call, &object);
	if (error)
		return error;
	/* The pinned inode is connected to, whatever its name leads to by now. */
	char pinned[GK_FD_PATH];
	attempt->target = gk_take_fd(&object.fd);
	gk_fd_path(attempt->target, pinned);
	attempt->to = (struct gk_address){.length = sizeof(attempt->to.local)};
	attempt->to.local.sun_family = AF_UNIX;
	memcpy(attempt->to.local.sun_path, pinned, strlen(pinned) + 1);
	return 0;
}

static bool is_loopback_v4(const struct gk_endpoint *endpoint) {
	static const uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
	return memcmp(endpoint->address, loopback, sizeof(loopback)) == 0;
}

/* On this machine: to the run's own listeners, and where a rule says so. */
static int decide_loopback(struct gk_call *call, const struct gk_endpoint *endpoint) {
	struct gk_network *network = call->supervisor->network;
	struct gk_verdict verdict = gk_verdict_own();
	char text[GK_ENDPOINT_TEXT];
	/* Only announced connections may arrive at the daemon's listener: it takes others' word for whose they are. */
	if (endpoint->port == gk_network_transparent_port(network)) {
		struct gk_subject subject = {.action = GK_ACTION_NETWORK,
					     .target = gk_endpoint_text(endpoint, text),
					     .port = endpoint->port};
		return gk_refuse(call, &subject, GK_REASON_SELF_PROTECTION);
	}
	if (!gk_network_is_own(network, endpoint))
		verdict = gk_decide_address(gk_current_image(call->supervisor), endpoint->address, endpoint->port);
	int error = gk_judge_endpoint(call, endpoint, &verdict);
	/* Programs that wait for their server try until they are no longer refused. bind tells them as much. */
	return error == -EACCES && gk_network_is_closed(network, endpoint) ? -ECONNREFUSED : error;
}

/* Whether the daemon decides what is asked for there, request by request. The run's own servers and the daemon itself are no such place. */
static bool is_inspected(struct gk_call *call, const struct gk_endpoint *endpoint) {
	struct gk_network *network = call->supervisor->network;
	return gk_may_inspect(gk_current_image(call->supervisor), endpoint->address, endpoint->port) &&
	       endpoint->port != gk_network_transparent_port(network) && !gk_network_is_own(network, endpoint);
}

/* Whether a connect on this socket has begun or succeeded: the address then means nothing to the kernel any more, and a
 * non-blocking caller asks how far it is. */
static bool is_under_way(const struct gk_socket *socket) {
	struct tcp_info info;
	socklen_t length = sizeof(info);
	return getsockopt(socket->fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state != 7 /* TCP_CLOSE */;
}

static int decide_internet(struct gk_call *call, const struct gk_address *asked, struct attempt *attempt) {
	struct gk_network *network = call->supervisor->network;
	struct gk_endpoint endpoint;
	int error = gk_endpoint_of(asked, attempt->socket.domain, &endpoint);
	if (error)
		return error;
	uint16_t transparent = gk_network_transparent_port(network);
	/* Should it end just now, this leads to the daemon, which refuses what nobody announced, and nowhere else. */
	if (is_under_way(&attempt->socket)) {
		gk_loopback_for(&attempt->socket, transparent, &attempt->to);
		return 0;
	}
	gk_address_unwrap(endpoint.address);
	enum gk_address_class class = gk_address_class(endpoint.address);
	struct gk_verdict verdict = gk_verdict_own();
	if (is_loopback_v4(&endpoint) && endpoint.port == gk_network_proxy_port(network)) {
		error = gk_judge_endpoint(call, &endpoint, &verdict);
		attempt->redirected = true;
		return error ? error : gk_announce(call, &attempt->socket, "proxy", endpoint.port, &endpoint, &attempt->to);
	}
	bool inspected = is_inspected(call, &endpoint);
	if (class == GK_ADDRESS_LOOPBACK && !inspected) {
		attempt->to = *asked;
		return decide_loopback(call, &endpoint);
	}
	/* The daemon would take any connection, and programs that try several addresses would stay with the first. */
	if (inspected && class == GK_ADDRESS_LOOPBACK && gk_network_is_closed(network, &endpoint))
		return -ECONNREFUSED;
	/* A synthetic address stands for a name, which only the daemon can judge, as requests that are looked into. */
	if (class != GK_ADDRESS_SYNTHETIC && !inspected) {
		verdict = gk_decide_address(gk_current_image(call->supervisor), endpoint.address, endpoint.port);
		error = gk_judge_endpoint(call, &endpoint, &verdict);
	}
	attempt->redirected = true;
	return error ? error : gk_announce(call, &attempt->socket, "transparent", transparent, &endpoint, &attempt->to);
}
