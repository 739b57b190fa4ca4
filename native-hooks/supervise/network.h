/* Sockets of the run: what they are, where they may go, and which listeners are its own. */
#ifndef GK_SUPERVISE_NETWORK_H
#define GK_SUPERVISE_NETWORK_H

#include "image/decide.h"
#include "supervise/call.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

struct gk_network;
struct gk_object;
struct gk_place;

/* A duplicate of the caller's socket. All that follows is done to it, so that the caller cannot put another in its place. */
struct gk_socket {
	int fd; /* owned; -1 when empty */
	int domain, type, protocol;
	bool blocking;
};
/* 0; -EBADF, -ENOTSOCK … as the kernel answers. */
int gk_socket_take(struct gk_call *call, int number, struct gk_socket *out) GK_MUST_CHECK;
/* Whether the run could have made such a socket itself; others reach it through descriptor passing only. */
bool gk_socket_is_known(const struct gk_socket *socket);

/* An address argument, copied once from the caller's memory. */
struct gk_address {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
		struct sockaddr_storage room;
	};
};
int gk_address_read(struct gk_call *call, uint64_t at, uint64_t length, struct gk_address *out) GK_MUST_CHECK;

/* An internet address and port as policy judges them. */
struct gk_endpoint {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};
/* 0; -EINVAL when too short, -EAFNOSUPPORT when of another family than the socket. */
int gk_endpoint_of(const struct gk_address *address, int domain, struct gk_endpoint *out) GK_MUST_CHECK;
#define GK_ENDPOINT_TEXT 48
struct gk_slice gk_endpoint_text(const struct gk_endpoint *endpoint, char out[GK_ENDPOINT_TEXT]);
/* What a local socket is bound to; port 0 when it is not. */
int gk_endpoint_local(const struct gk_socket *socket, struct gk_endpoint *out) GK_MUST_CHECK;
/* 127.0.0.1 for sockets that can use it, else ::1, with the port. */
void gk_loopback_for(const struct gk_socket *socket, uint16_t port, struct gk_address *out);

/* gk_judge_verdict for an endpoint. */
int gk_judge_endpoint(struct gk_call *call, const struct gk_endpoint *endpoint, const struct gk_verdict *verdict) GK_MUST_CHECK;
/* What needs no rule because the run made it. */
struct gk_verdict gk_verdict_own(void);

uint16_t gk_network_proxy_port(const struct gk_network *network);
uint16_t gk_network_transparent_port(const struct gk_network *network);
/* The lowest port that needs no privilege. */
uint16_t gk_network_free_port(const struct gk_network *network);

/* The run's own listeners, by inode: a port that another process takes over is not the run's any more. */
void gk_network_listens(struct gk_network *network, int socket);
bool gk_network_is_own(struct gk_network *network, const struct gk_endpoint *endpoint);
/* Whether somebody else listens there. SO_REUSEPORT would let the run share the port, and take part of what comes for them. */
bool gk_network_is_taken(struct gk_network *network, const struct gk_endpoint *endpoint);
/* Whether nobody listens there, as far as the kernel can be asked. */
bool gk_network_is_closed(struct gk_network *network, const struct gk_endpoint *endpoint);
/* The same for Unix sockets: names in the tree by the inode that bind created, abstract names by their bytes. */
void gk_network_bound_path(struct gk_network *network, int parent, const char *leaf);
bool gk_network_is_own_path(struct gk_network *network, const struct gk_object *object);
void gk_network_bound_name(struct gk_network *network, struct gk_slice name);
bool gk_network_is_own_name(struct gk_network *network, struct gk_slice name);

/* Keeps all but this machine from reaching the socket, for ever. 0, or -EACCES when it cannot be made sure. */
int gk_socket_keep_local(int socket) GK_MUST_CHECK;

/* The inode of the listener that would take a connection to the endpoint, or 0. query: a NETLINK_SOCK_DIAG socket. */
uint32_t gk_listener_inode(int query, const struct gk_endpoint *endpoint);
/* Whether the kernel said that there is none. */
bool gk_nobody_listens(int query, const struct gk_endpoint *endpoint);

/* Prepares the caller's socket for the daemon: binds it to a loopback port, announces that port as a connection to target, and sets
 * *to to where it must be connected. kind is "proxy" or "transparent". 0 or -errno. */
int gk_announce(struct gk_call *call, const struct gk_socket *socket, const char *kind, uint16_t port,
		const struct gk_endpoint *target, struct gk_address *to) GK_MUST_CHECK;

/* Whether the name may go: 0, or what the caller gets when it is a socket file that somebody outside of the run serves. */
int gk_judge_served(struct gk_call *call, const struct gk_place *place, const struct stat *file) GK_MUST_CHECK;

#endif
