/* The life of a run, from the supervisor's side. */
#ifndef GK_LAUNCH_RUN_H
#define GK_LAUNCH_RUN_H

#include "launch/options.h"
#include "launch/terminal.h"

#include <signal.h>

/* Body of the supervisor process: sets up, starts the agent, watches it to its end, leaves nothing behind. inherited: the signal
 * mask that we were started with. Returns the exit status. */
int gk_run(const struct gk_options *options, const struct gk_terminal *terminal, const sigset_t *inherited, pid_t guardian);

#endif
