/* Compiler attributes and scope-bound ownership. */
#ifndef GK_BASE_ATTR_H
#define GK_BASE_ATTR_H

#include <unistd.h>

#define GK_MUST_CHECK __attribute__((warn_unused_result))
#define GK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define GK_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void gk_close_scoped(int *fd) {
	if (*fd >= 0)
		close(*fd);
}

/* An int of this type is a descriptor that the scope owns: closed on every way out. Set it to -1 to give it away. */
#define GK_AUTO_CLOSE __attribute__((cleanup(gk_close_scoped)))

static inline int gk_take_fd(int *fd) {
	int taken = *fd;
	*fd = -1;
	return taken;
}

#endif
