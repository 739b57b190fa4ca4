/* git's configuration files name programs that git runs later, outside the sandbox. git writes them by renaming a finished
 * copy into place, which is where the copy can be read and compared. */
#ifndef GK_SUPERVISE_GIT_CONFIG_H
#define GK_SUPERVISE_GIT_CONFIG_H

#include "supervise/files.h"

/* Whether nothing but the built-in guards refuses action there. */
bool gk_only_guards_deny(const struct gk_image *image, enum gk_action action, struct gk_slice path);

/* For a guard that was met by looking at what is done: the receipt names it, and says that it was allowed. 0, or -errno. */
int gk_judge_past_guards(struct gk_call *call, enum gk_action action, struct gk_slice path) GK_MUST_CHECK;

/* Whether the destination is a git configuration file that only the built-in guards deny to write. */
bool gk_git_config_guarded(struct gk_call *call, struct gk_slice destination);

/* Whether it is one that only they deny to remove. A run may rename an empty one over it, which leaves no more of it than removal does. */
bool gk_git_config_removable(struct gk_call *call, struct gk_slice path);

/* The mode of such a file runs nothing: git itself turns a bit over and back to learn whether the file system keeps it. 0, or
 * -errno; recorded. Only where gk_git_config_guarded. */
int gk_git_config_judge_mode(struct gk_call *call, struct gk_slice path) GK_MUST_CHECK;

/* Compares the file at source with the one at destination: no setting that runs something may be new or changed. On 0 the
 * verified bytes lie in a fresh file beside the destination, whose name is in copy: it is what must be renamed into place,
 * because the agent may still hold the source open for writing. -EACCES (recorded), or -errno. */
enum { GK_COPY_NAME = 48 };
int gk_git_config_copy(struct gk_call *call, const struct gk_place *source, const struct gk_place *destination,
		       char copy[GK_COPY_NAME]) GK_MUST_CHECK;

/* Puts bytes in a fresh file of directory, under a name that the run cannot open, from where it is renamed. Held: the mutation lock. 0 or
 * -errno. */
int gk_write_copy(const struct gk_files *files, int directory, struct gk_slice bytes, mode_t mode,
		  char name[GK_COPY_NAME]) GK_MUST_CHECK;

#endif
