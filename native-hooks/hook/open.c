#include "hook/ahead.h"
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>

static bool takes_mode(int flags) {
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* A thread can be cancelled in libc's open(2), which may wait; a hint for what can be read is answered at once but for a FIFO. */
static int call(int dirfd, const char *path, int flags, mode_t mode) {
	if (dirfd == AT_FDCWD && gk_real.open != NULL)
		return gk_real.open(path, flags, mode);
	if (gk_real.openat != NULL)
		return gk_real.openat(dirfd, path, flags, mode);
	return (int)gk_result(gk_raw4(SYS_openat, dirfd, (long)path, flags, (long)mode));
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode) {
	gk_hook_ready();
	if (GK_UNLIKELY(gk_hook.enforces)) {
		int opened, refused = gk_enforce_open_or_offer(dirfd, path, flags, &opened);
		if (refused < 0) {
			gk_explain_open(-refused, dirfd, path, flags);
			return (int)gk_result(refused);
		}
		if (opened >= 0)
			return opened;
	}
	long ahead = gk_read_ahead(dirfd, path, flags);
	if (ahead != GK_UNDECIDED)
		return (int)gk_result(ahead);
	int fd = call(dirfd, path, flags, mode);
	if (GK_UNLIKELY(fd < 0))
		gk_explain_open(errno, dirfd, path, flags);
	return fd;
}

#define MODE_AFTER(flags, mode)                    \
	mode_t mode = 0;                           \
	if (takes_mode(flags)) {                   \
		va_list rest;                      \
		va_start(rest, flags);             \
		mode = va_arg(rest, mode_t);       \
		va_end(rest);                      \
	}

GK_EXPORT int open(const char *path, int flags, ...) {
	MODE_AFTER(flags, mode)
	return open_at(AT_FDCWD, path, flags, mode);
}

GK_EXPORT int openat(int dirfd, const char *path, int flags, ...) {
	MODE_AFTER(flags, mode)
	return open_at(dirfd, path, flags, mode);
}

GK_EXPORT int creat(const char *path, mode_t mode) {
	return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* What _FORTIFY_SOURCE makes of open(2) without a mode. Without one a file must not be made: its permissions would be what lay about. */
static int open_fortified(int dirfd, const char *path, int flags) {
	if (takes_mode(flags)) {
		static const char text[] = "*** invalid open call: O_CREAT or O_TMPFILE without mode ***: terminated\n";
		(void)gk_raw4(SYS_write, 2, (long)text, sizeof(text) - 1, 0);
		(void)gk_raw4(SYS_kill, gk_raw4(SYS_getpid, 0, 0, 0, 0), SIGABRT, 0, 0);
		__builtin_trap();
	}
	return open_at(dirfd, path, flags, 0);
}

GK_EXPORT int __open_2(const char *path, int flags);
GK_EXPORT int __openat_2(int dirfd, const char *path, int flags);

int __open_2(const char *path, int flags) {
	return open_fortified(AT_FDCWD, path, flags);
}

int __openat_2(int dirfd, const char *path, int flags) {
	return open_fortified(dirfd, path, flags);
}

/* Offsets have 64 bits either way. */
#define ALSO(name, of) GK_EXPORT extern __typeof(of) name __attribute__((alias(#of)))
ALSO(open64, open);
ALSO(openat64, openat);
ALSO(creat64, creat);
ALSO(__open64, open);
ALSO(__open, open);
ALSO(__open64_2, __open_2);
ALSO(__openat64_2, __openat_2);
