#include "supervise/expect.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define BUCKETS 64U
#define OPEN_MAX_AT_ONCE 4096U
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* Linux 5.3 */
#endif

/* The pidfd says whether the process that it was opened for still lives: its number may be another's by now. */
struct entry {
	struct gk_expectation expectation;
	int pidfd;
	struct entry *next;
};

struct gk_expectations {
	pthread_mutex_t lock;
	atomic_uint open;
	uint64_t serial;
	struct entry *buckets[BUCKETS];
};

int gk_expectations_open(struct gk_expectations **out) {
	struct gk_expectations *all = calloc(1, sizeof(*all));
	if (all == NULL)
		return -ENOMEM;
	pthread_mutex_init(&all->lock, NULL);
	*out = all;
	return 0;
}

static struct entry **bucket_of(struct gk_expectations *all, pid_t tgid) {
	return &all->buckets[(unsigned)tgid % BUCKETS];
}

static void remove_at(struct gk_expectations *all, struct entry **link) {
	struct entry *entry = *link;
	*link = entry->next;
	close(entry->pidfd);
	free(entry);
	atomic_fetch_sub(&all->open, 1);
}

void gk_expectations_close(struct gk_expectations *all) {
	if (all == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (all->buckets[i] != NULL)
			remove_at(all, &all->buckets[i]);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static bool is_dead(const struct entry *entry) {
	struct pollfd poll_one = {.fd = entry->pidfd, .events = POLLIN};
	return poll(&poll_one, 1, 0) == 1 && (poll_one.revents & POLLIN) != 0;
}

/* Removes the expectations of one thread of a process (all of the process for tid 0), and of dead processes that share the
 * bucket: programs that end without a trapped call leave theirs behind. */
static void clear(struct gk_expectations *all, pid_t tgid, pid_t tid) {
	for (struct entry **link = bucket_of(all, tgid); *link != NULL;) {
		const struct gk_expectation *e = &(*link)->expectation;
		if ((e->tgid == tgid && (tid == 0 || e->tid == tid)) || is_dead(*link))
			remove_at(all, link);
		else
			link = &(*link)->next;
	}
}

int gk_expectations_add(struct gk_expectations *all, const struct gk_expectation *expectation) {
	if (atomic_load(&all->open) >= OPEN_MAX_AT_ONCE)
		return -EAGAIN;
	struct entry *entry = malloc(sizeof(*entry));
	if (entry == NULL)
		return -EAGAIN;
	entry->expectation = *expectation;
	entry->pidfd = (int)syscall(SYS_pidfd_open, expectation->tgid, 0);
	if (entry->pidfd < 0) {
		int error = errno == ESRCH ? -ESRCH : -EAGAIN;
		free(entry);
		return error;
	}
	struct entry **bucket = bucket_of(all, expectation->tgid);
	pthread_mutex_lock(&all->lock);
	clear(all, expectation->tgid, expectation->tid);
	entry->expectation.serial = ++all->serial;
	entry->next = *bucket;
	*bucket = entry;
	atomic_fetch_add(&all->open, 1);
	pthread_mutex_unlock(&all->lock);
	return 0;
}

bool gk_expectations_next(struct gk_expectations *all, pid_t tgid, uint64_t after, struct gk_expectation *out) {
	if (atomic_load(&all->open) == 0)
		return false;
	struct entry *best = NULL;
	pthread_mutex_lock(&all->lock);
	for (struct entry *entry = *bucket_of(all, tgid); entry != NULL; entry = entry->next) {
		uint64_t serial = entry->expectation.serial;
		if (entry->expectation.tgid == tgid && serial > after &&
		    (best == NULL || serial < best->expectation.serial))
			best = entry;
	}
	bool found = best != NULL && !is_dead(best);
	if (found)
		*out = best->expectation;
	pthread_mutex_unlock(&all->lock);
	return found;
}

void gk_expectations_drop(struct gk_expectations *all, pid_t tgid, pid_t tid) {
	pthread_mutex_lock(&all->lock);
	clear(all, tgid, tid);
	pthread_mutex_unlock(&all->lock);
}
