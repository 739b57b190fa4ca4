/* One sequence of random calls: where its numbers come from, where it may act, what it holds open, and how it reports. */
#ifndef GK_TEST_CALLS_ACTOR_H
#define GK_TEST_CALLS_ACTOR_H

#include "base/attr.h"
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ACTOR_SLOTS = 8, ACTOR_TEXT = 2 * PATH_MAX, ACTOR_ROOT = 128 };

struct actor {
	uint64_t random;
	FILE *out;
	bool threaded;		/* /proc/self is another thread's then */
	bool searchable;	/* makes no directory that its owner cannot list */
	dev_t device;		/* of the root */
	char root[ACTOR_ROOT];	/* nothing outside is ever changed */
	int slot[ACTOR_SLOTS];	/* descriptors of things inside, -1: none */
	char *border[2];	/* each the end of a page after which nothing can be read: for the last two names */
	unsigned names;
};

static inline uint32_t actor_random(struct actor *actor) {
	actor->random = actor->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(actor->random >> 33);
}

static inline unsigned below(struct actor *actor, size_t count) {
	return (unsigned)(actor_random(actor) % count);
}

/* True in so many of a hundred cases. */
static inline bool chance(struct actor *actor, unsigned percent) {
	return below(actor, 100) < percent;
}

#define PICK(actor, list) ((list)[below((actor), GK_COUNT(list))])

/* A descriptor that is held, mostly. */
static inline int any_slot(struct actor *actor) {
	int fd = -1;
	for (int tries = 0; fd < 0 && tries < 4; tries++)
		fd = PICK(actor, actor->slot);
	return fd;
}

static inline const char *actor_proc(const struct actor *actor) {
	return actor->threaded ? "/proc/thread-self" : "/proc/self";
}

/* One line a call. A failed one ends in its errno, which is kept. */
__attribute__((format(printf, 4, 5))) static inline void say(struct actor *actor, long result, const char *call, const char *format,
							      ...) {
	int error = errno;
	va_list list;
	va_start(list, format);
	fprintf(actor->out, "%s(", call);
	vfprintf(actor->out, format, list);
	va_end(list);
	if (result < 0)
		fprintf(actor->out, ") = -1 %s\n", strerrorname_np(error));
	else
		fprintf(actor->out, ") = %ld\n", result);
	errno = error;
}

/* Whether a descriptor is of something that this actor may change: in its root, nameless, or on procfs, which refuses. */
static inline bool is_inside(const struct actor *actor, int fd) {
	char name[64], path[PATH_MAX];
	snprintf(name, sizeof name, "%s/fd/%d", actor_proc(actor), fd);
	ssize_t length = readlink(name, path, sizeof path - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	size_t root = strlen(actor->root);
	return path[0] != '/' || strncmp(path, "/proc/", 6) == 0 ||
	       (strncmp(path, actor->root, root) == 0 && (path[root] == '/' || path[root] == '\0'));
}

static inline bool opens_inside(const struct actor *actor, int dirfd, const char *path, int flags) {
	int fd = openat(dirfd, path, O_PATH | O_CLOEXEC | flags);
	bool inside = fd < 0 || is_inside(actor, fd);
	if (fd >= 0)
		close(fd);
	return inside;
}

/* Whether a call that changes what the name means, or the directory that it is in, stays inside. */
static inline bool stays_inside(const struct actor *actor, int dirfd, const char *path) {
	char parent[ACTOR_TEXT];
	size_t length = strlen(path);
	memcpy(parent, path, length + 1);
	while (length > 0 && parent[length - 1] == '/')
		length--;
	while (length > 0 && parent[length - 1] != '/')
		length--;
	parent[length] = '\0';
	return opens_inside(actor, dirfd, path, 0) && opens_inside(actor, dirfd, path, O_NOFOLLOW) &&
	       opens_inside(actor, dirfd, length > 0 ? parent : ".", 0);
}

/* Keeps a descriptor in a slot in place of what was there; what lies outside is not kept. */
static inline void keep(struct actor *actor, unsigned slot, int fd) {
	if (actor->slot[slot] >= 0)
		close(actor->slot[slot]);
	actor->slot[slot] = fd;
	if (fd >= 0 && !is_inside(actor, fd)) {
		close(fd);
		actor->slot[slot] = -1;
	}
}

#endif
