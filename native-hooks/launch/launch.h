/* Starting the agent: killer and agent are born inside the border, adopted by the supervisor, and held until it is ready. */
#ifndef GK_LAUNCH_LAUNCH_H
#define GK_LAUNCH_LAUNCH_H

#include "launch/agent.h"
#include "launch/floor.h"
#include "launch/report.h"

struct gk_launched {
	pid_t agent, killer;
	int listener; /* owned: the notifications of the run */
	int life;     /* owned: a byte, or its closing, makes the killer end the run */
	int socket;   /* owned: to the agent's process, until it has executed the program */
};

/* Creates both processes. The agent's process waits before its exec. 0, or -errno with *stage telling what failed. The
 * caller must be a single thread, a child subreaper, and have enforced floor->supervisor. */
int gk_launch(const struct gk_agent *agent, const struct gk_floor *floor, struct gk_launched *out, enum gk_stage *stage) GK_MUST_CHECK;

/* Lets the agent's process execute the program; calls must be answered by now. 0 once it has, or when it was killed; -errno of the
 * failed exec. */
int gk_launch_go(struct gk_launched *launched) GK_MUST_CHECK;

#endif
