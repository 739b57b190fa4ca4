#include "supervise/loop.h"

#include "include/gk_dispatch.gen.h"
#include "supervise/birth.h"
#include "supervise/door.h"
#include "supervise/git_draft.h"
#include "supervise/receive.h"
#include "supervise/result.h"
#include "supervise/task.h"
#include "supervise/watch.h"
#include "sys/notify.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#define DRAIN_STEPS 500
#define DRAIN_STEP_NS 2000000L

static gk_handler *const handlers[GK_SYSCALL_MAX + 1] = {
#define HANDLER(number, name) [number] = gk_do_##name,
	GK_HANDLED_CALLS(HANDLER)
#undef HANDLER
	/* These come before the supervisor of a run whose processes are counted, and run unseen in others. */
	[SYS_clone] = gk_do_birth,
	[SYS_fork] = gk_do_birth,
	[SYS_vfork] = gk_do_birth,
};

static atomic_uint under_way;

static int give_descriptor(struct gk_call *call);
static int give_alone(struct gk_call *call);

int gk_loop_start(struct gk_supervisor *supervisor) {
	gk_notify_wake_in_turn(supervisor->listener);
	int error = gk_watch_start();
	return error == 0 ? gk_receivers_start(supervisor) : error;
}

int gk_handler_thread_start(void *(*body)(void *), void *argument) {
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);
	if (error != 0)
		return -error;
	error = pthread_attr_setstacksize(&attributes, GK_HANDLER_STACK_BYTES);
	if (error == 0)
		error = pthread_create(&thread, &attributes, body, argument);
	pthread_attr_destroy(&attributes);
	if (error == 0)
		pthread_detach(thread);
	return -error;
}

int gk_handler_thread_begin(void) {
	sigset_t signals;
	sigfillset(&signals);
	sigdelset(&signals, GK_SIGNAL_INTERRUPT);
	int error = pthread_sigmask(SIG_SETMASK, &signals, NULL);
	if (error != 0)
		return -error;
	return unshare(CLONE_FS) < 0 ? -errno : 0;
}

void gk_call_begin(struct gk_supervisor *supervisor, const struct seccomp_notif *request, struct gk_call *out) {
	*out = (struct gk_call){
		.supervisor = supervisor,
		.id = request->id,
		.tid = (pid_t)request->pid,
		.nr = request->data.nr,
		.proc = -1,
		.listener = supervisor->listener,
		.answer = {.kind = GK_ANSWER_ERROR, .error = EIO, .fd = -1}, /* what a handler that answers nothing gets */
	};
	for (size_t i = 0; i < GK_COUNT(out->args); i++)
		out->args[i] = request->data.args[i];
	/* Whose it is decides when it is served. What cannot be told now is asked once more then. */
	if (gk_task_identify(out) < 0)
		out->tgid = 0;
	gk_loop_hold();
}

void gk_call_serve(struct gk_call *call) {
	gk_handler *handler = call->nr >= 0 && call->nr <= GK_SYSCALL_MAX ? handlers[call->nr] : NULL;
	int error = atomic_load(&call->supervisor->ending) ? -ESRCH : gk_task_arrive(call);
	if (error == 0)
		gk_git_drafts_settle(call->supervisor);
	if (error < 0)
		gk_answer_error(call, error); /* nobody hears it in a run that is being ended */
	else if (handler == NULL)
		gk_answer_error(call, ENOSYS);
	else
		handler(call);
}

void gk_call_finish(struct gk_call *call) {
	struct gk_supervisor *supervisor = call->supervisor;
	int error = 0;
	/* A run that is being ended gets no more answers: its calls wait for the kill, which nothing can hold up. */
	enum gk_answer_kind kind = atomic_load(&supervisor->ending) ? GK_ANSWER_NONE : call->answer.kind;
	if (call->by_door) {
		call->answer.kind = kind;
		gk_door_answer(call);
		kind = GK_ANSWER_NONE;
	}
	switch (kind) {
	case GK_ANSWER_ERROR:
		error = gk_notify_fail(call->listener, call->id, call->answer.error == 0 ? EIO : abs(call->answer.error));
		break;
	case GK_ANSWER_VALUE:
		error = gk_notify_return(call->listener, call->id, call->answer.value);
		break;
	case GK_ANSWER_FD:
		error = give_descriptor(call);
		break;
	case GK_ANSWER_CONTINUE:
		error = gk_notify_continue(call->listener, call->id);
		break;
	case GK_ANSWER_NONE:
		break;
	}
	if (error < 0 && error != -ENOENT)
		gk_kill_run(supervisor, "an answer could not be delivered");
	if (call->answer.fd >= 0)
		close(call->answer.fd);
	/* What nobody received is no effect, and what nobody knows is told of nobody. */
	if (call->answer.kind == GK_ANSWER_FD && (kind != GK_ANSWER_FD || error < 0))
		call->answer.kind = GK_ANSWER_NONE;
	gk_result_of_answer(call);
	if (call->proc >= 0)
		close(call->proc);
	call->answer.fd = call->proc = -1;
	gk_loop_release();
}

void gk_loop_hold(void) {
	atomic_fetch_add(&under_way, 1);
}

void gk_loop_release(void) {
	atomic_fetch_sub(&under_way, 1);
}

bool gk_loop_drain(void) {
	gk_watch_wake(); /* threads that wait for the sake of callers who are dead by now */
	for (int i = 0; i < DRAIN_STEPS && atomic_load(&under_way) > 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = DRAIN_STEP_NS}, NULL);
	return atomic_load(&under_way) == 0;
}

/* The caller's own limits (EMFILE) are its own to see; the notification is still open then. */
static int fail(struct gk_call *call, int error) {
	gk_answer_error(call, error);
	return gk_notify_fail(call->listener, call->id, error);
}

static int give_descriptor(struct gk_call *call) {
	int error;
	if (call->answer.fd_alone)
		return give_alone(call);
	do
		error = gk_notify_give(call->listener, call->id, call->answer.fd, call->answer.fd_cloexec);
	while (error == -EINTR);
	return error == 0 || error == -ENOENT ? error : fail(call, -error);
}

/* In one step the caller would run on while our copy is still open: a file that it wrote, closed and executes at once would be busy,
 * a lock that it dropped still held. The second step costs a switch, so only files opened for writing take it. */
static int give_alone(struct gk_call *call) {
	int number;
	do
		number = gk_notify_place(call->listener, call->id, call->answer.fd, call->answer.fd_cloexec);
	while (number == -EINTR);
	close(call->answer.fd);
	call->answer.fd = -1;
	if (number == -ENOENT)
		return number;
	return number < 0 ? fail(call, -number) : gk_notify_return(call->listener, call->id, number);
}
