/* Capabilities: no_new_privs forbids gaining them, but leaves those that root already has. */
#ifndef GK_SYS_CAPABILITY_H
#define GK_SYS_CAPABILITY_H

#include "base/attr.h"

#include <stdbool.h>

/* Empties every capability set of the calling thread, locks securebits so that uid 0 means nothing, and verifies it.
 * *had says whether there was anything to drop. 0 or -errno. */
int gk_drop_capabilities(bool *had) GK_MUST_CHECK;

#endif
