/* Random looks at files, the caller's own view of them, and a report of a whole tree. */
#ifndef GK_TEST_CALLS_LOOKS_H
#define GK_TEST_CALLS_LOOKS_H

#include "test/calls_opens.h"

#include <dirent.h>
#include <sys/xattr.h>

static inline void step_access(struct actor *actor) {
	static const int odd[] = {0, AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH};
	struct name name;
	make_name(actor, true, &name);
	int mode = (int)below(actor, 8), flags = PICK(actor, odd);
	long rc = chance(actor, 50) ? syscall(SYS_faccessat, name.dirfd, name.at, mode)
				    : syscall(439 /* faccessat2 */, name.dirfd, name.at, mode, flags);
	say(actor, rc, "faccessat", "%s, %d, %#x", name.shown, mode, (unsigned)flags);
}

static inline void step_stat(struct actor *actor) {
	static const int odd[] = {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW};
	struct name name;
	struct stat st = {0};
	make_name(actor, true, &name);
	int flags = PICK(actor, odd);
	long rc = syscall(SYS_newfstatat, name.dirfd, name.at, &st, flags);
	bool own = st.st_dev == actor->device;
	say(actor, rc, "fstatat", "%s, %#x: %o %u", name.shown, (unsigned)flags, st.st_mode, own ? (unsigned)st.st_nlink : 0);
}

static inline void step_readlink(struct actor *actor) {
	struct name name;
	char text[64] = "";
	make_name(actor, true, &name);
	ssize_t length = readlinkat(name.dirfd, name.at, text, sizeof text - 1);
	/* Numbers of processes and of nameless files are others in every run. */
	bool own = name.readable && (strstr(name.text, "/self") != NULL || strstr(text, "/#") != NULL || strncmp(text, "/proc/", 6) == 0);
	say(actor, length < 0 || own ? length < 0 ? -1 : 0 : length, "readlinkat", "%s: %s", name.shown, own ? "" : text);
}

static inline int by_name(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum { LISTING_MAX = 64 };

/* The names in a directory, sorted, each from malloc; closes it. */
static inline size_t list_names(int directory, char *names[LISTING_MAX]) {
	size_t count = 0;
	DIR *dir = fdopendir(directory);
	for (struct dirent *entry; dir != NULL && count < LISTING_MAX && (entry = readdir(dir)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			names[count++] = strdup(entry->d_name);
	if (dir != NULL)
		closedir(dir);
	qsort(names, count, sizeof names[0], by_name);
	return count;
}

static inline void step_list(struct actor *actor) {
	struct name name;
	make_name(actor, true, &name);
	if (name.text[0] == '/')
		return;
	int fd = openat(name.dirfd, name.at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	say(actor, fd, "list", "%s", name.shown);
	struct stat st;
	if (fd < 0 || !is_inside(actor, fd) || fstat(fd, &st) < 0 || st.st_dev != actor->device) {
		close(fd);
		return;
	}
	char *names[LISTING_MAX];
	size_t count = list_names(fd, names);
	for (size_t i = 0; i < count; i++) {
		fprintf(actor->out, "  %.20s\n", names[i]);
		free(names[i]);
	}
}

/* --- the caller's own view --- */

static inline void go_home(struct actor *actor) {
	say(actor, chmod(actor->root, 0755), "chmod", "root");
	say(actor, chdir(actor->root), "chdir", "root");
}

static inline void step_chdir(struct actor *actor) {
	struct name name;
	char where[PATH_MAX];
	make_name(actor, false, &name);
	int fd = any_slot(actor);
	if (chance(actor, 30))
		say(actor, fchdir(fd), "fchdir", "%d", fd);
	else if (name_stays_inside(actor, &name))
		say(actor, syscall(SYS_chdir, name.at), "chdir", "%s", name.shown);
	long rc = syscall(SYS_getcwd, where, sizeof where);
	bool own = rc >= 0 && strncmp(where, actor->root, strlen(actor->root)) == 0;
	say(actor, rc < 0 || own ? rc : 0, "getcwd", "%.100s", own ? where : "");
}

static inline void step_umask(struct actor *actor) {
	static const unsigned masks[] = {022, 022, 0, 077, 027, 0777};
	mode_t mask = PICK(actor, masks) & (actor->searchable ? 077 : 0777);
	say(actor, umask(mask), "umask", "%#o", mask);
}

/* --- trees --- */

static inline uint64_t content_of(int directory, const char *name) {
	uint64_t hash = 1469598103934665603ULL;
	uint8_t bytes[512];
	int fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	if (fd < 0)
		return (uint64_t)errno;
	for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
		for (ssize_t i = 0; i < n; i++)
			hash = (hash ^ bytes[i]) * 1099511628211ULL;
	close(fd);
	return hash;
}

/* Times that were set are told, times that passed are not. */
static inline void show_time(FILE *out, const struct timespec *time) {
	if (time->tv_sec <= 1000000000)
		fprintf(out, " %ld.%ld", time->tv_sec, time->tv_nsec);
	else
		fprintf(out, " now");
}

static inline void show_entry(struct actor *actor, int directory, const char *path, const char *name, const struct stat *st) {
	char target[64] = "";
	fprintf(actor->out, "  %.60s/%.20s %o %u", path, name, st->st_mode, (unsigned)st->st_nlink);
	if (!S_ISDIR(st->st_mode))
		fprintf(actor->out, " %ld", (long)st->st_size);
	if (S_ISREG(st->st_mode))
		fprintf(actor->out, " %llx", (unsigned long long)content_of(directory, name));
	if (S_ISLNK(st->st_mode) && readlinkat(directory, name, target, sizeof target - 1) > 0)
		fprintf(actor->out, " -> %s", target);
	show_time(actor->out, &st->st_mtim);
	if (!S_ISDIR(st->st_mode)) /* anybody who looks around reads directories */
		show_time(actor->out, &st->st_atim);
	char link[64], value[64];
	int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(link, sizeof link, "%s/fd/%d", actor_proc(actor), fd);
	for (int i = 0; i < 2; i++) {
		ssize_t length = getxattr(link, i == 0 ? "user.a" : "user.b", value, sizeof value);
		if (length >= 0)
			fprintf(actor->out, " %c=%.*s", 'a' + i, (int)length, value);
	}
	close(fd);
	fputc('\n', actor->out);
}

static inline void show_tree(struct actor *actor, int parent, const char *name, const char *path, int depth) {
	char *names[LISTING_MAX], below_path[PATH_MAX];
	int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	if (directory < 0 || depth > 40) {
		fprintf(actor->out, "  %.60s: %s\n", path, directory < 0 ? strerrorname_np(errno) : "deeper");
		close(directory);
		return;
	}
	size_t count = list_names(dup(directory), names);
	for (size_t i = 0; i < count; i++) {
		struct stat st = {0};
		if (fstatat(directory, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			fprintf(actor->out, "  %.20s: %s\n", names[i], strerrorname_np(errno));
		else
			show_entry(actor, directory, path, names[i], &st);
		snprintf(below_path, sizeof below_path, "%.3000s/%s", path, names[i]);
		if (S_ISDIR(st.st_mode))
			show_tree(actor, directory, names[i], below_path, depth + 1);
		free(names[i]);
	}
	close(directory);
}

#endif
