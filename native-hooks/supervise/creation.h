/* What every call that makes a new name shares: order of refusals, the umask, names that only directories may have. */
#ifndef GK_SUPERVISE_CREATION_H
#define GK_SUPERVISE_CREATION_H

#include "supervise/files.h"

/* Whether the place is a plain name that is free. -EEXIST, or the errno of looking. Programs that make directories on the
 * way rely on EEXIST coming before any refusal. */
int gk_place_is_free(const struct gk_place *place) GK_MUST_CHECK;

/* False in a directory that was removed, and everywhere on procfs: a name that is not there cannot be made either (ENOENT). */
bool gk_place_takes_names(const struct gk_place *place);

/* What the kernel answers for a thing that may not be made: error, unless the caller may make nothing there at all. */
int gk_place_refuse(const struct gk_place *place, int error) GK_MUST_CHECK;

/* Refuses .git as anything but a directory: as a file or link it leads git to a repository prepared elsewhere. */
int gk_judge_git_link(struct gk_call *call, const struct gk_place *place, enum gk_action action) GK_MUST_CHECK;

/* Refuses a file that is called so: whoever changes it by another way than an open of that name leads git elsewhere as well. */
int gk_judge_git_file(struct gk_call *call, const struct gk_object *object) GK_MUST_CHECK;

/* Refuses bits that would give whoever runs the file outside the run's user or group. 0 or -EPERM. */
int gk_judge_mode(struct gk_call *call, struct gk_slice path, mode_t mode, bool directory) GK_MUST_CHECK;

/* The leaf as the caller wrote it, with its slash: the kernel has the last word on what the slash means. */
enum { GK_SPELLING = NAME_MAX + 3 };
void gk_place_spelling(const struct gk_place *place, char out[GK_SPELLING]);

#endif
