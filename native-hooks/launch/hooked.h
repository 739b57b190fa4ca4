/* A run that the hook alone enforces (--enforce hook, docs/hooks.md): what it needs in its environment, and its first program. */
#ifndef GK_LAUNCH_HOOKED_H
#define GK_LAUNCH_HOOKED_H

#include "base/attr.h"
#include "launch/options.h"

#include <linux/limits.h>

/* Makes sure that the hook is in our environment, which is the agent's, and tells it that it enforces and where it asks. hook: the
 * directory of its library. 0, or -errno after an error line was written. */
int gk_hooked_prepare(const struct gk_options *options, char hook[PATH_MAX]) GK_MUST_CHECK;

/* What of the policy's limits nobody holds at this level, one line each on standard error. */
void gk_hooked_warn(const struct gk_options *options);

/* In the agent's process, before its exec: asks about the program as the hook would. 0; -errno. */
int gk_hooked_ask(const char *run_dir, const char *path, char *const *argv) GK_MUST_CHECK;

#endif
