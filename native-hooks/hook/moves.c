/* Calls about two names. */
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"

#include <fcntl.h>
#include <unistd.h>

struct name {
	int dirfd;
	const char *path;
};

static int rename_at(struct name from, struct name to, long nr, long a, long b, long c, long d, long flags) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_rename(from.dirfd, from.path, to.dirfd, to.path) : 0;
	if (GK_LIKELY(answer >= 0))
		answer = gk_raw6(nr, a, b, c, d, flags, 0);
	if (GK_UNLIKELY(answer < 0)) {
		gk_explain_path((int)-answer, GK_ACTION_FILE_DELETE, from.dirfd, from.path, false);
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, to.dirfd, to.path, false);
	}
	return (int)gk_result(answer);
}

GK_EXPORT int rename(const char *from, const char *to) {
	return rename_at((struct name){AT_FDCWD, from}, (struct name){AT_FDCWD, to}, SYS_rename, (long)from, (long)to, 0, 0, 0);
}

GK_EXPORT int renameat(int from_dirfd, const char *from, int to_dirfd, const char *to) {
	return rename_at((struct name){from_dirfd, from}, (struct name){to_dirfd, to}, SYS_renameat, from_dirfd, (long)from, to_dirfd,
			 (long)to, 0);
}

GK_EXPORT int renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags) {
	return rename_at((struct name){from_dirfd, from}, (struct name){to_dirfd, to}, SYS_renameat2, from_dirfd, (long)from, to_dirfd,
			 (long)to, flags);
}

GK_EXPORT int linkat(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags) {
	gk_hook_ready();
	long answer = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_link(from_dirfd, from, to_dirfd, to, flags) : 0;
	if (GK_LIKELY(answer >= 0))
		answer = gk_raw6(SYS_linkat, from_dirfd, (long)from, to_dirfd, (long)to, flags, 0);
	if (GK_UNLIKELY(answer < 0)) {
		bool follow = (flags & AT_SYMLINK_FOLLOW) != 0;
		gk_explain_path((int)-answer, GK_ACTION_FILE_READ, from_dirfd, from, follow);
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, from_dirfd, from, follow);
		gk_explain_path((int)-answer, GK_ACTION_FILE_WRITE, to_dirfd, to, false);
	}
	return (int)gk_result(answer);
}

GK_EXPORT int link(const char *from, const char *to) {
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}
