#include "supervise/birth.h"

#include "supervise/clock.h"
#include "supervise/supervisor.h"
#include "sys/descend.h"

#include <errno.h>

/* What was let go on and is not seen yet. A caller that is held up for longer is missed, so a run may pass its limit by as many as fork in
 * one moment, once: from then on nothing is let go on. */
#define UNBORN 64
#define UNBORN_NS 10000000U
#define PAUSE_NS 1000000L

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t most_alive = UINT64_MAX; /* no more than these can be alive; nobody has counted yet */
static struct {
	pid_t parent;
	uint64_t since;
} let_go[UNBORN];
static size_t next;
static uint64_t full_at; /* when it was last begun to count and no room was found */

/* Who calls again has come back from its last call. */
static void is_back(pid_t parent) {
	for (size_t i = 0; i < UNBORN; i++)
		if (let_go[i].parent == parent)
			let_go[i].parent = 0;
}

static uint64_t count_unborn(uint64_t now) {
	uint64_t count = 0;
	for (size_t i = 0; i < UNBORN; i++)
		count += let_go[i].parent != 0 && now - let_go[i].since < UNBORN_NS;
	return count;
}

/* Processes end without a word: only counting tells what is left of the estimate. Waits while those that are not born yet decide it. One count
 * answers for everybody who asked before it was begun: a run that is full asks again and again. */
static bool has_room(uint64_t most, uint64_t asked) {
	if (most_alive < most)
		return true;
	for (;;) {
		uint64_t now = gk_clock_ns(CLOCK_MONOTONIC), unborn = count_unborn(now);
		if (full_at > asked)
			return false;
		size_t found;
		if (gk_count_descendants(&found) < 0)
			return false;
		uint64_t alive = found - (found > 0); /* one of them is the killer */
		most_alive = alive + unborn;
		if (most_alive < most)
			return true;
		if (alive >= most) {
			full_at = now;
			return false;
		}
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
}

void gk_do_birth(struct gk_call *call) {
	uint64_t asked = gk_clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_lock(&lock);
	is_back(call->tid);
	bool room = has_room(call->supervisor->most_processes, asked);
	if (room) {
		most_alive++;
		let_go[next].parent = call->tid;
		let_go[next].since = gk_clock_ns(CLOCK_MONOTONIC);
		next = (next + 1) % UNBORN;
	}
	pthread_mutex_unlock(&lock);
	if (room)
		gk_answer_continue(call);
	else
		gk_answer_error(call, EAGAIN);
}
