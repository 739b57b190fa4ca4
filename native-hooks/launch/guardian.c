#include "launch/guardian.h"

#include "launch/complain.h"
#include "launch/forward.h"
#include "launch/run.h"
#include "launch/setup.h"
#include "launch/streams.h"
#include "sys/descend.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int await(pid_t supervisor);
static int finish(int status, const struct gk_terminal *terminal);

int gk_guard(const struct gk_options *options) {
	struct gk_terminal terminal;
	sigset_t blocked, inherited;
	/* Everything is received by waiting; what stops or ends a process by default would strike at the wrong moment. */
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, &inherited);
	signal(SIGCHLD, SIG_DFL);
	gk_terminal_open(&terminal);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		gk_complain("cannot become the reaper of the run: %s", strerror(errno));
		return GK_EXIT_SETUP;
	}
	pid_t self = getpid(), supervisor = fork();
	if (supervisor == 0)
		_exit(gk_run(options, &terminal, &inherited, self));
	if (supervisor < 0) {
		gk_complain("cannot start the supervisor: %s", strerror(errno));
		return GK_EXIT_SETUP;
	}
	gk_streams_release();
	return finish(await(supervisor), &terminal);
}

/* Wait status of the supervisor. Signals sent to us are for the agent: the supervisor passes them on. */
static int await(pid_t supervisor) {
	sigset_t signals;
	sigemptyset(&signals);
	gk_forwarded_signals(&signals);
	sigaddset(&signals, SIGCHLD);
	for (;;) {
		int status;
		pid_t ended = waitpid(supervisor, &status, WNOHANG);
		if (ended == supervisor)
			return status;
		siginfo_t info;
		int signal = sigwaitinfo(&signals, &info);
		/* Those of the kernel (keys, a terminal that is gone) go to the whole group, and the agent is in it. */
		if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL)
			kill(supervisor, signal);
	}
}

static int finish(int status, const struct gk_terminal *terminal) {
	if (gk_kill_descendants(0, NULL) < 0)
		gk_complain("some processes of the run could not be ended; see `ps`");
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	gk_terminal_reclaim(terminal, true);
	gk_complain("the supervisor was killed by signal %d (%s): the run was ended with it", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return GK_EXIT_SETUP;
}
