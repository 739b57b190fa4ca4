/* libc opens what streams and directories stand on by itself, where no wrapper is called. */
#include "hook/ahead.h"
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"

#include <fcntl.h>
#include <string.h>

/* Flags that fopen(3) opens with. */
static int flags_of(const char *mode) {
	int flags = mode[0] == 'r' ? O_RDONLY : mode[0] == 'a' ? O_WRONLY | O_CREAT | O_APPEND : O_WRONLY | O_CREAT | O_TRUNC;
	for (const char *at = mode; *at != '\0' && *at != ','; at++) {
		if (*at == '+')
			flags = (flags & ~O_ACCMODE) | O_RDWR;
		else if (*at == 'e')
			flags |= O_CLOEXEC;
		else if (*at == 'x')
			flags |= O_EXCL;
	}
	return flags;
}

/* Whether fdopen(3) of a descriptor makes the same stream. */
static bool only_reads(const char *mode) {
	if (*mode++ != 'r')
		return false;
	while (*mode == 'b' || *mode == 'e')
		mode++;
	return *mode == '\0';
}

/* ahead: NULL, or where to put a descriptor that the caller is to use, if there is one. */
static bool is_refused(const char *path, int flags, long *ahead) {
	if (GK_LIKELY(!gk_hook.enforces))
		return false;
	int opened = -1, refused = gk_enforce_open_or_offer(AT_FDCWD, path, flags, ahead != NULL ? &opened : NULL);
	if (opened >= 0)
		*ahead = opened;
	if (refused >= 0)
		return false;
	gk_explain_open(-refused, AT_FDCWD, path, flags);
	errno = -refused;
	return true;
}

static void close_keeping_errno(long fd) {
	(void)gk_raw4(SYS_close, fd, 0, 0, 0);
}

GK_EXPORT FILE *fopen(const char *path, const char *mode) {
	gk_hook_ready();
	int flags = flags_of(mode);
	long ahead = GK_UNDECIDED;
	if (is_refused(path, flags, only_reads(mode) ? &ahead : NULL))
		return NULL;
	if (GK_LIKELY(ahead == GK_UNDECIDED) && only_reads(mode))
		ahead = gk_read_ahead(AT_FDCWD, path, flags);
	if (ahead >= 0) {
		FILE *stream = gk_real.fdopen((int)ahead, mode);
		if (stream == NULL)
			close_keeping_errno(ahead);
		return stream;
	}
	if (ahead != GK_UNDECIDED) {
		errno = (int)-ahead;
		return NULL;
	}
	FILE *stream = gk_real.fopen(path, mode);
	if (GK_UNLIKELY(stream == NULL))
		gk_explain_open(errno, AT_FDCWD, path, flags);
	return stream;
}

/* Without a path it changes the mode of what is open. */
GK_EXPORT FILE *freopen(const char *path, const char *mode, FILE *stream) {
	gk_hook_ready();
	if (path == NULL)
		return gk_real.freopen(path, mode, stream);
	if (is_refused(path, flags_of(mode), NULL))
		return NULL;
	FILE *reopened = gk_real.freopen(path, mode, stream);
	if (GK_UNLIKELY(reopened == NULL))
		gk_explain_open(errno, AT_FDCWD, path, flags_of(mode));
	return reopened;
}

GK_EXPORT DIR *opendir(const char *path) {
	gk_hook_ready();
	int flags = O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC;
	if (is_refused(path, flags, NULL))
		return NULL;
	long ahead = gk_read_ahead(AT_FDCWD, path, flags);
	if (ahead >= 0) {
		DIR *directory = gk_real.fdopendir((int)ahead);
		if (directory == NULL)
			close_keeping_errno(ahead);
		return directory;
	}
	if (ahead != GK_UNDECIDED) {
		errno = (int)-ahead;
		return NULL;
	}
	DIR *directory = gk_real.opendir(path);
	if (GK_UNLIKELY(directory == NULL))
		gk_explain_open(errno, AT_FDCWD, path, flags);
	return directory;
}

#define ALSO(name, of) GK_EXPORT extern __typeof(of) name __attribute__((alias(#of)))
ALSO(fopen64, fopen);
ALSO(freopen64, freopen);
