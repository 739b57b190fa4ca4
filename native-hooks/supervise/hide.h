/* Names that a rule hides: to the run they are not there. What changes and reads nothing is let through by the filter of most runs; a run
 * whose policy hides names has a filter that puts these calls before the handlers of look.c. */
#ifndef GK_SUPERVISE_HIDE_H
#define GK_SUPERVISE_HIDE_H

#include "supervise/resolve.h"

/* Whether reading path is denied by a rule that hides it. Never in a simulated run. */
bool gk_is_hidden(const struct gk_call *call, struct gk_slice path);

/* Takes hidden names out of what getdents put into entries; name_at is the offset of the name within an entry. The new length. */
size_t gk_hide_entries(const struct gk_call *call, struct gk_slice directory, uint8_t *entries, size_t length, size_t name_at);

#endif
