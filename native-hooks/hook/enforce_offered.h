/* What the run is offered in place of two files of the system, where the hook enforces. libc's own resolver opens them without a wrapper of ours, so this serves
 * the programs that bring one and read the files by libc. */
#ifndef GK_HOOK_ENFORCE_OFFERED_H
#define GK_HOOK_ENFORCE_OFFERED_H

#include "base/bytes.h"

/* A descriptor of what is offered in place of path, canonical and judged, for an open that only reads; -1: the system's own is meant. */
int gk_enforce_take_offered(struct gk_slice path, int flags);

#endif
