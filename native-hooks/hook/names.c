/* Calls that change what a name leads to, or what it leads to. libc does nothing for them but this one system call. */
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

/* What is done, and to which name. */
struct change {
	enum gk_action action;
	int dirfd;
	const char *path;
	bool follow;
};

#define AT(dirfd, path, followed, done) \
	(struct change) { done, dirfd, path, followed }
#define DELETED(dirfd, path) AT(dirfd, path, false, GK_ACTION_FILE_DELETE)
#define MADE(dirfd, path) AT(dirfd, path, false, GK_ACTION_FILE_WRITE)
#define WRITTEN(dirfd, path, flags) AT(dirfd, path, ((flags)&AT_SYMLINK_NOFOLLOW) == 0, GK_ACTION_FILE_WRITE)

static int change(struct change what, long nr, long a, long b, long c, long d) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_path(what.action, what.dirfd, what.path, what.follow) : 0;
	if (GK_LIKELY(answer >= 0))
		answer = gk_raw4(nr, a, b, c, d);
	if (GK_UNLIKELY(answer < 0))
		gk_explain_path((int)-answer, what.action, what.dirfd, what.path, what.follow);
	return (int)gk_result(answer);
}

GK_EXPORT int unlink(const char *path) {
	return change(DELETED(AT_FDCWD, path), SYS_unlink, (long)path, 0, 0, 0);
}

GK_EXPORT int unlinkat(int dirfd, const char *path, int flags) {
	return change(DELETED(dirfd, path), SYS_unlinkat, dirfd, (long)path, flags, 0);
}

GK_EXPORT int rmdir(const char *path) {
	return change(DELETED(AT_FDCWD, path), SYS_rmdir, (long)path, 0, 0, 0);
}

GK_EXPORT int mkdir(const char *path, mode_t mode) {
	return change(MADE(AT_FDCWD, path), SYS_mkdir, (long)path, mode, 0, 0);
}

GK_EXPORT int mkdirat(int dirfd, const char *path, mode_t mode) {
	return change(MADE(dirfd, path), SYS_mkdirat, dirfd, (long)path, mode, 0);
}

GK_EXPORT int symlink(const char *target, const char *path) {
	return change(MADE(AT_FDCWD, path), SYS_symlink, (long)target, (long)path, 0, 0);
}

GK_EXPORT int symlinkat(const char *target, int dirfd, const char *path) {
	return change(MADE(dirfd, path), SYS_symlinkat, (long)target, dirfd, (long)path, 0);
}

/* The kernel takes a device number of 32 bits; one that does not fit is no device. */
GK_EXPORT int mknodat(int dirfd, const char *path, mode_t mode, dev_t device) {
	if (device > UINT32_MAX)
		return (int)gk_result(-EINVAL);
	return change(MADE(dirfd, path), SYS_mknodat, dirfd, (long)path, mode, (long)device);
}

GK_EXPORT int mknod(const char *path, mode_t mode, dev_t device) {
	return mknodat(AT_FDCWD, path, mode, device);
}

GK_EXPORT int mkfifo(const char *path, mode_t mode) {
	return mknodat(AT_FDCWD, path, (mode & 07777) | S_IFIFO, 0);
}

GK_EXPORT int mkfifoat(int dirfd, const char *path, mode_t mode) {
	return mknodat(dirfd, path, (mode & 07777) | S_IFIFO, 0);
}

GK_EXPORT int truncate(const char *path, off_t length) {
	return change(WRITTEN(AT_FDCWD, path, 0), SYS_truncate, (long)path, length, 0, 0);
}
GK_EXPORT extern __typeof(truncate) truncate64 __attribute__((alias("truncate")));

GK_EXPORT int chmod(const char *path, mode_t mode) {
	return change(WRITTEN(AT_FDCWD, path, 0), SYS_chmod, (long)path, mode, 0, 0);
}

/* The system call has no flags: for them libc takes other ways. */
GK_EXPORT int fchmodat(int dirfd, const char *path, mode_t mode, int flags) {
	struct change what = WRITTEN(dirfd, path, flags);
	if (flags == 0)
		return change(what, SYS_fchmodat, dirfd, (long)path, mode, 0);
	gk_hook_ready();
	if (GK_UNLIKELY(gk_hook.enforces)) {
		int refused = gk_enforce_path(what.action, dirfd, path, what.follow);
		if (refused < 0)
			return (int)gk_result(refused);
	}
	int result = gk_real.fchmodat(dirfd, path, mode, flags);
	if (result < 0)
		gk_explain_path(errno, what.action, dirfd, path, what.follow);
	return result;
}

GK_EXPORT int chown(const char *path, uid_t owner, gid_t group) {
	return change(WRITTEN(AT_FDCWD, path, 0), SYS_chown, (long)path, owner, group, 0);
}

GK_EXPORT int lchown(const char *path, uid_t owner, gid_t group) {
	return change(WRITTEN(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), SYS_lchown, (long)path, owner, group, 0);
}

/* Five arguments, and the name may be empty: then the descriptor is meant. */
GK_EXPORT int fchownat(int dirfd, const char *path, uid_t owner, gid_t group, int flags) {
	gk_hook_ready();
	bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_path(GK_ACTION_FILE_WRITE, dirfd, path, follow) : 0;
	if (answer >= 0)
		answer = gk_raw6(SYS_fchownat, dirfd, (long)path, owner, group, flags, 0);
	if (answer < 0)
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, dirfd, path, follow);
	return (int)gk_result(answer);
}

/* utimensat(2) is futimens(3) when it has no path; libc refuses that for the one and makes the other of it itself. */
GK_EXPORT int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags) {
	const char *volatile given = path;
	if (given == NULL)
		return (int)gk_result(-EINVAL);
	return change(WRITTEN(dirfd, path, flags), SYS_utimensat, dirfd, (long)path, (long)times, flags);
}

GK_EXPORT int utimes(const char *path, const struct timeval times[2]) {
	return change(WRITTEN(AT_FDCWD, path, 0), SYS_utimes, (long)path, (long)times, 0, 0);
}

GK_EXPORT int utime(const char *path, const struct utimbuf *times) {
	return change(WRITTEN(AT_FDCWD, path, 0), SYS_utime, (long)path, (long)times, 0, 0);
}

GK_EXPORT int removexattr(const char *path, const char *name) {
	return change(WRITTEN(AT_FDCWD, path, 0), SYS_removexattr, (long)path, (long)name, 0, 0);
}

GK_EXPORT int lremovexattr(const char *path, const char *name) {
	return change(WRITTEN(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), SYS_lremovexattr, (long)path, (long)name, 0, 0);
}

static int set_attribute(struct change what, long nr, const char *name, const void *value, size_t size, int flags) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_path(what.action, what.dirfd, what.path, what.follow) : 0;
	if (answer >= 0)
		answer = gk_raw6(nr, (long)what.path, (long)name, (long)value, (long)size, flags, 0);
	if (answer < 0)
		gk_explain_path((int)-answer, what.action, what.dirfd, what.path, what.follow);
	return (int)gk_result(answer);
}

GK_EXPORT int setxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
	return set_attribute(WRITTEN(AT_FDCWD, path, 0), SYS_setxattr, name, value, size, flags);
}

GK_EXPORT int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
	return set_attribute(WRITTEN(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), SYS_lsetxattr, name, value, size, flags);
}
