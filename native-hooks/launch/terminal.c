/* SIGTTOU is blocked in guardian and supervisor, so changing the terminal from the background does not stop them. */
#include "launch/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void gk_terminal_open(struct gk_terminal *terminal) {
	*terminal = (struct gk_terminal){.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
	if (terminal->fd < 0)
		return;
	terminal->foreground = tcgetpgrp(terminal->fd) == getpgrp();
	terminal->has_modes = tcgetattr(terminal->fd, &terminal->modes) == 0;
}

void gk_terminal_agent_stopped(const struct gk_terminal *terminal, pid_t agent, int signal) {
	pid_t group = getpgid(agent);
	bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
	if (wants_terminal && group > 0 && group != getpgrp() && terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp()) {
		if (tcsetpgrp(terminal->fd, group) == 0) {
			kill(-group, SIGCONT);
			return;
		}
	}
	/* Not SIGSTOP: in a group that no shell watches the kernel drops this one, where the other would stop the command line for ever. */
	kill(0, SIGTSTP);
}

void gk_terminal_continued(pid_t agent) {
	pid_t group = getpgid(agent);
	if (group > 0 && group != getpgrp())
		kill(-group, SIGCONT);
}

void gk_terminal_reclaim(const struct gk_terminal *terminal, bool killed) {
	if (terminal->fd < 0 || !terminal->foreground)
		return;
	pid_t holder = tcgetpgrp(terminal->fd);
	/* A shell that has put us in the background holds the terminal by right; a group without members does not. */
	bool is_orphaned = holder > 0 && holder != getpgrp() && kill(-holder, 0) < 0 && errno == ESRCH;
	if (is_orphaned)
		tcsetpgrp(terminal->fd, getpgrp());
	if (killed && terminal->has_modes && (is_orphaned || holder == getpgrp()))
		tcsetattr(terminal->fd, TCSADRAIN, &terminal->modes);
}
