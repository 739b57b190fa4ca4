/* Calls about two names. */
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"
#include "hook/next.h"

#include <fcntl.h>
#include <unistd.h>

struct name {
	int dirfd;
	const char *path;
};

static int rename_at(struct name from, struct name to, struct gk_call call) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_rename(from.dirfd, from.path, to.dirfd, to.path) : 0;
	if (GK_LIKELY(answer >= 0))
		answer = gk_next_call(&call);
	if (GK_UNLIKELY(answer < 0)) {
		gk_explain_path((int)-answer, GK_ACTION_FILE_DELETE, from.dirfd, from.path, false);
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, to.dirfd, to.path, false);
	}
	return (int)gk_result(answer);
}

static int link_at(struct name from, struct name to, int flags, struct gk_call call) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_link(from.dirfd, from.path, to.dirfd, to.path, flags) : 0;
	if (GK_LIKELY(answer >= 0))
		answer = gk_next_call(&call);
	if (GK_UNLIKELY(answer < 0)) {
		bool follow = (flags & AT_SYMLINK_FOLLOW) != 0;
		gk_explain_path((int)-answer, GK_ACTION_FILE_READ, from.dirfd, from.path, follow);
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, from.dirfd, from.path, follow);
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, to.dirfd, to.path, false);
	}
	return (int)gk_result(answer);
}

#define AT(dirfd, path) \
	(struct name) { dirfd, path }
#define CALL(name, ...) \
	(struct gk_call) { GK_NEXT_##name, SYS_##name, { __VA_ARGS__ } }

GK_EXPORT int rename(const char *from, const char *to) {
	return rename_at(AT(AT_FDCWD, from), AT(AT_FDCWD, to), CALL(rename, (long)from, (long)to));
}

GK_EXPORT int renameat(int from_dirfd, const char *from, int to_dirfd, const char *to) {
	return rename_at(AT(from_dirfd, from), AT(to_dirfd, to), CALL(renameat, from_dirfd, (long)from, to_dirfd, (long)to));
}

GK_EXPORT int renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags) {
	return rename_at(AT(from_dirfd, from), AT(to_dirfd, to), CALL(renameat2, from_dirfd, (long)from, to_dirfd, (long)to, flags));
}

GK_EXPORT int link(const char *from, const char *to) {
	return link_at(AT(AT_FDCWD, from), AT(AT_FDCWD, to), 0, CALL(link, (long)from, (long)to));
}

GK_EXPORT int linkat(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags) {
	return link_at(AT(from_dirfd, from), AT(to_dirfd, to), flags, CALL(linkat, from_dirfd, (long)from, to_dirfd, (long)to, flags));
}
