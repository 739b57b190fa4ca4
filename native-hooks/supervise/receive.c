#include "supervise/receive.h"

#include "supervise/bounds.h"
#include "supervise/loop.h"
#include "supervise/task.h"
#include "supervise/turns.h"
#include "supervise/watch.h"
#include "sys/notify.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

/* As many as processors could use; more would only take turns, and each has a stack to warm up. */
#define LEAST 2
#define USUAL_MAX 4
/* When more than this has come at once, it is taken in to the last before anything is served: what is served comes back as the next
 * call, and would keep the others waiting in the kernel. */
#define CROWD 8
/* The kernel searches all calls that wait for the one that is meant: asking about every receiver at each look would cost too much. */
#define LOOKED_AT_ONCE 32
#define SLOTS (GK_PARKED_MAX + GK_RECEIVERS_MAX)

struct slot {
	struct gk_turn turn; /* first: a turn is its slot */
	struct slot *next_free;
	struct gk_call call;
};

struct receiver {
	pid_t thread; /* 0: free */
	struct slot *serving, *spare;
	uint64_t served, seen; /* calls begun, and how many there were at the last look */
	atomic_bool answering;
};

/* One run a process, so one hall. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t taken_in;
	struct gk_supervisor *supervisor;
	struct gk_turns turns;
	struct gk_party parties[SLOTS];
	struct slot slots[SLOTS], *free;
	size_t slots_used;
	struct receiver receiver[GK_RECEIVERS_MAX];
	size_t count, most, usual;
	size_t listening; /* in the kernel's receive call, or about to be */
	struct receiver *taking_in;
	size_t taken;
	size_t next_looked_at;
	bool ended; /* nobody is left under the filter */
} hall = {.lock = PTHREAD_MUTEX_INITIALIZER, .taken_in = PTHREAD_COND_INITIALIZER};

static int start_one(void);
static void *serve(void *argument);
static struct slot *next_call(struct receiver *self);
static void take_in(struct receiver *self);
static bool listen(struct receiver *self);
static int receive(struct slot *slot);
static void retire(struct receiver *self);

static size_t processors(void) {
	cpu_set_t set;
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : USUAL_MAX;
}

int gk_receivers_start(struct gk_supervisor *supervisor) {
	hall.supervisor = supervisor;
	hall.turns.parties = hall.parties;
	hall.most = gk_bounds_now().receivers;
	size_t wanted = processors();
	hall.usual = wanted < LEAST ? LEAST : wanted > USUAL_MAX ? USUAL_MAX : wanted;
	int error = 0;
	pthread_mutex_lock(&hall.lock);
	while (error == 0 && hall.count < hall.usual)
		error = start_one();
	pthread_mutex_unlock(&hall.lock);
	return error;
}

/* --- slots, under the lock --- */

static struct slot *take_slot(void) {
	struct slot *slot = hall.free;
	if (slot != NULL)
		hall.free = slot->next_free;
	else if (hall.slots_used < SLOTS)
		slot = &hall.slots[hall.slots_used++];
	return slot;
}

static void release_slot(struct slot *slot) {
	slot->next_free = hall.free;
	hall.free = slot;
}

static int start_one(void) {
	struct receiver *self = hall.receiver;
	while (self->thread != 0)
		self++;
	*self = (struct receiver){.thread = -1, .spare = take_slot()};
	int error = self->spare == NULL ? -EAGAIN : gk_handler_thread_start(serve, self);
	if (error < 0) {
		if (self->spare != NULL)
			release_slot(self->spare);
		self->thread = 0;
		return error;
	}
	hall.count++;
	return 0;
}

/* --- a receiver --- */

static void *serve(void *argument) {
	struct receiver *self = argument;
	if (gk_handler_thread_begin() < 0) {
		gk_kill_run(hall.supervisor, "a receiver could not be prepared");
		return NULL;
	}
	pthread_mutex_lock(&hall.lock);
	self->thread = gettid();
	for (struct slot *slot; (slot = next_call(self)) != NULL;) {
		self->serving = slot;
		self->served++;
		atomic_store(&self->answering, false);
		pthread_mutex_unlock(&hall.lock);
		gk_call_serve(&slot->call);
		atomic_store(&self->answering, true);
		gk_call_finish(&slot->call);
		pthread_mutex_lock(&hall.lock);
		self->serving = NULL;
		gk_turns_leave(&hall.turns, &slot->turn);
		release_slot(slot);
	}
	retire(self);
	pthread_mutex_unlock(&hall.lock);
	return NULL;
}

/* What one process may have at work: half of what is left, so that there is always something left for the next. */
static size_t share(void) {
	size_t working = hall.turns.working;
	return working < hall.most ? (hall.most - working + 1) / 2 : 1;
}

static struct slot *next_call(struct receiver *self) {
	for (;;) {
		/* Nobody else would see that more has come. */
		if (hall.listening == 0 && hall.taking_in == NULL)
			take_in(self);
		bool crowded = hall.taking_in != NULL && hall.taken > CROWD;
		struct gk_turn *turn = crowded ? NULL : gk_turns_take(&hall.turns, share());
		if (turn != NULL) {
			if (hall.listening == 0)
				gk_watch_wake();
			return (struct slot *)(void *)turn;
		}
		if (hall.taking_in != NULL) {
			/* Two at once, and one would wait in the kernel for what the other has got. */
			pthread_cond_wait(&hall.taken_in, &hall.lock);
			continue;
		}
		if (hall.ended || (hall.listening >= hall.usual && hall.count > hall.usual) || !listen(self))
			return NULL;
	}
}

static void enter(struct slot *slot) {
	gk_turns_enter(&hall.turns, &slot->turn, slot->call.tgid != 0 ? slot->call.tgid : slot->call.tid);
}

/* Only one at a time, and only while nobody listens: what poll has seen is then still there, or its caller is dead, and the kernel
 * does not wait in either case. Should it ever, the watchdog interrupts it. */
static void take_in(struct receiver *self) {
	hall.taking_in = self;
	for (hall.taken = 0;; hall.taken++) {
		struct slot *slot = take_slot();
		if (slot == NULL)
			break;
		pthread_mutex_unlock(&hall.lock);
		int error = gk_notify_has_more(hall.supervisor->listener) ? receive(slot) : -EAGAIN;
		pthread_mutex_lock(&hall.lock);
		if (error == 0)
			enter(slot);
		else
			release_slot(slot);
		if (error != 0 && error != -ENOENT)
			break;
	}
	hall.taking_in = NULL;
	pthread_cond_broadcast(&hall.taken_in);
}

/* False when there is nothing to be received any more. */
static bool listen(struct receiver *self) {
	struct slot *slot = self->spare;
	hall.listening++;
	pthread_mutex_unlock(&hall.lock);
	int error = receive(slot);
	bool live = error != -ENOENT || gk_notify_is_live(hall.supervisor->listener);
	if (error < 0 && error != -ENOENT && error != -EINTR) {
		gk_kill_run(hall.supervisor, "the kernel stopped delivering calls");
		live = false;
	}
	pthread_mutex_lock(&hall.lock);
	hall.listening--;
	if (error == 0) {
		enter(slot);
		/* There is one for each receiver beyond those that may wait. */
		self->spare = take_slot();
	}
	hall.ended |= !live;
	return live && self->spare != NULL;
}

static int receive(struct slot *slot) {
	union gk_notification notification;
	int error = gk_notify_receive(hall.supervisor->listener, &notification);
	if (error == 0)
		gk_call_begin(hall.supervisor, &notification.request, &slot->call);
	return error;
}

static void retire(struct receiver *self) {
	if (self->spare != NULL)
		release_slot(self->spare);
	self->thread = 0;
	hall.count--;
}

/* --- the watchdog's part --- */

static bool is_stuck(const struct receiver *receiver) {
	return receiver->thread > 0 && receiver->serving != NULL && receiver->served == receiver->seen;
}

static void interrupt(const struct receiver *receiver) {
	syscall(SYS_tgkill, getpid(), receiver->thread, GK_SIGNAL_INTERRUPT);
}

/* A caller that was killed leaves its receiver behind in something that may never end. A call whose answer is on its way is not valid either:
 * the kernel holds the receiver until the caller has run and has taken its descriptor. Interrupted, it would take the descriptor back and
 * tell the caller 0. So the order of the questions counts: an answer that made the call invalid is seen by the second. */
static void release_from_the_dead(void) {
	for (size_t i = 0; i < LOOKED_AT_ONCE; i++) {
		struct receiver *receiver = &hall.receiver[hall.next_looked_at++ % GK_RECEIVERS_MAX];
		if (is_stuck(receiver) && !gk_call_valid(&receiver->serving->call) && !atomic_load(&receiver->answering))
			interrupt(receiver);
	}
}

bool gk_receivers_look(void) {
	static struct receiver *took_in;
	size_t busy = 0, stuck = 0;
	pthread_mutex_lock(&hall.lock);
	for (size_t i = 0; i < GK_RECEIVERS_MAX; i++) {
		struct receiver *receiver = &hall.receiver[i];
		busy += receiver->thread > 0 && receiver->serving != NULL;
		stuck += is_stuck(receiver);
	}
	if (stuck > 0)
		release_from_the_dead();
	for (size_t i = 0; i < GK_RECEIVERS_MAX; i++)
		hall.receiver[i].seen = hall.receiver[i].served;
	size_t moving = hall.count - stuck, wanted = moving < hall.usual ? hall.usual - moving : 0;
	/* None moves: others may be waiting for a lookup of the same kind, so the number doubles. */
	if (moving == 0 && wanted < stuck)
		wanted = stuck;
	while (wanted-- > 0 && hall.count < hall.most && start_one() == 0)
		;
	if (hall.taking_in != NULL && hall.taking_in == took_in)
		interrupt(took_in);
	took_in = hall.taking_in;
	pthread_mutex_unlock(&hall.lock);
	return busy > 0 || took_in != NULL;
}
