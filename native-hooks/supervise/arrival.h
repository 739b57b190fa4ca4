/* What a directory brings along when it is moved: names that nobody may create at their new place. */
#ifndef GK_SUPERVISE_ARRIVAL_H
#define GK_SUPERVISE_ARRIVAL_H

#include "supervise/files.h"

/* Judges every name beneath the directory source as a write at its place beneath destination, where that is stricter than
 * what the name was. 0 or -EACCES. */
int gk_judge_arrival(struct gk_call *call, const struct gk_place *source, const struct gk_place *destination) GK_MUST_CHECK;

#endif
