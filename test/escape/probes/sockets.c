/* Sockets of every kind, and the same peer by other names. argv[0] is the path or address of a peer unless said otherwise. */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { FAMILIES = 46, TYPES = 16, PROTOCOLS = 264 };

/* What an ordinary program needs and cannot reach anybody with, but by connect. */
static bool is_harmless(int family, int type, int protocol) {
	if (family == AF_UNIX)
		return (type == SOCK_STREAM || type == SOCK_SEQPACKET) && protocol <= 1;
	if (family == AF_INET || family == AF_INET6)
		return type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);
	return family == AF_NETLINK && (type == SOCK_RAW || type == SOCK_DGRAM) && protocol == 0;
}

/* Every family, type and protocol, also with junk in the upper halves of the registers. */
static int by_any_socket(char **argv) {
	(void)argv;
	for (long family = 0; family < FAMILIES; family++)
		for (long type = 0; type < TYPES; type++)
			for (long protocol = 0; protocol < PROTOCOLS; protocol++)
				for (long junk = 0; junk <= 1L << 40; junk += 1L << 40) {
					if (is_harmless((int)family, (int)type, (int)protocol))
						continue;
					if (syscall(SYS_socket, family | junk, type | SOCK_CLOEXEC | junk, protocol | junk) >= 0)
						return 0;
				}
	return EAFNOSUPPORT;
}

static int by_any_pair(char **argv) {
	(void)argv;
	int pair[2];
	for (long family = 0; family < FAMILIES; family++)
		for (long type = 0; type < TYPES; type++)
			if (!is_harmless((int)family, (int)type, 0) && syscall(SYS_socketpair, family, type, 0, pair) == 0)
				return 0;
	return EAFNOSUPPORT;
}

static int connect_all(const struct sockaddr_storage *address, socklen_t length) {
	int fd = (int)syscall(SYS_socket, address->ss_family, SOCK_STREAM, 0);
	int error = fd < 0 ? errno : FAILED(SYS_connect, fd, address, length);
	if (fd >= 0)
		close(fd);
	return error;
}

static int connect_text(const char *text, int port) {
	struct sockaddr_storage room = {0};
	struct sockaddr_in *v4 = (void *)&room;
	struct sockaddr_in6 *v6 = (void *)&room;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return connect_all(&room, sizeof *v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return EINVAL;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return connect_all(&room, sizeof *v6);
}

/* argv: port of a listener on all addresses of this machine. Its addresses in every notation that the kernel takes for them. */
static int by_any_spelling(char **argv) {
	static const char *const spellings[] = {"127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0",
						"::127.0.0.1"};
	int port = atoi(argv[0]), last = EACCES;
	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		int error = connect_text(spellings[i], port);
		if (error == 0)
			return 0;
		if (error != ENETUNREACH && error != EADDRNOTAVAIL)
			last = error;
	}
	return last;
}

/* argv: port. The addresses of this machine's own network devices. */
static int by_own_address(char **argv) {
	struct ifaddrs *list;
	int last = EACCES;
	if (getifaddrs(&list) != 0)
		return errno;
	for (struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
		char text[INET_ADDRSTRLEN];
		if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_INET)
			continue;
		inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr, text, sizeof text);
		int error = connect_text(text, atoi(argv[0]));
		if (error == 0)
			return 0;
		last = error;
	}
	return last;
}

/* Metadata services and private networks, also inside IPv6. Nothing leaves: whoever is refused is refused at once. */
static int by_private_address(char **argv) {
	static const char *const addresses[] = {"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd00:ec2::254",
						"100.100.100.200", "168.63.129.16", "10.0.0.1", "10.0.2.2", "172.16.0.1", "192.168.0.1", "224.0.0.1",
						"255.255.255.255", "240.0.0.1", "ff02::1", "2001:0:a9fe:a9fe::1"};
	(void)argv;
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		int error = connect_text(addresses[i], 80);
		if (error != EACCES && error != ECONNREFUSED) {
			printf("%s: %s\n", addresses[i], strerror(error));
			return error;
		}
	}
	return EACCES;
}

static struct sockaddr_in v4(char **argv) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
	inet_pton(AF_INET, argv[0], &address.sin_addr);
	return address;
}

/* argv: address, port. The handshake carries the data: without connect. */
static int by_fast_message(char **argv) {
	struct sockaddr_in address = v4(argv);
	struct iovec data = {"x", 1};
	struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &data, .msg_iovlen = 1};
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? errno : FAILED(SYS_sendmsg, fd, &message, MSG_FASTOPEN | (1L << 40));
}

static int by_fast_messages(char **argv) {
	struct sockaddr_in address = v4(argv);
	struct iovec data = {"x", 1};
	struct mmsghdr messages[2] = {0};
	for (int i = 0; i < 2; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &data, .msg_iovlen = 1};
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? errno : FAILED(SYS_sendmmsg, fd, messages, 2, MSG_FASTOPEN);
}

/* The option that puts the connection off to the first write. */
static int by_fast_option(char **argv) {
	(void)argv;
	int on = 1, fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? errno : FAILED(SYS_setsockopt, fd, IPPROTO_TCP | (1L << 40), TCP_FASTOPEN_CONNECT, &on, sizeof on);
}

/* Sends with an address on a socket that never was connected. */
static int by_send_to(char **argv) {
	struct sockaddr_in address = v4(argv);
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? errno : FAILED(SYS_sendto, fd, "x", 1, MSG_NOSIGNAL, &address, sizeof address);
}

static int connect_name(const char *name, size_t length, int type) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (length > sizeof address.sun_path)
		return ENAMETOOLONG;
	memcpy(address.sun_path, name, length);
	int fd = (int)syscall(SYS_socket, AF_UNIX, type, 0);
	return fd < 0 ? errno : FAILED(SYS_connect, fd, &address, offsetof(struct sockaddr_un, sun_path) + length);
}

/* argv: path of a socket, directory for links, spelling */
static int by_spelled_unix(char **argv) {
	const char *path = argv[0], *slash = strrchr(path, '/'), *spelling = argv[2];
	char name[PATH_MAX * 2], parent[PATH_MAX];
	snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
	if (strcmp(spelling, "relative") == 0) {
		if (chdir(parent) != 0)
			return errno;
		snprintf(name, sizeof name, "%s", slash + 1);
	} else if (strcmp(spelling, "link") == 0) {
		snprintf(name, sizeof name, "%s/l", argv[1]);
		unlink(name);
		if (symlink(path, name) != 0)
			return errno;
	} else if (strcmp(spelling, "linked-parent") == 0) {
		snprintf(name, sizeof name, "%s/p", argv[1]);
		unlink(name);
		if (symlink(parent, name) != 0)
			return errno;
		strcat(name, slash);
	} else if (strcmp(spelling, "descriptor") == 0) {
		int fd = open(path, O_PATH);
		if (fd < 0)
			return errno;
		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	} else if (strcmp(spelling, "parent-descriptor") == 0) {
		int fd = open(parent, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return errno;
		snprintf(name, sizeof name, "/proc/self/fd/%d%s", fd, slash);
	} else if (strcmp(spelling, "root") == 0) {
		snprintf(name, sizeof name, "/proc/self/root%s", path);
	} else if (strcmp(spelling, "dots") == 0) {
		snprintf(name, sizeof name, "/usr/..//.%s", path);
	} else if (strcmp(spelling, "unterminated") == 0) {
		size_t length = strlen(path), room = sizeof(((struct sockaddr_un *)0)->sun_path);
		memset(name, '/', room);
		memcpy(name + room - length, path, length);
		return connect_name(name, room, SOCK_STREAM);
	} else {
		return EINVAL;
	}
	return connect_name(name, strlen(name) + 1, SOCK_STREAM);
}

/* argv: path of a SOCK_SEQPACKET listener */
static int by_packets(char **argv) {
	return connect_name(argv[0], strlen(argv[0]) + 1, SOCK_SEQPACKET);
}

/* argv: address, port. Connected to somebody allowed first: here to a listener of one's own, which the run may. */
static int by_second_connect(char **argv) {
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, other = v4(argv);
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	socklen_t length = sizeof own;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&own, sizeof own) != 0 || listen(listener, 1) != 0 || getsockname(listener, (void *)&own, &length) != 0)
		return errno;
	if (connect(fd, (void *)&own, sizeof own) != 0 || connect(fd, &nobody, sizeof nobody) != 0)
		return errno;
	return FAILED(SYS_connect, fd, &other, sizeof other);
}

/* A server of one's own on an address that other machines reach; where there is none, on one that this machine might get. */
static int by_listening(char **argv) {
	(void)argv;
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct ifaddrs *list;
	int on = 1, fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on) != 0 || getifaddrs(&list) != 0)
		return errno;
	for (struct ifaddrs *at = list; at != NULL; at = at->ifa_next)
		if (at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET && strcmp(at->ifa_name, "lo") != 0)
			address.sin_addr = ((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr;
	int error = FAILED(SYS_bind, fd, &address, sizeof address);
	return error ? error : FAILED(SYS_listen, fd, 1);
}

const struct technique socket_techniques[] = {
	{"any-socket", by_any_socket, 0},
	{"any-socket-pair", by_any_pair, 0},
	{"any-spelling", by_any_spelling, 1},
	{"own-address", by_own_address, 1},
	{"private-address", by_private_address, 0},
	{"fast-open-message", by_fast_message, 2},
	{"fast-open-messages", by_fast_messages, 2},
	{"fast-open-option", by_fast_option, 0},
	{"send-to", by_send_to, 2},
	{"unix-spelled", by_spelled_unix, 3},
	{"unix-packets", by_packets, 1},
	{"second-connect", by_second_connect, 2},
	{"listening", by_listening, 0},
	{NULL, NULL, 0},
};
