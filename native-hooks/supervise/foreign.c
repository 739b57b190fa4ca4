/* Calls that act on another process by its number: allowed within the run, refused beyond it. The number is in a register, so the
 * kernel may carry them out. Landlock stops none of them. */
#include "include/gk_dispatch.gen.h"
#include "supervise/judge.h"
#include "supervise/task.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#define IOPRIO_WHO_PROCESS 1

static void refuse(struct gk_call *call, const char *what, int number) {
	char target[64];
	int length = snprintf(target, sizeof(target), "%s %d", what, number);
	struct gk_subject subject = {.action = GK_ACTION_SHELL_EXEC, .target = gk_slice(target, (size_t)length)};
	int error = gk_refuse(call, &subject, GK_REASON_FOREIGN_PROCESS);
	/* nice(1) and its like take EPERM for "not permitted" and go on; they stop at anything else. */
	(void)error;
	gk_answer_error(call, EPERM);
}

/* A negative number names nobody, which the kernel says in each call's own way. */
static void judge_process(struct gk_call *call, int pid) {
	if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
		return gk_answer_error(call, ESRCH);
	if (pid <= 0 || pid == call->tid || pid == call->tgid || gk_task_in_run(call->supervisor, pid))
		gk_answer_continue(call);
	else
		refuse(call, "process", pid);
}

void gk_do_setpriority(struct gk_call *call) {
	if (gk_arg_int(call, 0) == PRIO_PROCESS)
		judge_process(call, gk_arg_int(call, 1));
	else
		refuse(call, gk_arg_int(call, 0) == PRIO_PGRP ? "process group" : "processes of user", gk_arg_int(call, 1));
}

void gk_do_ioprio_set(struct gk_call *call) {
	if (gk_arg_int(call, 0) == IOPRIO_WHO_PROCESS)
		judge_process(call, gk_arg_int(call, 1));
	else
		refuse(call, "processes of group or user", gk_arg_int(call, 1));
}

void gk_do_sched_setparam(struct gk_call *call) {
	judge_process(call, gk_arg_int(call, 0));
}

void gk_do_sched_setscheduler(struct gk_call *call) {
	judge_process(call, gk_arg_int(call, 0));
}

void gk_do_sched_setaffinity(struct gk_call *call) {
	judge_process(call, gk_arg_int(call, 0));
}

void gk_do_sched_setattr(struct gk_call *call) {
	judge_process(call, gk_arg_int(call, 0));
}

void gk_do_prlimit64(struct gk_call *call) {
	judge_process(call, gk_arg_int(call, 0));
}
