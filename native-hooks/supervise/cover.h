/* The program images that an allow rule vouches for: what they start is allowed too, unless a rule is stricter. */
#ifndef GK_SUPERVISE_COVER_H
#define GK_SUPERVISE_COVER_H

#include "supervise/birthmark.h"

/* Keyed by birthmark rather than by process: a fork of a covered image carries the mark, whoever its parent is by now, while a
 * process that was forked before its parent executed a covered program does not. Bounded; when it is full the
 * image whose owner is dead or that started nothing for longest is forgotten, which only makes decisions stricter. */
struct gk_cover;

int gk_cover_open(struct gk_cover **out) GK_MUST_CHECK;
void gk_cover_close(struct gk_cover *cover);
void gk_cover_add(struct gk_cover *cover, const struct gk_birthmark *mark, pid_t owner);
bool gk_cover_has(struct gk_cover *cover, const struct gk_birthmark *mark);

#endif
