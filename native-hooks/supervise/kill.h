/* Ending a run at once, from any thread. */
#ifndef GK_SUPERVISE_KILL_H
#define GK_SUPERVISE_KILL_H

#include "supervise/supervisor.h"

#include <signal.h>

/* Sent to our own process when the run is to end: the main thread waits for it. */
#define GK_SIGNAL_ENDING (SIGRTMIN + 1)

/* Arms gk_kill_run: one byte written to killer makes the killer process end everything in the run's Landlock domain. The
 * descriptor stays the caller's and open for the life of the process. */
void gk_kill_arm(int killer);
/* Why the run was ended, or NULL when it was not. */
const char *gk_kill_reason(void);

#endif
