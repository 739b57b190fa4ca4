/* The process that is started: it stays outside everything, and when the supervisor ends in any way, ends what is left. */
#ifndef GK_LAUNCH_GUARDIAN_H
#define GK_LAUNCH_GUARDIAN_H

#include "launch/options.h"

/* Starts the supervisor and waits for it. Returns the exit status. */
int gk_guard(const struct gk_options *options);

#endif
