/* What a run is offered in place of a system file, by the name that its descriptor shows. argv: the system file, and more where said. */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int find(const char *file, char name[PATH_MAX]) {
	char link[64];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY);
	if (fd < 0)
		return errno;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, name, PATH_MAX - 1);
	name[length > 0 ? length : 0] = '\0';
	return length > 0 ? 0 : errno;
}

static int by_opening(char **argv) {
	char name[PATH_MAX];
	int error = find(argv[0], name);
	return error ? error : FAILED(SYS_openat, AT_FDCWD, name, O_RDWR);
}

static int by_removing(char **argv) {
	char name[PATH_MAX];
	int error = find(argv[0], name);
	return error ? error : FAILED(SYS_unlink, name);
}

/* argv[1]: a file of one's own */
static int by_replacing(char **argv) {
	char name[PATH_MAX];
	int error = find(argv[0], name);
	return error ? error : FAILED(SYS_rename, argv[1], name);
}

static int by_moving_directory(char **argv) {
	char name[PATH_MAX], elsewhere[PATH_MAX + 8];
	int error = find(argv[0], name);
	if (error)
		return error;
	*strrchr(name, '/') = '\0';
	snprintf(elsewhere, sizeof elsewhere, "%s.moved", name);
	return FAILED(SYS_rename, name, elsewhere);
}

static int by_adding(char **argv) {
	char name[PATH_MAX], beside[PATH_MAX + 8];
	int error = find(argv[0], name);
	snprintf(beside, sizeof beside, "%s.new", name);
	return error ? error : FAILED(SYS_openat, AT_FDCWD, beside, O_WRONLY | O_CREAT, 0600);
}

/* argv: address and port. A redirected connection comes to the daemon before it is decided, so success is only an answer to what was sent. */
static int by_asking(char **argv) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
	char byte;
	inet_pton(AF_INET, argv[0], &address.sin_addr);
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || syscall(SYS_connect, fd, &address, sizeof address) < 0)
		return errno;
	/* What is refused ends, before this is sent or after. */
	if (send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL) < 0)
		return errno == EPIPE ? ECONNRESET : errno;
	ssize_t got = recv(fd, &byte, 1, 0);
	return got == 1 ? 0 : got == 0 ? ECONNRESET : errno;
}

const struct technique offered_techniques[] = {
	{"offered-open", by_opening, 1},
	{"offered-remove", by_removing, 1},
	{"offered-replace", by_replacing, 2},
	{"offered-move", by_moving_directory, 1},
	{"offered-add", by_adding, 1},
	{"ask", by_asking, 2},
	{NULL, NULL, 0},
};
