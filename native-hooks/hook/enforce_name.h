/* The canonical names that policy judges, from inside the process and through no function of libc. */
#ifndef GK_HOOK_ENFORCE_NAME_H
#define GK_HOOK_ENFORCE_NAME_H

#include "base/attr.h"
#include "base/bytes.h"

#include <linux/limits.h>
#include <sys/types.h>

struct gk_named {
	mode_t mode;	/* 0 of a name that is not there */
	bool anonymous; /* a pipe, socket, memfd: not in the tree */
	bool of_process; /* of another process in /proc: only the supervisor can tell whose */
	size_t length;
	char path[PATH_MAX]; /* names in /proc of this process as /proc/self/… */
};

static inline struct gk_slice gk_named_path(const struct gk_named *named) {
	return gk_slice(named->path, named->length);
}

/* What the path leads to; a path that is NULL or empty names dirfd itself. 0, or the kernel's -errno. */
int gk_name_object(int dirfd, const char *path, bool follow, struct gk_named *out) GK_MUST_CHECK;
/* Where it would be created: a missing name, its directory found as the kernel would. follow: a link that leads nowhere is gone after. */
int gk_name_place(int dirfd, const char *path, bool follow, struct gk_named *out) GK_MUST_CHECK;

#endif
