/* What one process knows of its run: GATEKEEPER_HOOK as it was when the program started, and libc's own functions. */
#ifndef GK_HOOK_HOOK_H
#define GK_HOOK_HOOK_H

#include "base/attr.h"
#include "base/raw.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* The library's functions in place of libc's; everything else stays inside. */
#define GK_EXPORT __attribute__((visibility("default")))
#define GK_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define GK_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* A longer one is not read: hints and probes need no image. */
#define GK_HOOK_IMAGE_MAX 1024

struct gk_hook {
	uint8_t begun;	  /* 0 not yet, 1 while it is being done, 2 */
	bool files;	  /* reading may be hinted */
	bool directories; /* listing may be hinted */
	bool probes;	  /* what is missing may be looked for before it is asked for */
	bool explains;
	bool enforces;
	bool has_error_output; /* fd 2 was open at the start, and was: */
	dev_t error_device;
	ino_t error_inode;
	char image[GK_HOOK_IMAGE_MAX]; /* empty: none */
};
extern struct gk_hook gk_hook;

/* The next definition of each after ours: libc's, or that of a library which stands in front of it. Only what libc does more for
 * than one system call, or what a thread may be cancelled in, is listed: the rest is asked of the kernel. */
#define GK_REAL_FUNCTIONS(X)                                                                                                 \
	X(int, open, (const char *path, int flags, ...))                                                                     \
	X(int, openat, (int dirfd, const char *path, int flags, ...))                                                        \
	X(FILE *, fopen, (const char *path, const char *mode))                                                               \
	X(FILE *, freopen, (const char *path, const char *mode, FILE *stream))                                               \
	X(FILE *, fdopen, (int fd, const char *mode))                                                                        \
	X(DIR *, opendir, (const char *path))                                                                                \
	X(DIR *, fdopendir, (int fd))                                                                                        \
	X(int, fchmodat, (int dirfd, const char *path, mode_t mode, int flags))                                              \
	X(int, posix_spawn, (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[], \
			     char *const[]))                                                                                 \
	X(int, posix_spawnp, (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[], \
			      char *const[]))                                                                                \
	X(int, system, (const char *command))                                                                                \
	X(FILE *, popen, (const char *command, const char *mode))                                                            \
	X(int, remove, (const char *path))                                                                                   \
	X(int, mkostemps, (char *template, int suffix, int flags))                                                           \
	X(char *, mkdtemp, (char *template))                                                                                 \
	X(int, posix_spawn_file_actions_addopen, (posix_spawn_file_actions_t *, int, const char *, int, mode_t))             \
	X(int, connect, (int fd, const struct sockaddr *address, socklen_t length))                                          \
	X(int, getaddrinfo, (const char *, const char *, const struct addrinfo *, struct addrinfo **))                       \
	X(int, prctl, (int option, ...))                                                                                     \
	X(long, syscall, (long nr, ...))                                                                                     \
	X(ssize_t, sendto, (int fd, const void *bytes, size_t length, int flags, const struct sockaddr *, socklen_t))        \
	X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags))                                               \
	X(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags))

struct gk_real {
#define GK_REAL_FIELD(type, name, arguments) type(*name) arguments;
	GK_REAL_FUNCTIONS(GK_REAL_FIELD)
#undef GK_REAL_FIELD
};
extern struct gk_real gk_real;

/* For a library that is initialised before this one and opens files while it is. */
void gk_hook_begin_late(void);

static inline void gk_hook_ready(void) {
	if (GK_UNLIKELY(gk_hook.begun == 0))
		gk_hook_begin_late();
}

/* Reads the value of GATEKEEPER_HOOK into hook; what is malformed leaves everything off. */
void gk_hook_read(struct gk_hook *hook, const char *value);

/* A system call's answer as libc gives it: errno is set only when it failed. */
static inline long gk_result(long answer) {
	if (GK_LIKELY(answer >= 0))
		return answer;
	errno = (int)-answer;
	return -1;
}

#endif
