/* Symbolic links where a directory would be expected that the user's programs obey (.git/hooks): the run reaches what lies behind them
 * by its own name, which no rule guards, and the programs by the guarded one. */
#ifndef GK_SUPERVISE_ALIAS_H
#define GK_SUPERVISE_ALIAS_H

#include "supervise/files.h"

/* Refuses a link at path, canonical, that says text, when that would open guarded names beneath path. 0 or -EACCES. */
int gk_judge_alias(struct gk_call *call, struct gk_slice path, struct gk_slice text) GK_MUST_CHECK;

/* The same with the text of the link name in directory ("": of the link that directory itself is). */
int gk_judge_alias_at(struct gk_call *call, struct gk_slice path, int directory, const char *name) GK_MUST_CHECK;

#endif
