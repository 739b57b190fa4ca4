/* The program that the user typed: found as a shell would find it, with every file that the kernel opens to start it. */
#ifndef GK_LAUNCH_TYPED_H
#define GK_LAUNCH_TYPED_H

#include "base/attr.h"

#include <limits.h>
#include <stddef.h>

#define GK_TYPED_FILES 6

struct gk_typed {
	char path[PATH_MAX];	  /* as given, or found in PATH */
	char canonical[PATH_MAX]; /* the file that it leads to */
	/* A text without #!, which execvp(3) and every shell give to the shell: then path and canonical are the shell's, and this is the
	 * text's path. Else empty. */
	char script[PATH_MAX];
	size_t count;
	int file[GK_TYPED_FILES]; /* owned, O_PATH: the program, its interpreters, the loader */
};

/* 0; -ENOENT not found; -EACCES found but not executable; -errno. */
int gk_typed_find(const char *name, struct gk_typed *out) GK_MUST_CHECK;
void gk_typed_release(struct gk_typed *typed);

#endif
