#include "supervise/pool.h"

#include "supervise/bounds.h"
#include "supervise/loop.h"
#include "supervise/pending.h"
#include "supervise/result.h"
#include "supervise/turns.h"
#include "supervise/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* As the kernel's own calls say it: repeat after the handler if that has SA_RESTART, else EINTR (include/linux/errno.h). */
#define ERESTARTSYS 512
/* Workers that stay when there is nothing to do. */
#define IDLE_KEPT 8
/* A look at a worker reads a file of its caller. */
#define LOOKED_AT_ONCE 128

struct job {
	struct gk_turn turn; /* first: a turn is its job */
	struct job *next_free;
	struct gk_call call;
	gk_work *work;
	void *context;
};

struct worker {
	pid_t thread; /* 0: free */
	struct job *job;
	atomic_bool signalled; /* the caller has a signal to handle */
};
static _Thread_local struct worker *current;

/* One run a process, so one pool. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t queued;
	struct gk_turns turns;
	struct gk_party parties[GK_JOBS_MAX];
	struct job jobs[GK_JOBS_MAX], *free;
	size_t jobs_begun, jobs_used, jobs_most;
	size_t idle, workers, next_looked_at;
	struct worker worker[GK_WORKERS_MAX];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .queued = PTHREAD_COND_INITIALIZER};

static struct job *take_job(pid_t process);
static void release_job(struct job *job);
static int provide_worker(pid_t process);
static void *do_work(void *argument);

void gk_pool_open(void) {
	pool.turns.parties = pool.parties;
	pool.jobs_most = gk_bounds_now().jobs;
}

int gk_run_blocking(struct gk_call *call, gk_work *work, void *context) {
	pthread_mutex_lock(&pool.lock);
	struct job *job = take_job(call->tgid);
	int error = job == NULL ? -EAGAIN : provide_worker(call->tgid);
	if (error < 0) {
		if (job != NULL)
			release_job(job);
		pthread_mutex_unlock(&pool.lock);
		gk_answer_error(call, ENOMEM);
		return error;
	}
	job->call = *call;
	job->work = work;
	job->context = context;
	gk_loop_hold(); /* before the copy can be finished */
	gk_turns_enter(&pool.turns, &job->turn, call->tgid);
	pthread_cond_signal(&pool.queued);
	pthread_mutex_unlock(&pool.lock);
	gk_watch_wake();
	/* The copy holds the descriptors now, and may already be finished. */
	call->proc = call->door = -1;
	gk_receipts_forget(&call->receipts);
	call->answer = (struct gk_answer){.kind = GK_ANSWER_NONE, .fd = -1};
	return 0;
}

/* --- under the lock --- */

/* No process may have more of them than it leaves to others. */
static struct job *take_job(pid_t process) {
	if (gk_turns_of(&pool.turns, process) >= pool.jobs_most - pool.jobs_used)
		return NULL;
	struct job *job = pool.free;
	if (job != NULL)
		pool.free = job->next_free;
	else
		job = &pool.jobs[pool.jobs_begun++];
	pool.jobs_used++;
	return job;
}

static void release_job(struct job *job) {
	job->next_free = pool.free;
	pool.free = job;
	pool.jobs_used--;
}

static size_t share(void) {
	size_t working = pool.turns.working;
	return working < GK_WORKERS_MAX ? GK_WORKERS_MAX - working : 1;
}

/* A pool that cannot grow still drains as long as it has workers; without any the call is refused. */
static int provide_worker(pid_t process) {
	if (pool.turns.waiting < pool.idle || pool.workers == GK_WORKERS_MAX ||
	    gk_turns_of(&pool.turns, process) >= share())
		return 0;
	struct worker *worker = pool.worker;
	while (worker->thread != 0)
		worker++;
	worker->thread = -1;
	int error = gk_handler_thread_start(do_work, worker);
	if (error < 0) {
		worker->thread = 0;
		return pool.workers == 0 ? error : 0;
	}
	pool.workers++;
	return 0;
}

static struct job *next_job(void) {
	pool.idle++;
	struct gk_turn *turn;
	while ((turn = gk_turns_take(&pool.turns, share())) == NULL && pool.idle <= IDLE_KEPT)
		pthread_cond_wait(&pool.queued, &pool.lock);
	pool.idle--;
	return (struct job *)(void *)turn;
}

/* --- a worker --- */

static void carry_out(struct job *job, bool ready) {
	if (!ready) {
		/* Its umask would be everybody's. */
		gk_kill_run(job->call.supervisor, "a worker could not be prepared");
		free(job->context);
		return;
	}
	job->work(&job->call, job->context);
	/* An interruption may be on its way still; only in two steps is handing over a descriptor safe from it. */
	job->call.answer.fd_alone |= job->call.answer.kind == GK_ANSWER_FD;
	if (atomic_load(&current->signalled) && job->call.answer.kind == GK_ANSWER_ERROR && job->call.answer.error == EINTR)
		job->call.answer.error = ERESTARTSYS;
}

static void *do_work(void *argument) {
	struct worker *self = argument;
	bool ready = gk_handler_thread_begin() == 0;
	pthread_mutex_lock(&pool.lock);
	self->thread = gettid();
	current = self;
	for (struct job *job; (job = next_job()) != NULL;) {
		self->job = job;
		atomic_store(&self->signalled, false);
		pthread_mutex_unlock(&pool.lock);
		carry_out(job, ready);
		pthread_mutex_lock(&pool.lock);
		self->job = NULL; /* not interrupted from here on */
		pthread_mutex_unlock(&pool.lock);
		gk_call_finish(&job->call);
		pthread_mutex_lock(&pool.lock);
		gk_turns_leave(&pool.turns, &job->turn);
		release_job(job);
	}
	self->thread = 0;
	pool.workers--;
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

/* --- the watchdog's part --- */

/* A caller that was killed leaves its worker behind in a call that may never end, and one that has a signal to handle cannot be
 * reached by it while it waits for us: interrupt the worker, again and again, since a signal that comes just before the call
 * blocks is lost. */
static void interrupt_if_due(struct worker *worker) {
	const struct gk_call *call = &worker->job->call;
	if (gk_call_valid(call)) {
		if (!gk_has_signal_to_handle(call->tid) || !gk_call_valid(call))
			return;
		atomic_store(&worker->signalled, true);
	}
	syscall(SYS_tgkill, getpid(), worker->thread, GK_SIGNAL_INTERRUPT);
}

bool gk_pool_look(void) {
	pthread_mutex_lock(&pool.lock);
	size_t looked_at = 0;
	for (size_t i = 0; i < GK_WORKERS_MAX && looked_at < LOOKED_AT_ONCE; i++) {
		struct worker *worker = &pool.worker[pool.next_looked_at++ % GK_WORKERS_MAX];
		if (worker->thread > 0 && worker->job != NULL) {
			interrupt_if_due(worker);
			looked_at++;
		}
	}
	bool busy = pool.turns.working > 0;
	pthread_mutex_unlock(&pool.lock);
	return busy;
}

bool gk_call_waits(const struct gk_call *call) {
	return gk_call_valid(call) && (current == NULL || !atomic_load(&current->signalled));
}
