#include "supervise/watch.h"

#include "supervise/loop.h"
#include "supervise/pool.h"
#include "supervise/receive.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define INTERVAL_NS 60000000L
/* Looks that find nothing before it sleeps: waking it costs the caller a system call. */
#define CALM_LOOKS 16

static struct {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	atomic_bool awake;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};

static void *look_again_and_again(void *unused);

static void do_nothing(int signal) {
	(void)signal;
}

int gk_watch_start(void) {
	/* Without SA_RESTART: the signal's one purpose is to make a blocked call fail with EINTR. */
	struct sigaction action = {.sa_handler = do_nothing};
	if (sigaction(GK_SIGNAL_INTERRUPT, &action, NULL) < 0)
		return -errno;
	return gk_handler_thread_start(look_again_and_again, NULL);
}

void gk_watch_wake(void) {
	if (atomic_load(&watch.awake))
		return;
	pthread_mutex_lock(&watch.lock);
	atomic_store(&watch.awake, true);
	pthread_cond_signal(&watch.woken);
	pthread_mutex_unlock(&watch.lock);
}

static bool look(void) {
	bool receivers = gk_receivers_look(), workers = gk_pool_look();
	return receivers || workers;
}

static void sleep_until_woken(void) {
	atomic_store(&watch.awake, false);
	/* Whoever found it awake just before has not woken it. */
	if (look())
		atomic_store(&watch.awake, true);
	pthread_mutex_lock(&watch.lock);
	while (!atomic_load(&watch.awake))
		pthread_cond_wait(&watch.woken, &watch.lock);
	pthread_mutex_unlock(&watch.lock);
}

static void *look_again_and_again(void *unused) {
	(void)unused;
	sigset_t signals;
	sigfillset(&signals);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	int calm = 0;
	for (;;) {
		if (calm++ >= CALM_LOOKS)
			sleep_until_woken();
		nanosleep(&(struct timespec){.tv_nsec = INTERVAL_NS}, NULL);
		if (look())
			calm = 0;
	}
	return NULL;
}
