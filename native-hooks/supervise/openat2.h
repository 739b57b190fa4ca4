/* openat2(2), which glibc does not wrap (linux/openat2.h, kernel 5.6). */
#ifndef GK_SUPERVISE_OPENAT2_H
#define GK_SUPERVISE_OPENAT2_H

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GK_RESOLVE_NO_XDEV 0x01U
#define GK_RESOLVE_NO_MAGICLINKS 0x02U
#define GK_RESOLVE_NO_SYMLINKS 0x04U
#define GK_RESOLVE_BENEATH 0x08U
#define GK_RESOLVE_IN_ROOT 0x10U
#define GK_RESOLVE_CACHED 0x20U
#define GK_RESOLVE_ALL 0x3fU

struct gk_open_how {
	uint64_t flags, mode, resolve;
};

/* The descriptor, or -errno. A lookup that raced with a rename answers EAGAIN: it is repeated a few times. */
static inline int gk_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve) {
	struct gk_open_how how = {.flags = (uint32_t)flags, .mode = mode, .resolve = resolve};
	for (int tries = 0;; tries++) {
		long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN || tries == 8)
			return -errno;
	}
}

#endif
