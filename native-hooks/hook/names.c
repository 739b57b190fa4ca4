/* Calls that change what a name leads to, or what it leads to. libc does nothing for them but this one system call. */
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"
#include "hook/next.h"

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

static int change(struct change what, struct gk_call call) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_path(what.action, what.dirfd, what.path, what.follow) : 0;
	if (GK_LIKELY(answer >= 0))
		answer = gk_next_call(&call);
	if (GK_UNLIKELY(answer < 0))
		gk_explain_path((int)-answer, what.action, what.dirfd, what.path, what.follow);
	return (int)gk_result(answer);
}

/* The function, and what it was called with; the system call is called the same and takes the same. */
#define CALL(name, ...) \
	(struct gk_call) { GK_NEXT_##name, SYS_##name, { __VA_ARGS__ } }

GK_EXPORT int unlink(const char *path) {
	return change(DELETED(AT_FDCWD, path), CALL(unlink, (long)path));
}

GK_EXPORT int unlinkat(int dirfd, const char *path, int flags) {
	return change(DELETED(dirfd, path), CALL(unlinkat, dirfd, (long)path, flags));
}

GK_EXPORT int rmdir(const char *path) {
	return change(DELETED(AT_FDCWD, path), CALL(rmdir, (long)path));
}

GK_EXPORT int mkdir(const char *path, mode_t mode) {
	return change(MADE(AT_FDCWD, path), CALL(mkdir, (long)path, mode));
}

GK_EXPORT int mkdirat(int dirfd, const char *path, mode_t mode) {
	return change(MADE(dirfd, path), CALL(mkdirat, dirfd, (long)path, mode));
}

GK_EXPORT int symlink(const char *target, const char *path) {
	return change(MADE(AT_FDCWD, path), CALL(symlink, (long)target, (long)path));
}

GK_EXPORT int symlinkat(const char *target, int dirfd, const char *path) {
	return change(MADE(dirfd, path), CALL(symlinkat, (long)target, dirfd, (long)path));
}

/* The kernel takes a device number of 32 bits; one that does not fit is no device. */
GK_EXPORT int mknod(const char *path, mode_t mode, dev_t device) {
	if (device > UINT32_MAX)
		return (int)gk_result(-EINVAL);
	return change(MADE(AT_FDCWD, path), CALL(mknod, (long)path, mode, (long)device));
}

GK_EXPORT int mknodat(int dirfd, const char *path, mode_t mode, dev_t device) {
	if (device > UINT32_MAX)
		return (int)gk_result(-EINVAL);
	return change(MADE(dirfd, path), CALL(mknodat, dirfd, (long)path, mode, (long)device));
}

GK_EXPORT int mkfifo(const char *path, mode_t mode) {
	struct gk_call call = {GK_NEXT_mkfifo, SYS_mknod, {(long)path, (mode & ~(mode_t)S_IFMT) | S_IFIFO}};
	return change(MADE(AT_FDCWD, path), call);
}

GK_EXPORT int mkfifoat(int dirfd, const char *path, mode_t mode) {
	struct gk_call call = {GK_NEXT_mkfifoat, SYS_mknodat, {dirfd, (long)path, (mode & ~(mode_t)S_IFMT) | S_IFIFO}};
	return change(MADE(dirfd, path), call);
}

GK_EXPORT int truncate(const char *path, off_t length) {
	return change(WRITTEN(AT_FDCWD, path, 0), CALL(truncate, (long)path, length));
}
GK_EXPORT extern __typeof(truncate) truncate64 __attribute__((alias("truncate")));

GK_EXPORT int chmod(const char *path, mode_t mode) {
	return change(WRITTEN(AT_FDCWD, path, 0), CALL(chmod, (long)path, mode));
}

/* The system call has no flags: for them libc takes other ways. */
GK_EXPORT int fchmodat(int dirfd, const char *path, mode_t mode, int flags) {
	gk_hook_ready();
	bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_path(GK_ACTION_FILE_WRITE, dirfd, path, follow) : 0;
	if (answer >= 0 && gk_real.fchmodat(dirfd, path, mode, flags) < 0)
		answer = -errno;
	if (GK_UNLIKELY(answer < 0))
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, dirfd, path, follow);
	return (int)gk_result(answer < 0 ? answer : 0);
}

GK_EXPORT int chown(const char *path, uid_t owner, gid_t group) {
	return change(WRITTEN(AT_FDCWD, path, 0), CALL(chown, (long)path, owner, group));
}

GK_EXPORT int lchown(const char *path, uid_t owner, gid_t group) {
	return change(WRITTEN(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), CALL(lchown, (long)path, owner, group));
}

/* The name may be empty: then the descriptor is meant. */
GK_EXPORT int fchownat(int dirfd, const char *path, uid_t owner, gid_t group, int flags) {
	return change(WRITTEN(dirfd, path, flags), CALL(fchownat, dirfd, (long)path, owner, group, flags));
}

/* Without a path the system call is futimens(3), which libc does not offer under this name. */
GK_EXPORT int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags) {
	const char *volatile given = path; /* which libc's header promises to be there */
	if (given == NULL)
		return (int)gk_result(-EINVAL);
	return change(WRITTEN(dirfd, path, flags), CALL(utimensat, dirfd, (long)path, (long)times, flags));
}

GK_EXPORT int utimes(const char *path, const struct timeval times[2]) {
	return change(WRITTEN(AT_FDCWD, path, 0), CALL(utimes, (long)path, (long)times));
}

GK_EXPORT int utime(const char *path, const struct utimbuf *times) {
	return change(WRITTEN(AT_FDCWD, path, 0), CALL(utime, (long)path, (long)times));
}

GK_EXPORT int setxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
	return change(WRITTEN(AT_FDCWD, path, 0), CALL(setxattr, (long)path, (long)name, (long)value, (long)size, flags));
}

GK_EXPORT int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
	return change(WRITTEN(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW),
		      CALL(lsetxattr, (long)path, (long)name, (long)value, (long)size, flags));
}

GK_EXPORT int removexattr(const char *path, const char *name) {
	return change(WRITTEN(AT_FDCWD, path, 0), CALL(removexattr, (long)path, (long)name));
}

GK_EXPORT int lremovexattr(const char *path, const char *name) {
	return change(WRITTEN(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), CALL(lremovexattr, (long)path, (long)name));
}
