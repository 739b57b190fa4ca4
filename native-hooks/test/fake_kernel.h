/* The kernel's side of user notifications, from a script: what sys/notify.h declares, so that a test which includes this links it in place
 * of sys/notify.c. Calls are put by fake_call; what became of each is asked with fake_fate. */
#ifndef GK_TEST_FAKE_KERNEL_H
#define GK_TEST_FAKE_KERNEL_H

#include "sys/notify.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FAKE_CALLS = 32768 };

enum fake_fate { FAKE_QUEUED, FAKE_RECEIVED, FAKE_FAILED, FAKE_RETURNED, FAKE_CONTINUED, FAKE_GIVEN, FAKE_GONE };

struct fake_call {
	struct seccomp_data data;
	pid_t tid;
	enum fake_fate fate;
	int error; /* as the caller sees it: negative is an error, positive would look like success */
	int64_t value;
	bool placed;	  /* a descriptor was installed, the call not yet answered */
	unsigned answers; /* more than one is a bug of the supervisor */
	unsigned long order; /* when it was answered */
};

/* Written before the threads start, or under the lock. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t arrived, answered;
	struct fake_call call[FAKE_CALLS];
	size_t count, received;
	unsigned long answers;
	/* What the script does to the supervisor: how often each still fails, and with what. */
	int receive_errors, receive_error;
	int respond_errors, respond_error;
	int give_errors, give_error;
	int valid_left; /* ids are found pending so many times, then never again; -1: as long as they are */
	bool closed;	/* nobody is left under the filter */
	bool callers_sleep; /* a descriptor is taken after a while only */
	atomic_int torn;    /* whoever gave it was interrupted meanwhile: the caller has got 0 */
	atomic_int too_early; /* answers before the effect, as the test's handler saw it */
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER,
	  .arrived = PTHREAD_COND_INITIALIZER,
	  .answered = PTHREAD_COND_INITIALIZER,
	  .valid_left = -1};

/* Puts a call of that thread; its id. */
static inline uint64_t fake_call(pid_t tid, int nr, uint64_t argument) {
	pthread_mutex_lock(&fake.lock);
	size_t at = fake.count++;
	fake.call[at] = (struct fake_call){.tid = tid, .data = {.nr = nr, .args = {argument}}};
	pthread_cond_signal(&fake.arrived);
	pthread_mutex_unlock(&fake.lock);
	return at + 1;
}

/* The caller is killed. */
static inline void fake_kill(uint64_t id) {
	pthread_mutex_lock(&fake.lock);
	if (fake.call[id - 1].answers == 0)
		fake.call[id - 1].fate = FAKE_GONE;
	pthread_mutex_unlock(&fake.lock);
}

/* Waits until the call is answered or its caller gone. */
static inline struct fake_call fake_fate(uint64_t id) {
	pthread_mutex_lock(&fake.lock);
	struct fake_call *call = &fake.call[id - 1];
	while (call->answers == 0 && call->fate != FAKE_GONE)
		pthread_cond_wait(&fake.answered, &fake.lock);
	struct fake_call seen = *call;
	pthread_mutex_unlock(&fake.lock);
	return seen;
}

/* Ends the receivers: the last process has left. */
static inline void fake_close(void) {
	pthread_mutex_lock(&fake.lock);
	fake.closed = true;
	pthread_cond_broadcast(&fake.arrived);
	pthread_mutex_unlock(&fake.lock);
}

void gk_notify_wake_in_turn(int listener) {
	(void)listener;
}

int gk_notify_receive(int listener, union gk_notification *out) {
	(void)listener;
	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&fake.lock);
	int error = 0;
	while (fake.received == fake.count && !fake.closed && fake.receive_errors == 0)
		pthread_cond_wait(&fake.arrived, &fake.lock);
	if (fake.receive_errors > 0) {
		fake.receive_errors--;
		error = fake.receive_error;
	} else if (fake.received == fake.count) {
		error = -ENOENT;
	} else {
		struct fake_call *call = &fake.call[fake.received++];
		out->request.id = fake.received;
		out->request.pid = (uint32_t)call->tid;
		out->request.data = call->data;
		if (call->fate == FAKE_GONE)
			error = -ENOENT;
		else
			call->fate = FAKE_RECEIVED;
	}
	pthread_mutex_unlock(&fake.lock);
	return error;
}

bool gk_notify_has_more(int listener) {
	(void)listener;
	pthread_mutex_lock(&fake.lock);
	bool more = fake.received < fake.count;
	pthread_mutex_unlock(&fake.lock);
	return more;
}

bool gk_notify_is_live(int listener) {
	(void)listener;
	return !fake.closed;
}

bool gk_notify_is_pending(int listener, uint64_t id) {
	(void)listener;
	pthread_mutex_lock(&fake.lock);
	bool pending = id >= 1 && id <= fake.count && fake.call[id - 1].fate == FAKE_RECEIVED && fake.valid_left != 0;
	if (fake.valid_left > 0)
		fake.valid_left--;
	pthread_mutex_unlock(&fake.lock);
	return pending;
}

/* 0, or what the script or the caller's death says. */
static inline int fake_answer(uint64_t id, enum fake_fate fate, int error, int64_t value, int *errors_left, int scripted) {
	pthread_mutex_lock(&fake.lock);
	struct fake_call *call = &fake.call[id - 1];
	int result = 0;
	if (*errors_left > 0) {
		--*errors_left;
		result = scripted;
		if (scripted == -ENOENT)
			call->fate = FAKE_GONE;
	} else if (call->fate != FAKE_RECEIVED) {
		result = -ENOENT;
		call->answers += call->fate != FAKE_GONE;
	} else {
		*call = (struct fake_call){.tid = call->tid, .data = call->data, .fate = fate, .error = error, .value = value,
					   .placed = call->placed, .answers = 1, .order = ++fake.answers};
	}
	pthread_cond_broadcast(&fake.answered);
	pthread_mutex_unlock(&fake.lock);
	return result;
}

int gk_notify_fail(int listener, uint64_t id, int error) {
	(void)listener;
	return fake_answer(id, FAKE_FAILED, -error, 0, &fake.respond_errors, fake.respond_error);
}

int gk_notify_return(int listener, uint64_t id, int64_t value) {
	(void)listener;
	return fake_answer(id, FAKE_RETURNED, 0, value, &fake.respond_errors, fake.respond_error);
}

int gk_notify_continue(int listener, uint64_t id) {
	(void)listener;
	return fake_answer(id, FAKE_CONTINUED, 0, 0, &fake.respond_errors, fake.respond_error);
}

int gk_notify_give(int listener, uint64_t id, int fd, bool cloexec) {
	(void)listener;
	(void)fd;
	(void)cloexec;
	int result = fake_answer(id, FAKE_GIVEN, 0, 0, &fake.give_errors, fake.give_error);
	if (result == 0 && fake.callers_sleep && nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL) < 0)
		atomic_fetch_add(&fake.torn, 1);
	return result;
}

int gk_notify_place(int listener, uint64_t id, int fd, bool cloexec) {
	(void)listener;
	(void)fd;
	(void)cloexec;
	pthread_mutex_lock(&fake.lock);
	struct fake_call *call = &fake.call[id - 1];
	int result = call->fate == FAKE_RECEIVED ? 7 : -ENOENT;
	if (fake.give_errors > 0) {
		fake.give_errors--;
		result = fake.give_error;
	}
	call->placed |= result >= 0;
	pthread_mutex_unlock(&fake.lock);
	return result;
}

#endif
