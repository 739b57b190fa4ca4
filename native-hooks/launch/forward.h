/* Signals that the command line sends are the agent's. */
#ifndef GK_LAUNCH_FORWARD_H
#define GK_LAUNCH_FORWARD_H

#include <signal.h>
#include <stdbool.h>

/* Adds the signals that are passed on to a set. */
void gk_forwarded_signals(sigset_t *set);

struct gk_forwarder {
	pid_t guardian;
	unsigned long long direct_ns[32];   /* when our whole group got the signal, the agent with it; 0: never */
	unsigned long long terminated_ns; /* when the agent was asked to end; 0: never */
};

enum gk_forward {
	GK_FORWARD_DROP,  /* the agent has it already */
	GK_FORWARD_AGENT,
	GK_FORWARD_END, /* asked to end for the second time */
};

/* What to do with a signal that the supervisor received; now_ns of a monotonic clock. */
enum gk_forward gk_forward_judge(struct gk_forwarder *forwarder, const siginfo_t *info, unsigned long long now_ns);

#endif
