#include "supervise/network.h"

#include "supervise/resolve.h"
#include "supervise/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>

/* More than a run is likely to have open at once; the oldest are forgotten, which only makes decisions stricter. */
#define LISTENERS_KEPT 4096
#define PATHS_KEPT 4096
#define NAMES_KEPT 1024
#define FREE_PORT_DEFAULT 1024

struct bound_path {
	uint64_t inode, device, born_ns;
};
struct bound_name {
	uint8_t length;
	uint8_t bytes[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct gk_network {
	uint16_t proxy_port, transparent_port, free_port;
	pthread_mutex_t lock;
	int query; /* NETLINK_SOCK_DIAG; -1: no listener counts as the run's own */
	size_t listeners, paths, names; /* ever kept; the next slot is this modulo the size */
	uint64_t listener[LISTENERS_KEPT];
	struct bound_path path[PATHS_KEPT];
	struct bound_name name[NAMES_KEPT];
};

/* Where net.ipv4.ip_unprivileged_port_start stands. */
static uint16_t read_free_port(void) {
	GK_AUTO_CLOSE int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC);
	char text[16] = {0};
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return FREE_PORT_DEFAULT;
	return (uint16_t)strtoul(text, NULL, 10);
}

int gk_network_open(struct gk_supervisor *supervisor, uint16_t proxy_port, uint16_t transparent_port) {
	struct gk_network *network = calloc(1, sizeof(*network));
	if (network == NULL)
		return -ENOMEM;
	network->proxy_port = proxy_port;
	network->transparent_port = transparent_port;
	network->free_port = read_free_port();
	network->query = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	pthread_mutex_init(&network->lock, NULL);
	supervisor->network = network;
	return 0;
}

uint16_t gk_network_proxy_port(const struct gk_network *network) {
	return network->proxy_port;
}
uint16_t gk_network_transparent_port(const struct gk_network *network) {
	return network->transparent_port;
}
uint16_t gk_network_free_port(const struct gk_network *network) {
	return network->free_port;
}

void gk_network_listens(struct gk_network *network, int socket) {
	struct stat stat;
	if (fstat(socket, &stat) != 0)
		return;
	pthread_mutex_lock(&network->lock);
	network->listener[network->listeners++ % LISTENERS_KEPT] = stat.st_ino;
	pthread_mutex_unlock(&network->lock);
}

/* Under the lock. */
static bool has_listener(const struct gk_network *network, uint64_t inode) {
	for (size_t i = 0; i < LISTENERS_KEPT && i < network->listeners; i++)
		if (network->listener[i] == inode)
			return true;
	return false;
}

bool gk_network_is_own(struct gk_network *network, const struct gk_endpoint *endpoint) {
	pthread_mutex_lock(&network->lock);
	uint64_t inode = network->listeners == 0 ? 0 : gk_listener_inode(network->query, endpoint);
	bool own = inode != 0 && has_listener(network, inode);
	pthread_mutex_unlock(&network->lock);
	return own;
}

bool gk_network_is_taken(struct gk_network *network, const struct gk_endpoint *endpoint) {
	pthread_mutex_lock(&network->lock);
	uint64_t inode = gk_listener_inode(network->query, endpoint);
	bool taken = inode != 0 && !has_listener(network, inode);
	pthread_mutex_unlock(&network->lock);
	return taken;
}

bool gk_network_is_closed(struct gk_network *network, const struct gk_endpoint *endpoint) {
	const struct gk_endpoint daemon = {.address = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}, .port = network->transparent_port};
	pthread_mutex_lock(&network->lock);
	/* Without tcp_diag the kernel says of every port that there is none; the daemon's is known to be there. */
	bool closed = gk_listener_inode(network->query, &daemon) != 0 && gk_nobody_listens(network->query, endpoint);
	pthread_mutex_unlock(&network->lock);
	return closed;
}

/* Inode numbers are used again; the time of birth tells two files of one number apart. */
static bool identify(int fd, const char *name, int flags, struct bound_path *out) {
	struct statx stat;
	if (statx(fd, name, flags | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &stat) != 0)
		return false;
	*out = (struct bound_path){.inode = stat.stx_ino, .device = (uint64_t)stat.stx_dev_major << 32 | stat.stx_dev_minor};
	if (stat.stx_mask & STATX_BTIME)
		out->born_ns = (uint64_t)stat.stx_btime.tv_sec * 1000000000U + stat.stx_btime.tv_nsec;
	return true;
}

void gk_network_bound_path(struct gk_network *network, int parent, const char *leaf) {
	struct bound_path path;
	if (!identify(parent, leaf, 0, &path))
		return;
	pthread_mutex_lock(&network->lock);
	network->path[network->paths++ % PATHS_KEPT] = path;
	pthread_mutex_unlock(&network->lock);
}

bool gk_network_is_own_path(struct gk_network *network, const struct gk_object *object) {
	struct bound_path path;
	bool own = false;
	if (!identify(object->fd, "", AT_EMPTY_PATH, &path))
		return false;
	pthread_mutex_lock(&network->lock);
	for (size_t i = 0; i < PATHS_KEPT && i < network->paths && !own; i++)
		own = memcmp(&network->path[i], &path, sizeof(path)) == 0;
	pthread_mutex_unlock(&network->lock);
	return own;
}

/* Also keeps what it finds from being kept twice. Under the lock. */
static bool has_name(const struct gk_network *network, struct gk_slice name) {
	for (size_t i = 0; i < NAMES_KEPT && i < network->names; i++)
		if (gk_slice_equal(gk_slice(network->name[i].bytes, network->name[i].length), name))
			return true;
	return false;
}

void gk_network_bound_name(struct gk_network *network, struct gk_slice name) {
	if (name.length > sizeof(network->name[0].bytes))
		return;
	pthread_mutex_lock(&network->lock);
	if (!has_name(network, name)) {
		struct bound_name *slot = &network->name[network->names++ % NAMES_KEPT];
		slot->length = (uint8_t)name.length;
		memcpy(slot->bytes, name.at, name.length);
	}
	pthread_mutex_unlock(&network->lock);
}

bool gk_network_is_own_name(struct gk_network *network, struct gk_slice name) {
	pthread_mutex_lock(&network->lock);
	bool own = has_name(network, name);
	pthread_mutex_unlock(&network->lock);
	return own;
}
