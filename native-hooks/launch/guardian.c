#include "launch/guardian.h"

#include "launch/complain.h"
#include "launch/forward.h"
#include "launch/run.h"
#include "launch/setup.h"
#include "launch/signals.h"
#include "launch/streams.h"
#include "sys/descend.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* A supervisor that is done has nothing left to do but to disappear. */
#define DISAPPEARS_WITHIN_S 1

static _Noreturn void be_supervisor(const struct gk_options *options, const struct gk_terminal *terminal, const sigset_t *inherited,
				    pid_t guardian);
static int await(pid_t supervisor);
static bool await_exit(pid_t supervisor, int *status);
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
		be_supervisor(options, &terminal, &inherited, self);
	if (supervisor < 0) {
		gk_complain("cannot start the supervisor: %s", strerror(errno));
		return GK_EXIT_SETUP;
	}
	gk_streams_release();
	return finish(await(supervisor), &terminal);
}

static void be_supervisor(const struct gk_options *options, const struct gk_terminal *terminal, const sigset_t *inherited,
			  pid_t guardian) {
	int status = gk_run(options, terminal, inherited, guardian);
	sigqueue(guardian, GK_SIGNAL_DONE, (union sigval){.sival_int = status});
	close_range(0, ~0U, 0); /* whoever reads our streams to their end */
	_exit(status);
}

/* Wait status of the supervisor. Signals sent to us are for the agent: the supervisor passes them on. */
static int await(pid_t supervisor) {
	sigset_t signals;
	sigemptyset(&signals);
	gk_forwarded_signals(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, GK_SIGNAL_DONE);
	for (;;) {
		int status;
		pid_t ended = waitpid(supervisor, &status, WNOHANG);
		if (ended == supervisor)
			return status;
		siginfo_t info;
		int signal = sigwaitinfo(&signals, &info);
		if (signal == GK_SIGNAL_DONE) {
			if (info.si_pid == supervisor)
				return await_exit(supervisor, &status) ? status : W_EXITCODE(info.si_value.sival_int, 0);
			continue;
		}
		/* Those of the kernel (keys, a terminal that is gone) go to the whole group, and the agent is in it. */
		if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL)
			kill(supervisor, signal);
	}
}

/* A thread that waits for a file server which has read its request cannot be killed (request_wait_answer() of fs/fuse/dev.c), and a
 * process with such a thread cannot be waited for. False when it has not disappeared. */
static bool await_exit(pid_t supervisor, int *status) {
	const struct timespec limit = {.tv_sec = DISAPPEARS_WITHIN_S};
	sigset_t changed;
	sigemptyset(&changed);
	sigaddset(&changed, SIGCHLD);
	for (;;) {
		if (waitpid(supervisor, status, WNOHANG) == supervisor)
			return true;
		if (sigtimedwait(&changed, NULL, &limit) < 0 && errno == EAGAIN)
			return waitpid(supervisor, status, WNOHANG) == supervisor;
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
