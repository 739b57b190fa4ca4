/* The standard streams: what the agent inherits besides its environment. */
#ifndef GK_LAUNCH_STREAMS_H
#define GK_LAUNCH_STREAMS_H

#include "base/attr.h"

#include <stddef.h>

/* Makes sure that 0, 1 and 2 are open, so that no descriptor of ours becomes a standard stream, and that none is a datagram
 * socket, through which the agent could send anywhere. 0, or -errno with one line in why. */
int gk_streams_check(char *why, size_t capacity) GK_MUST_CHECK;

/* Lets go of standard input and output, so that pipes end when the agent closes them. Best effort. */
void gk_streams_release(void);

#endif
