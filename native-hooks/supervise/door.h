/* Where the hook asks, in a run that it alone enforces. What comes through is a claim: a path is judged by the supervisor's own image and
 * recorded, a call is judged as if it had been trapped. A forged question can only bring about a receipt. */
#ifndef GK_SUPERVISE_DOOR_H
#define GK_SUPERVISE_DOOR_H

#include "supervise/supervisor.h"

struct gk_call;

/* Makes the socket and the number of the policy in the run's directory. Before the Landlock domain is entered. 0 or -errno. */
int gk_door_open(struct gk_supervisor *supervisor, const char *run_dir) GK_MUST_CHECK;
/* Serves it from now on. 0 or -errno. */
int gk_door_start(struct gk_supervisor *supervisor) GK_MUST_CHECK;

/* Another policy is in force: who decides by the last one must ask. */
void gk_door_policy_changed(struct gk_supervisor *supervisor);

/* For a call that came through the door: whether its asker still waits, and the answer, after which it is nobody's call. */
bool gk_door_waits(const struct gk_call *call);
void gk_door_answer(struct gk_call *call);

#endif
