#include "supervise/pool.h"

#include "supervise/loop.h"
#include "supervise/pending.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#define MAX_WORKERS 512
#define MAX_QUEUED 4096
#define WATCH_INTERVAL_NS 60000000L
/* As the kernel's own calls say it: repeat after the handler if that has SA_RESTART, else EINTR (include/linux/errno.h). */
#define ERESTARTSYS 512

struct job {
	struct job *next;
	struct gk_call call;
	gk_work *work;
	void *context;
};

/* A worker's current call, for the watchdog. */
struct worker {
	pid_t thread;
	bool busy;
	int listener;
	uint64_t id;
	pid_t caller;
	atomic_bool signalled; /* the caller has a signal to handle */
};
static _Thread_local struct worker *current;

/* One run a process, so one pool. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t queued, busy;
	struct job *first, **last;
	size_t length, idle, workers, working;
	struct worker worker[MAX_WORKERS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .queued = PTHREAD_COND_INITIALIZER, .busy = PTHREAD_COND_INITIALIZER};

static int start_thread(void *(*body)(void *), void *argument);
static void *do_work(void *argument);
static void *watch(void *unused);
static int enqueue(struct job *job);

static void do_nothing(int signal) {
	(void)signal;
}

int gk_pool_open(struct gk_supervisor *supervisor) {
	(void)supervisor;
	pool.last = &pool.first;
	/* Without SA_RESTART: the signal's one purpose is to make a blocked call fail with EINTR. */
	struct sigaction action = {.sa_handler = do_nothing};
	if (sigaction(GK_SIGNAL_INTERRUPT, &action, NULL) < 0)
		return -errno;
	return start_thread(watch, NULL);
}

int gk_run_blocking(struct gk_call *call, gk_work *work, void *context) {
	struct job *job = malloc(sizeof(*job));
	int error = -ENOMEM;
	if (job != NULL) {
		*job = (struct job){.call = *call, .work = work, .context = context};
		gk_loop_hold(); /* before the copy can be finished */
		error = enqueue(job);
	}
	if (error < 0) {
		if (job != NULL)
			gk_loop_release();
		free(job);
		gk_answer_error(call, ENOMEM);
		return error;
	}
	/* The copy holds the descriptors now, and may already be finished. */
	call->proc = -1;
	call->answer = (struct gk_answer){.kind = GK_ANSWER_NONE, .fd = -1};
	return 0;
}

static int enqueue(struct job *job) {
	int error = 0;
	pthread_mutex_lock(&pool.lock);
	if (pool.length >= pool.idle && pool.workers < MAX_WORKERS) {
		error = start_thread(do_work, &pool.worker[pool.workers]);
		if (error == 0)
			pool.workers++;
	}
	/* A full pool still drains as long as it has workers; without any, or with a full queue, the call is refused. */
	if ((error < 0 && pool.workers == 0) || pool.length >= MAX_QUEUED) {
		pthread_mutex_unlock(&pool.lock);
		return error < 0 ? error : -EAGAIN;
	}
	*pool.last = job;
	pool.last = &job->next;
	pool.length++;
	pthread_cond_signal(&pool.queued);
	pthread_mutex_unlock(&pool.lock);
	return 0;
}

static int start_thread(void *(*body)(void *), void *argument) {
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

static struct job *next_job(struct worker *self) {
	pool.idle++;
	while (pool.first == NULL)
		pthread_cond_wait(&pool.queued, &pool.lock);
	pool.idle--;
	struct job *job = pool.first;
	pool.first = job->next;
	if (pool.first == NULL)
		pool.last = &pool.first;
	pool.length--;
	self->busy = true;
	self->listener = job->call.listener;
	self->id = job->call.id;
	self->caller = job->call.tid;
	atomic_store(&self->signalled, false);
	if (pool.working++ == 0)
		pthread_cond_signal(&pool.busy);
	return job;
}

static void *do_work(void *argument) {
	struct worker *self = argument;
	bool ready = gk_handler_thread_begin() == 0;
	pthread_mutex_lock(&pool.lock);
	self->thread = gettid();
	current = self;
	for (;;) {
		struct job *job = next_job(self);
		pthread_mutex_unlock(&pool.lock);
		if (ready) {
			job->work(&job->call, job->context);
			if (atomic_load(&self->signalled) && job->call.answer.kind == GK_ANSWER_ERROR && job->call.answer.error == EINTR)
				job->call.answer.error = ERESTARTSYS;
		} else {
			/* Its umask would be everybody's. */
			gk_kill_run(job->call.supervisor, "a worker could not be prepared");
			free(job->context);
		}
		pthread_mutex_lock(&pool.lock);
		self->busy = false;
		pool.working--;
		pthread_mutex_unlock(&pool.lock);
		gk_call_finish(&job->call);
		free(job);
		pthread_mutex_lock(&pool.lock);
	}
	return NULL;
}

/* A caller that was killed leaves its worker behind in a call that may never end, and one that has a signal to handle cannot be
 * reached by it while it waits for us: interrupt the worker, again and again, since a signal that comes just before the call
 * blocks is lost. */
static void interrupt_if_due(struct worker *worker) {
	const struct gk_call call = {.listener = worker->listener, .id = worker->id};
	if (gk_call_valid(&call)) {
		if (!gk_has_signal_to_handle(worker->caller) || !gk_call_valid(&call))
			return;
		atomic_store(&worker->signalled, true);
	}
	syscall(SYS_tgkill, getpid(), worker->thread, GK_SIGNAL_INTERRUPT);
}

static void *watch(void *unused) {
	(void)unused;
	pthread_mutex_lock(&pool.lock);
	for (;;) {
		while (pool.working == 0)
			pthread_cond_wait(&pool.busy, &pool.lock);
		pthread_mutex_unlock(&pool.lock);
		nanosleep(&(struct timespec){.tv_nsec = WATCH_INTERVAL_NS}, NULL);
		pthread_mutex_lock(&pool.lock);
		for (size_t i = 0; i < pool.workers; i++)
			if (pool.worker[i].busy)
				interrupt_if_due(&pool.worker[i]);
	}
	return NULL;
}

bool gk_call_waits(const struct gk_call *call) {
	return gk_call_valid(call) && (current == NULL || !atomic_load(&current->signalled));
}
