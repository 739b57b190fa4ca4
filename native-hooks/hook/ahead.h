/* What can be answered before anybody is asked: reading where the kernel itself vouches for it, and what is not there. */
#ifndef GK_HOOK_AHEAD_H
#define GK_HOOK_AHEAD_H

#include <limits.h>
#include <stdbool.h>

/* The call has to be made as it is. */
#define GK_UNDECIDED LONG_MIN

/* For an open with these flags: a descriptor, or the final -errno, or GK_UNDECIDED. No memory of path's is touched. */
long gk_read_ahead(int dirfd, const char *path, int flags);

/* The -errno of an execution that cannot find its file, or GK_UNDECIDED. */
long gk_absent_ahead(const char *path);

#endif
