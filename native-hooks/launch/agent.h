/* The agent's process between fork and exec. */
#ifndef GK_LAUNCH_AGENT_H
#define GK_LAUNCH_AGENT_H

#include "include/gk_hint.gen.h"
#include "launch/limits.h"
#include "launch/typed.h"

#include <signal.h>
#include <stdbool.h>

struct gk_agent {
	const struct gk_typed *typed;
	char *const *argv;
	const struct gk_limits *limits;
	const sigset_t *signals; /* the mask that we were started with */
	int ruleset;
	bool hiding; /* the policy hides names from the run */
	const char *asks; /* the run's directory, where the hook enforces and asks; else NULL */
	enum gk_hints hints;
	pid_t supervisor;
};

/* Gives up everything but the standard streams, enters the agent's domain and filter, passes the listener over socket, waits for
 * the word to go, and executes the program. Reports on socket what fails. */
_Noreturn void gk_agent(const struct gk_agent *agent, int socket);

#endif
