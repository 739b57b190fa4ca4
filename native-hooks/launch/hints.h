/* Which hints hold is said: to the hook, so that it gives no others, and to whoever asked for it. */
#ifndef GK_LAUNCH_HINTS_H
#define GK_LAUNCH_HINTS_H

#include "launch/options.h"
#include "supervise/region.h"

/* Takes the letters of hints that do not hold (f files, d directories) out of GATEKEEPER_HOOK, "letters:image", in this process's environment. */
void gk_hints_withdraw(enum gk_hints hints);

/* One line with --verbose. */
void gk_hints_tell(const struct gk_region *region, const struct gk_image *image, const struct gk_options *options);

#endif
