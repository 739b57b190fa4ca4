#include "launch/killer.h"

#include "launch/report.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

static void close_all_but(int fd) {
	if (fd > 0)
		close_range(0, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
}

void gk_killer(int socket, int life, pid_t supervisor) {
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL); /* keys of the terminal reach it too */
	prctl(PR_SET_NAME, "gk-killer", 0, 0, 0);
	if (kill(supervisor, 0) == 0 || errno != EPERM)
		gk_report_and_exit(socket, GK_STAGE_KILLER, -ENOTSUP);
	gk_report_send(socket, GK_STAGE_KILLER, 0, getpid());
	close_all_but(life);
	char byte;
	while (read(life, &byte, 1) < 0 && errno == EINTR)
		;
	kill(-1, SIGKILL);
	_exit(0);
}
