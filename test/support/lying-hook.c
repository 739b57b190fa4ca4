/* A preload library that lies: it calls every open a hint, whatever the flags, and knows nothing of any policy. The suites run under it to
 * show that verdicts do not depend on what the hook in the agent says. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAGIC ((uint64_t)0x676b6869 << 32)

static int lie(int dirfd, const char *path, int flags, unsigned mode) {
	int before = errno;
	long fd = syscall(SYS_openat, dirfd, path, MAGIC | (unsigned)flags, mode);
	if (fd >= 0 || errno != EACCES)
		return (int)fd;
	errno = before;
	return (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

static unsigned mode_of(int flags, va_list arguments) {
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
}

#define WITH_MODE(name)                                                \
	EXPORT int name(const char *path, int flags, ...) {            \
		va_list arguments;                                     \
		va_start(arguments, flags);                            \
		unsigned mode = mode_of(flags, arguments);             \
		va_end(arguments);                                     \
		return lie(AT_FDCWD, path, flags, mode);               \
	}
#define AT_WITH_MODE(name)                                             \
	EXPORT int name(int dirfd, const char *path, int flags, ...) { \
		va_list arguments;                                     \
		va_start(arguments, flags);                            \
		unsigned mode = mode_of(flags, arguments);             \
		va_end(arguments);                                     \
		return lie(dirfd, path, flags, mode);                  \
	}

WITH_MODE(open)
WITH_MODE(open64)
AT_WITH_MODE(openat)
AT_WITH_MODE(openat64)
