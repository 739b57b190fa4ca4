/* When an explanation may be written: seldom, never twice in a row, and only where somebody reads it. */
#ifndef GK_HOOK_QUIET_H
#define GK_HOOK_QUIET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether to look into a refusal at all: bounds what a process pays that is refused again and again. */
bool gk_quiet_may_look(void);
/* Whether a line about this target may follow now; counts it. */
bool gk_quiet_may_tell(uint64_t target);
/* Writes it to descriptor 2 if that is what it was at the start, or a stream; never waits and never raises a signal. */
void gk_quiet_tell(const char *text, size_t length);

/* FNV-1a, continued from before; start with GK_QUIET_HASH. */
#define GK_QUIET_HASH 0xcbf29ce484222325ULL
uint64_t gk_quiet_hash(uint64_t before, const void *bytes, size_t length);

#endif
