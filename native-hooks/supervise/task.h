/* What is known of each process of the run: its tree, who vouches for its spawns, what its exec was approved as. */
#ifndef GK_SUPERVISE_TASK_H
#define GK_SUPERVISE_TASK_H

#include "supervise/call.h"

struct gk_supervisor;

/* Sets call->tgid: the process of the calling thread. 0 or -errno. */
int gk_task_identify(struct gk_call *call) GK_MUST_CHECK;

/* Called before every handler: identifies the call unless that is done, and verifies a pending exec of its process (the first
 * trapped call after an approved execve must come from what was approved). 0, or -errno: the caller is gone, the run is being killed,
 * or we lack the means to look, so that the call must fail and the next one is looked at. Costs one atomic load when no exec is
 * pending. */
int gk_task_arrive(struct gk_call *call) GK_MUST_CHECK;

/* Whether pid (a tid or tgid in our namespace) belongs to this run. */
bool gk_task_in_run(struct gk_supervisor *supervisor, pid_t pid);

/* The thread that traces pid; 0 when nobody does, or pid is gone. */
pid_t gk_task_tracer(pid_t pid);

#endif
