#include "launch/typed.h"

#include "supervise/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int search(const char *name, char path[PATH_MAX]);
static int check_executable(const char *path);
static int follow_interpreters(struct gk_typed *typed);
static bool is_text(int file);
static int give_to_shell(struct gk_typed *typed);

int gk_typed_find(const char *name, struct gk_typed *out) {
	out->count = 0;
	out->script[0] = '\0';
	int error = search(name, out->path);
	if (error < 0)
		return error;
	if (realpath(out->path, out->canonical) == NULL)
		return -errno;
	error = follow_interpreters(out);
	if (error < 0)
		gk_typed_release(out);
	return error;
}

void gk_typed_release(struct gk_typed *typed) {
	while (typed->count > 0)
		close(typed->file[--typed->count]);
}

/* As execvp(3) searches: a match that cannot be executed is remembered, and reported only when no other is found. */
static int search(const char *name, char path[PATH_MAX]) {
	if (name[0] == '\0')
		return -ENOENT;
	if (strchr(name, '/') != NULL) {
		if ((size_t)snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
			return -ENAMETOOLONG;
		return check_executable(path);
	}
	const char *at = getenv("PATH");
	if (at == NULL)
		at = "/usr/local/bin:/usr/bin:/bin";
	int result = -ENOENT;
	for (;; at++) {
		size_t length = strcspn(at, ":");
		int size = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, at, length == 0 ? "./" : "/", name);
		int error = size >= PATH_MAX ? -ENAMETOOLONG : check_executable(path);
		if (error == 0)
			return 0;
		if (error == -EACCES)
			result = -EACCES;
		at += length;
		if (*at == '\0')
			return result;
	}
}

static int check_executable(const char *path) {
	struct stat stat_of;
	if (stat(path, &stat_of) < 0)
		return -errno;
	if (!S_ISREG(stat_of.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int follow_interpreters(struct gk_typed *typed) {
	char next[PATH_MAX];
	memcpy(next, typed->canonical, sizeof(next));
	while (typed->count < GK_TYPED_FILES) {
		GK_AUTO_CLOSE int pinned = open(next, O_PATH | O_CLOEXEC);
		if (pinned < 0)
			return typed->count == 0 ? -errno : 0; /* the kernel will say so when it gets there */
		typed->file[typed->count++] = gk_take_fd(&pinned);
		GK_AUTO_CLOSE int readable = open(next, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		struct gk_program program;
		if (readable < 0 || gk_program_read(readable, false, &program) < 0)
			return 0;
		if (typed->count == 1 && program.kind == GK_PROGRAM_UNKNOWN && is_text(readable)) {
			int error = give_to_shell(typed);
			if (error < 0)
				return error;
			memcpy(next, typed->canonical, sizeof(next));
			continue;
		}
		if (!program.interpreted)
			return 0;
		memcpy(next, program.interpreter, sizeof(next));
	}
	return 0;
}

/* As shells tell it: no NUL in the first line. */
static bool is_text(int file) {
	char head[256];
	ssize_t n = pread(file, head, sizeof(head), 0);
	if (n < 0)
		return false;
	const char *line = memchr(head, '\n', (size_t)n);
	return memchr(head, '\0', line != NULL ? (size_t)(line - head) : (size_t)n) == NULL;
}

static int give_to_shell(struct gk_typed *typed) {
	memcpy(typed->script, typed->path, sizeof(typed->script));
	strcpy(typed->path, "/bin/sh");
	return realpath(typed->path, typed->canonical) == NULL ? -errno : 0;
}
