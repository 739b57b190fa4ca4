/* Files that tell git where its configuration lies: `.git` as a file, and `gitdir` and `commondir` of a linked working tree
 * (gitrepository-layout(5)). Pure: names and bytes in, names out. */
#ifndef GK_SUPERVISE_GIT_POINTER_H
#define GK_SUPERVISE_GIT_POINTER_H

#include "base/attr.h"
#include "base/bytes.h"

#include <linux/limits.h>
#include <stddef.h>

enum gk_pointer {
	GK_POINTER_NONE,
	GK_POINTER_LINK,      /* …/.git */
	GK_POINTER_GITDIR,    /* …/.git/worktrees/<one>/gitdir */
	GK_POINTER_COMMONDIR, /* …/.git/worktrees/<one>/commondir */
};
/* What a file of this canonical name is to git. */
enum gk_pointer gk_pointer_of(struct gk_slice path);

/* Longer than any that git writes. */
enum { GK_POINTER_MAX = PATH_MAX + 16 };

/* Where the content of the pointer at path leads: canonical as far as its text tells, and in a form whose end says by itself that git's
 * guarded places are meant, whatever becomes of the directories before it:
 *   .git       gitdir: …/.git/worktrees/<one>, or gitdir: …/.git/modules/<one or more>
 *   gitdir     …/.git
 *   commondir  ../..
 * 0; -EBADMSG when it says anything else, or says it in another way than git. */
int gk_pointer_target(enum gk_pointer pointer, struct gk_slice path, struct gk_slice content, char out[PATH_MAX],
		      size_t *length) GK_MUST_CHECK;

/* The working tree that core.worktree of the configuration at path names: of a submodule (…/.git/modules/…/config), and beneath the working
 * tree of the repository that it is part of. 0, or -EBADMSG. */
int gk_pointer_worktree(struct gk_slice path, const char *value, char out[PATH_MAX], size_t *length) GK_MUST_CHECK;

/* The length of path up to its last component called .git, with it; 0 when there is none. */
size_t gk_pointer_repository(struct gk_slice path);

#endif
