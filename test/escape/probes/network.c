/* Reaching what must not be reached. argv: address, port unless said otherwise. Success is a connection or a datagram that left. */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>

static struct sockaddr_in v4(char **argv) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
	inet_pton(AF_INET, argv[0], &address.sin_addr);
	return address;
}

static int connect_v4(char **argv, int protocol) {
	struct sockaddr_in address = v4(argv);
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, protocol);
	return fd < 0 ? errno : FAILED(SYS_connect, fd, &address, sizeof address);
}

static int by_tcp(char **argv) {
	return connect_v4(argv, 0);
}

static int by_mptcp(char **argv) {
	return connect_v4(argv, 262);
}

static int by_mapped(char **argv) {
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[1]))};
	struct in_addr plain;
	inet_pton(AF_INET, argv[0], &plain);
	address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&address.sin6_addr.s6_addr[12], &plain, 4);
	int fd = (int)syscall(SYS_socket, AF_INET6, SOCK_STREAM, 0);
	return fd < 0 ? errno : FAILED(SYS_connect, fd, &address, sizeof address);
}

/* The data travels with the handshake, without connect(2). */
static int by_fast_open(char **argv) {
	struct sockaddr_in address = v4(argv);
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? errno : FAILED(SYS_sendto, fd, "x", 1, MSG_FASTOPEN, &address, sizeof address);
}

/* A segment routing header: the first segment is where the packets go, the last is what connect was asked for. */
static int by_routing_header(char **argv) {
	(void)argv;
	const unsigned char one_segment[24] = {[1] = 2, [2] = 4};
	int fd = (int)syscall(SYS_socket, AF_INET6, SOCK_STREAM, 0);
	return fd < 0 ? errno : FAILED(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_RTHDR, one_segment, sizeof one_segment);
}

/* Another listener on the port of a service that was opened to be shared. */
static int by_join_port(char **argv) {
	struct sockaddr_in address = v4(argv);
	int on = 1, fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
		return errno;
	int error = FAILED(SYS_bind, fd, &address, sizeof address);
	return error ? error : FAILED(SYS_listen, fd, 1);
}

static int by_udp(char **argv) {
	struct sockaddr_in address = v4(argv);
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	return fd < 0 ? errno : FAILED(SYS_sendto, fd, "x", 1, 0, &address, sizeof address);
}

static int by_vsock(char **argv) {
	struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = (unsigned)atoi(argv[1])};
	int fd = (int)syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0);
	if (fd < 0)
		return errno;
	syscall(SYS_connect, fd, &address, sizeof address);
	return 0; /* that the socket exists is the finding */
}

static int by_netlink_diag(char **argv) {
	(void)argv;
	int fd = (int)syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 4);
	return fd < 0 ? errno : 0;
}

/* argv: path of a listening socket */
static int by_unix_stream(char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	strncpy(address.sun_path, argv[0], sizeof address.sun_path - 1);
	return fd < 0 ? errno : FAILED(SYS_connect, fd, &address, sizeof address);
}

static int by_unix_datagram(char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	strncpy(address.sun_path, argv[0], sizeof address.sun_path - 1);
	return fd < 0 ? errno : FAILED(SYS_sendto, fd, "x", 1, 0, &address, sizeof address);
}

/* argv: abstract name, without its leading NUL */
static int by_abstract(char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	strncpy(address.sun_path + 1, argv[0], sizeof address.sun_path - 2);
	socklen_t length = (socklen_t)(sizeof address.sun_family + 1 + strlen(argv[0]));
	return fd < 0 ? errno : FAILED(SYS_connect, fd, &address, length);
}

const struct technique network_techniques[] = {
	{"tcp", by_tcp, 2},
	{"mptcp", by_mptcp, 2},
	{"tcp-mapped", by_mapped, 2},
	{"tcp-fast-open", by_fast_open, 2},
	{"routing-header", by_routing_header, 0},
	{"join-port", by_join_port, 2},
	{"udp", by_udp, 2},
	{"vsock", by_vsock, 2},
	{"netlink-diag", by_netlink_diag, 0},
	{"unix-stream", by_unix_stream, 1},
	{"unix-datagram", by_unix_datagram, 1},
	{"abstract", by_abstract, 1},
	{NULL, NULL, 0},
};
