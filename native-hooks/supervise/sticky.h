/* fs.protected_regular and fs.protected_fifos (proc(5)): in a sticky directory that others write to, O_CREAT does not open what
 * somebody else put there. The kernel asks when it opens by name; the supervisor opens what it has pinned, so it asks itself. */
#ifndef GK_SUPERVISE_STICKY_H
#define GK_SUPERVISE_STICKY_H

#include "base/attr.h"

#include <sys/stat.h>

struct gk_call;
struct gk_object;

struct gk_sticky {
	int regular, fifos; /* 0: off; 1: directories that all may write; 2: those of a group too */
};

/* The values of this machine. What is there and cannot be read counts as 2. */
struct gk_sticky gk_sticky_read(void);

/* may_create_in_sticky() of fs/namei.c: 0 or -EACCES. */
int gk_sticky_judge(struct gk_sticky sticky, const struct stat *directory, const struct stat *file, uid_t uid) GK_MUST_CHECK;

/* The same for what a call with O_CREAT found. -EAGAIN when it lies no longer where it was found. */
int gk_sticky_check(struct gk_call *call, const struct gk_object *object) GK_MUST_CHECK;

#endif
