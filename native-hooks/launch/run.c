#include "launch/run.h"

#include "launch/complain.h"
#include "launch/forward.h"
#include "launch/launch.h"
#include "launch/record.h"
#include "launch/setup.h"
#include "launch/signals.h"
#include "launch/streams.h"
#include "supervise/clock.h"
#include "supervise/door.h"
#include "supervise/git_draft.h"
#include "supervise/kill.h"
#include "supervise/loop.h"
#include "supervise/pool.h"
#include "sys/descend.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* No process has this wait status. */
#define NOT_ENDED (-1)

struct run {
	struct gk_setup setup;
	struct gk_launched launched;
	const struct gk_terminal *terminal;
	struct gk_forwarder forwarder;
	int status; /* wait status of the agent's first process, or NOT_ENDED */
};

static int start(struct run *run, const sigset_t *inherited);
static void complain_of(enum gk_stage stage, int error);
static int start_threads(struct run *run);
static int explain_exec(const struct run *run, int error);
static void watch(struct run *run);
static void reap(struct run *run);
static int end(struct run *run, int refused);

int gk_run(const struct gk_options *options, const struct gk_terminal *terminal, const sigset_t *inherited, pid_t guardian) {
	static struct run run; /* large, and its threads outlive this function */
	run.terminal = terminal;
	run.status = NOT_ENDED;
	run.forwarder.guardian = guardian;
	int refused = gk_set_up(options, guardian, &run.setup);
	if (refused != 0)
		return refused;
	refused = start(&run, inherited);
	gk_streams_release();
	if (refused == 0)
		watch(&run);
	return end(&run, refused);
}

static int start(struct run *run, const sigset_t *inherited) {
	struct gk_supervisor *supervisor = &run->setup.supervisor;
	const struct gk_agent agent = {
		.typed = &run->setup.typed,
		.argv = run->setup.options->program,
		.limits = &run->setup.limits,
		.signals = inherited,
		.ruleset = run->setup.floor.agent,
		.hiding = gk_image_hides(gk_current_image(supervisor)),
		.asks = supervisor->by_hook ? run->setup.options->run_dir : NULL,
		.hints = run->setup.region.hints,
		.supervisor = supervisor->supervisor_pid,
	};
	enum gk_stage stage;
	int error = gk_launch(&agent, &run->setup.floor, &run->launched, &stage);
	if (error < 0) {
		complain_of(stage, error);
		return GK_EXIT_SETUP;
	}
	supervisor->listener = run->launched.listener;
	supervisor->first_pid = run->launched.agent;
	gk_kill_arm(run->launched.life);
	gk_tasks_typed(supervisor, supervisor->first_pid, run->setup.typed.canonical);
	error = gk_record_start(supervisor, run->setup.options->program, gk_slice(run->setup.digest, sizeof(run->setup.digest)), run->setup.in_force);
	if (error < 0) {
		gk_complain("cannot record the start of the run in %s: %s", run->setup.options->run_dir, strerror(-error));
		return GK_EXIT_SETUP;
	}
	error = start_threads(run);
	if (error < 0) {
		gk_complain("cannot start the supervisor's threads: %s", strerror(-error));
		return GK_EXIT_SETUP;
	}
	error = gk_launch_go(&run->launched);
	return error < 0 ? explain_exec(run, error) : 0;
}

/* The weaker level is named, never taken. */
static void complain_of(enum gk_stage stage, int error) {
	static const char remedy[] = "where seccomp cannot be had, `gatekeeper run --enforce=hook` is the weaker way";
	if (error == -EBUSY)
		gk_complain("cannot %s: another supervisor already watches this process; a run cannot start inside a run (%s); %s", gk_stage_text(stage),
			    strerror(-error), remedy);
	else
		gk_complain("cannot %s: %s%s%s", gk_stage_text(stage), strerror(-error), stage == GK_STAGE_FILTER ? "; " : "",
			    stage == GK_STAGE_FILTER ? remedy : "");
}

static int start_threads(struct run *run) {
	struct gk_supervisor *supervisor = &run->setup.supervisor;
	gk_pool_open();
	int error = gk_channel_start(supervisor->channel);
	if (error < 0)
		return error;
	return supervisor->by_hook ? gk_door_start(supervisor) : gk_loop_start(supervisor);
}

static int explain_exec(const struct run *run, int error) {
	gk_complain("cannot execute %s: %s", run->setup.typed.path, strerror(-error));
	return error == -ENOENT ? GK_EXIT_NOT_FOUND : GK_EXIT_CANNOT_EXECUTE;
}

static void watch(struct run *run) {
	struct gk_supervisor *supervisor = &run->setup.supervisor;
	sigset_t signals;
	sigemptyset(&signals);
	gk_forwarded_signals(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGCONT);
	sigaddset(&signals, GK_SIGNAL_ENDING);
	sigaddset(&signals, GK_SIGNAL_ORPHANED);
	reap(run); /* it may have ended before the first wait */
	while (run->status == NOT_ENDED && !atomic_load(&supervisor->ending)) {
		siginfo_t info;
		int signal = sigwaitinfo(&signals, &info);
		if (signal == SIGCHLD) {
			reap(run);
		} else if (signal == SIGCONT) {
			gk_terminal_continued(supervisor->first_pid);
		} else if (signal == GK_SIGNAL_ORPHANED) {
			gk_kill_run(supervisor, "the guardian process is gone");
		} else if (signal > 0 && signal != GK_SIGNAL_ENDING) {
			enum gk_forward forward = gk_forward_judge(&run->forwarder, &info, gk_clock_ns(CLOCK_MONOTONIC));
			if (forward == GK_FORWARD_AGENT)
				kill(supervisor->first_pid, signal);
			else if (forward == GK_FORWARD_END)
				gk_kill_run(supervisor, "asked to end for the second time");
		}
	}
}

/* Collects whatever child changed: the agent's first process, the killer, and orphans of the run. */
static void reap(struct run *run) {
	struct gk_supervisor *supervisor = &run->setup.supervisor;
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
		if (pid <= 0)
			return;
		if (pid == supervisor->first_pid && WIFSTOPPED(status))
			gk_terminal_agent_stopped(run->terminal, pid, WSTOPSIG(status));
		else if (pid == supervisor->first_pid)
			run->status = status;
		else if (run->launched.killer != 0 && pid == run->launched.killer)
			gk_kill_run(supervisor, "the killer process is gone");
	}
}

/* Nothing of the run may outlive this, and nothing may happen after the end is recorded. */
static int end(struct run *run, int refused) {
	struct gk_supervisor *supervisor = &run->setup.supervisor;
	atomic_store(&supervisor->ending, true); /* no more answers */
	if (run->launched.life >= 0)
		(void)!write(run->launched.life, "", 1);
	int status = run->status;
	int error = gk_kill_descendants(supervisor->first_pid, &status);
	if (error < 0)
		gk_complain("some processes of the run %s could not be ended; see `ps`", supervisor->run);
	if (gk_loop_drain())
		gk_git_drafts_settle(supervisor); /* nobody writes any more */
	if (status == NOT_ENDED)
		status = SIGKILL;
	error = gk_record_end(supervisor, status);
	if (error < 0)
		gk_complain("cannot record the end of the run %s: %s", supervisor->run, strerror(-error));
	gk_channel_end(supervisor->channel, status);
	gk_terminal_reclaim(run->terminal, WIFSIGNALED(status));
	if (refused != 0)
		return refused;
	if (gk_kill_reason() != NULL) {
		gk_complain("the run was ended: %s", gk_kill_reason());
		return GK_EXIT_SETUP;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
