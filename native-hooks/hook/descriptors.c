/* Calls that change a file through a descriptor, which may be one for reading alone. */
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"
#include "hook/next.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int change(int fd, struct gk_call call) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_path(GK_ACTION_FILE_WRITE, fd, "", true) : 0;
	if (GK_LIKELY(answer >= 0))
		answer = gk_next_call(&call);
	if (GK_UNLIKELY(answer < 0))
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, fd, "", true);
	return (int)gk_result(answer);
}

#define CALL(name, ...) \
	(struct gk_call) { GK_NEXT_##name, SYS_##name, { __VA_ARGS__ } }

GK_EXPORT int fchmod(int fd, mode_t mode) {
	return change(fd, CALL(fchmod, fd, mode));
}

GK_EXPORT int fchown(int fd, uid_t owner, gid_t group) {
	return change(fd, CALL(fchown, fd, owner, group));
}

GK_EXPORT int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
	return change(fd, CALL(fsetxattr, fd, (long)name, (long)value, (long)size, flags));
}

GK_EXPORT int fremovexattr(int fd, const char *name) {
	return change(fd, CALL(fremovexattr, fd, (long)name));
}

GK_EXPORT int lchmod(const char *path, mode_t mode) {
	return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
}
