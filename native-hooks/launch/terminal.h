/* The controlling terminal. The agent stays in our process group, so keys, pipelines and the shell's job control reach it as they
 * would without us; what is left is to tell the shell when only the agent stopped, and to clean up behind it. */
#ifndef GK_LAUNCH_TERMINAL_H
#define GK_LAUNCH_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct gk_terminal {
	int fd; /* -1: none */
	bool foreground; /* our group had it when we started */
	bool has_modes;
	struct termios modes;
};

void gk_terminal_open(struct gk_terminal *terminal);

/* The agent's first process stopped with signal. Passes that on to our group, or, when the process only lacked the terminal that
 * our group has, gives it the terminal and continues it. */
void gk_terminal_agent_stopped(const struct gk_terminal *terminal, pid_t agent, int signal);
/* Our group was continued: so is an agent that has made a group of its own. */
void gk_terminal_continued(pid_t agent);

/* After the run: takes the terminal back from a group that is gone, and restores its modes when the agent was killed and could
 * not do so itself. */
void gk_terminal_reclaim(const struct gk_terminal *terminal, bool killed);

#endif
