#include "hook/enforce_name.h"

#include "base/decimal.h"
#include "base/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* As many links as the kernel follows one after the other (MAXSYMLINKS). */
#define LINKS_MAX 40
#define OWN_PROCESS "/proc/self"

static int describe(int fd, struct gk_named *out);
static void name_own_process(struct gk_named *named);

static int pin(int dirfd, const char *path, int flags) {
	return (int)gk_raw4(SYS_openat, dirfd, (long)path, O_PATH | O_CLOEXEC | flags, 0);
}

static void unpin(int fd) {
	gk_raw4(SYS_close, fd, 0, 0, 0);
}

int gk_name_object(int dirfd, const char *path, bool follow, struct gk_named *out) {
	int fd = path == NULL ? -ENOENT : pin(dirfd, path, follow ? 0 : O_NOFOLLOW);
	/* The kernel is the first to look at the name: it may be no address of ours. */
	if (fd == -ENOENT && (path == NULL || path[0] == '\0')) {
		if (dirfd >= 0)
			return describe(dirfd, out);
		fd = pin(dirfd, ".", 0);
	}
	if (fd < 0)
		return fd;
	int error = describe(fd, out);
	unpin(fd);
	return error;
}

static bool is_deleted(const struct gk_named *named) {
	static const char ending[] = " (deleted)";
	size_t length = sizeof(ending) - 1;
	return named->length > length && memcmp(named->path + named->length - length, ending, length) == 0;
}

static int describe(int fd, struct gk_named *out) {
	char link[32] = "/proc/self/fd/";
	struct stat stat;
	link[14 + gk_put_decimal(link + 14, fd)] = '\0';
	long error = gk_raw4(SYS_fstat, fd, (long)&stat, 0, 0);
	long length = error < 0 ? error : gk_raw4(SYS_readlink, (long)link, (long)out->path, sizeof(out->path) - 1, 0);
	if (length < 0)
		return length == -ENOENT ? -EACCES : (int)length; /* no /proc, no name */
	if (length >= (long)sizeof(out->path) - 1)
		return -ENAMETOOLONG;
	out->length = (size_t)length;
	out->path[length] = '\0';
	out->mode = stat.st_mode;
	/* Some file servers count no links at all: only what the kernel calls deleted is. */
	out->anonymous = out->path[0] != '/' || (stat.st_nlink == 0 && is_deleted(out));
	name_own_process(out);
	return 0;
}

static size_t read_number(const char *at, long *out) {
	size_t length = 0;
	for (*out = 0; at[length] >= '0' && at[length] <= '9' && length < 10; length++)
		*out = *out * 10 + (at[length] - '0');
	return at[length] == '\0' || at[length] == '/' ? length : 0;
}

static void name_own_process(struct gk_named *named) {
	static const char proc[] = "/proc/";
	long pid;
	named->of_process = false;
	if (named->length < sizeof(proc) || memcmp(named->path, proc, sizeof(proc) - 1) != 0)
		return;
	size_t digits = read_number(named->path + sizeof(proc) - 1, &pid);
	if (digits == 0)
		return;
	size_t rest = sizeof(proc) - 1 + digits, head = sizeof(OWN_PROCESS) - 1;
	bool own = pid == gk_raw4(SYS_getpid, 0, 0, 0, 0) || pid == gk_raw4(SYS_gettid, 0, 0, 0, 0);
	if (!own || named->length - rest + head >= sizeof(named->path)) {
		named->of_process = true;
		return;
	}
	memmove(named->path + head, named->path + rest, named->length - rest + 1);
	memcpy(named->path, OWN_PROCESS, head);
	named->length = named->length - rest + head;
}

/* The directory and the leaf of a name whose last component is not there. */
static int name_missing(int dirfd, const char *path, struct gk_named *out) {
	size_t end = strlen(path);
	while (end > 1 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	size_t leaf = end - start;
	char directory[PATH_MAX];
	if (leaf == 0 || start + 2 > sizeof(directory))
		return leaf == 0 ? -ENOENT : -ENAMETOOLONG;
	memcpy(directory, path, start);
	memcpy(directory + start, ".", 2);
	int error = gk_name_object(dirfd, directory, true, out);
	if (error < 0)
		return error;
	if (out->length + leaf + 2 > sizeof(out->path))
		return -ENAMETOOLONG;
	if (out->length > 1)
		out->path[out->length++] = '/';
	memcpy(out->path + out->length, path + start, leaf);
	out->length += leaf;
	out->path[out->length] = '\0';
	out->mode = 0;
	return 0;
}

int gk_name_place(int dirfd, const char *path, bool follow, struct gk_named *out) {
	char target[PATH_MAX];
	int error = name_missing(dirfd, path, out);
	for (int links = 0; follow && error == 0; links++) {
		if (out->anonymous || out->of_process)
			return -EACCES;
		long length = gk_raw4(SYS_readlink, (long)out->path, (long)target, sizeof(target) - 1, 0);
		if (length < 0)
			return 0; /* no link: it is created there */
		if (links == LINKS_MAX || length >= (long)sizeof(target) - 1)
			return -ELOOP;
		target[length] = '\0';
		size_t parent = out->length;
		while (parent > 1 && out->path[parent - 1] != '/')
			parent--;
		out->path[parent] = '\0';
		int fd = pin(AT_FDCWD, out->path, O_DIRECTORY);
		if (fd < 0)
			return fd;
		error = name_missing(fd, target, out);
		unpin(fd);
	}
	return error;
}
