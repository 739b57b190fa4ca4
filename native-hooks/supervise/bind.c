/* bind and listen, on a duplicate of the caller's socket. What the run opens is reachable from this machine, and from further away only
 * where a rule names the address. */
#include "image/address.h"
#include "include/gk_dispatch.gen.h"
#include "supervise/creation.h"
#include "supervise/network.h"

#include <errno.h>
#include <fcntl.h>

static int bind_local(struct gk_call *call, const struct gk_socket *socket, const struct gk_address *address);
static int bind_internet(struct gk_call *call, const struct gk_socket *socket, const struct gk_address *address);

static int bind_as_asked(const struct gk_socket *socket, const struct gk_address *address) {
	return bind(socket->fd, &address->any, address->length) != 0 ? -errno : 0;
}

void gk_do_bind(struct gk_call *call) {
	struct gk_socket socket;
	struct gk_address address;
	int error = gk_socket_take(call, gk_arg_int(call, 0), &socket);
	if (error == 0)
		error = gk_address_read(call, call->args[1], call->args[2], &address);
	if (error == 0 && !gk_socket_is_known(&socket))
		error = -EACCES;
	else if (error == 0 && socket.domain == AF_UNIX)
		error = bind_local(call, &socket, &address);
	else if (error == 0 && socket.domain == AF_NETLINK)
		error = bind_as_asked(&socket, &address);
	else if (error == 0)
		error = bind_internet(call, &socket, &address);
	gk_close_scoped(&socket.fd);
	gk_answer_result(call, error);
}

/* An abstract name, or one that the kernel chooses. */
static int bind_abstract(struct gk_call *call, const struct gk_socket *socket, const struct gk_address *address) {
	struct gk_address bound = {.length = sizeof(bound.room)};
	int error = bind_as_asked(socket, address);
	if (error == 0 && getsockname(socket->fd, &bound.any, &bound.length) != 0)
		error = -errno;
	size_t header = offsetof(struct sockaddr_un, sun_path);
	if (error == 0 && bound.length > header)
		gk_network_bound_name(call->supervisor->network, gk_slice(bound.local.sun_path, bound.length - header));
	return error;
}

/* Whether the canonical path of the place still leads to the pinned parent. The run cannot change that: its mutations wait. */
static bool leads_to_parent(const struct gk_place *place) {
	struct stat stat;
	return lstat(place->parent.path, &stat) == 0 && stat.st_dev == place->parent.stat.st_dev &&
	       stat.st_ino == place->parent.stat.st_ino;
}

/* Programs read the name back with getsockname, to remove the file later, so it should be one that is true for them: the canonical
 * path where it fits. Longer ones are bound relative to the pinned parent. This thread's working directory is its own. */
static int bind_at(const struct gk_socket *socket, const struct gk_place *place) {
	struct gk_address address = {.length = sizeof(address.local)};
	address.local.sun_family = AF_UNIX;
	bool whole = place->length < sizeof(address.local.sun_path) && leads_to_parent(place);
	const char *name = whole ? place->path : place->leaf;
	size_t length = whole ? place->length : place->leaf_length;
	if (length > sizeof(address.local.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.local.sun_path, name, length);
	if (whole)
		return bind_as_asked(socket, &address);
	GK_AUTO_CLOSE int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (before < 0 || fchdir(place->parent.fd) != 0)
		return -errno;
	int error = bind_as_asked(socket, &address);
	return fchdir(before) != 0 && error == 0 ? -errno : error;
}

static int bind_path(struct gk_call *call, const struct gk_socket *socket, const char *path) {
	GK_MUTATION_SCOPE(call);
	GK_AUTO_PLACE struct gk_place place = {.parent.fd = -1};
	int error = gk_resolve_place(call, AT_FDCWD, path, strlen(path), 0, &place);
	if (error == 0)
		error = gk_place_is_free(&place);
	if (error == -EEXIST)
		return -EADDRINUSE;
	if (error == 0 && place.trailing_slash)
		error = -ENOENT;
	if (error == 0)
		error = gk_judge_path(call, GK_ACTION_FILE_WRITE, gk_slice(place.path, place.length));
	if (error == 0)
		error = gk_assume_umask(call);
	if (error == 0 && !gk_call_valid(call))
		error = -ESRCH;
	if (error == 0)
		error = bind_at(socket, &place);
	if (error == 0)
		gk_network_bound_path(call->supervisor->network, place.parent.fd, place.leaf);
	return error;
}

static int bind_local(struct gk_call *call, const struct gk_socket *socket, const struct gk_address *address) {
	size_t header = offsetof(struct sockaddr_un, sun_path);
	if (address->length < header || address->length > sizeof(address->local) || address->any.sa_family != AF_UNIX)
		return -EINVAL;
	if (address->length == header || address->local.sun_path[0] == '\0')
		return bind_abstract(call, socket, address);
	char path[sizeof(address->local.sun_path) + 1] = {0};
	memcpy(path, address->local.sun_path, address->length - header);
	return bind_path(call, socket, path);
}

static bool is_allowed_by_rule(const struct gk_verdict *verdict) {
	return verdict->effect == GK_EFFECT_ALLOW && verdict->source == GK_SOURCE_RULE;
}

/* Where the address may be bound: loopback always, the wildcard for this machine only, anything else by a rule that names it. */
static int judge_bind(struct gk_call *call, const struct gk_socket *socket, const struct gk_endpoint *endpoint) {
	struct gk_verdict own = gk_verdict_own();
	enum gk_address_class class = gk_address_class(endpoint->address);
	if (class == GK_ADDRESS_LOOPBACK)
		return gk_judge_endpoint(call, endpoint, &own);
	struct gk_verdict verdict =
		gk_decide_address(gk_current_image(call->supervisor), endpoint->address, endpoint->port);
	if (is_allowed_by_rule(&verdict))
		return gk_judge_endpoint(call, endpoint, &verdict);
	if (class == GK_ADDRESS_UNSPECIFIED) {
		int error = gk_socket_keep_local(socket->fd);
		return error ? error : gk_judge_endpoint(call, endpoint, &own);
	}
	char text[GK_ENDPOINT_TEXT];
	struct gk_subject subject = {
		.action = GK_ACTION_NETWORK, .target = gk_endpoint_text(endpoint, text), .port = endpoint->port};
	return gk_refuse(call, &subject, GK_REASON_BIND_ADDRESS);
}

/* A socket on the wildcard of IPv6 takes connections of IPv4 as well. */
static bool is_taken(struct gk_network *network, const struct gk_socket *socket, const struct gk_endpoint *endpoint) {
	static const uint8_t any_v4[16] = {[10] = 0xff, [11] = 0xff};
	struct gk_endpoint v4 = {.port = endpoint->port};
	memcpy(v4.address, any_v4, sizeof(any_v4));
	bool wildcard = socket->domain == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)(const void *)endpoint->address);
	return endpoint->port != 0 &&
	       (gk_network_is_taken(network, endpoint) || (wildcard && gk_network_is_taken(network, &v4)));
}

static int bind_internet(struct gk_call *call, const struct gk_socket *socket, const struct gk_address *address) {
	struct gk_address asked = *address;
	/* The kernel takes AF_UNSPEC with the wildcard for AF_INET, as old programs write it. */
	if (socket->domain == AF_INET && asked.length >= sizeof(asked.v4) && asked.any.sa_family == AF_UNSPEC &&
	    asked.v4.sin_addr.s_addr == htonl(INADDR_ANY))
		asked.any.sa_family = AF_INET;
	struct gk_endpoint endpoint;
	int error = gk_endpoint_of(&asked, socket->domain, &endpoint);
	if (error)
		return error;
	/* Low ports are for a capability that no process of a run has, whatever the supervisor's are. */
	if (endpoint.port != 0 && endpoint.port < gk_network_free_port(call->supervisor->network))
		return -EACCES;
	/* Asked whatever the socket's options are: another thread may change them. */
	if (is_taken(call->supervisor->network, socket, &endpoint))
		return -EADDRINUSE;
	error = judge_bind(call, socket, &endpoint);
	if (error == 0 && !gk_call_valid(call))
		error = -ESRCH;
	return error ? error : bind_as_asked(socket, &asked);
}

/* A socket that nobody bound would listen at every address. */
static int bind_before_listening(const struct gk_socket *socket) {
	struct gk_endpoint local;
	int error = gk_endpoint_local(socket, &local);
	if (error || local.port != 0)
		return error;
	struct gk_address loopback;
	gk_loopback_for(socket, 0, &loopback);
	error = bind_as_asked(socket, &loopback);
	/* Another thread was quicker, and was judged as well. */
	return error == -EINVAL ? 0 : error;
}

void gk_do_listen(struct gk_call *call) {
	struct gk_socket socket;
	int error = gk_socket_take(call, gk_arg_int(call, 0), &socket);
	if (error == 0 && !gk_socket_is_known(&socket))
		error = -EACCES;
	bool internet = error == 0 && (socket.domain == AF_INET || socket.domain == AF_INET6);
	if (internet)
		error = bind_before_listening(&socket);
	if (error == 0 && !gk_call_valid(call))
		error = -ESRCH;
	if (error == 0 && listen(socket.fd, gk_arg_int(call, 1)) != 0)
		error = -errno;
	if (error == 0 && internet)
		gk_network_listens(call->supervisor->network, socket.fd);
	gk_close_scoped(&socket.fd);
	gk_answer_result(call, error);
}
