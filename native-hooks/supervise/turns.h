/* Calls that wait for a thread, taken process by process in turn: whoever sends many waits for itself. */
#ifndef GK_SUPERVISE_TURNS_H
#define GK_SUPERVISE_TURNS_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { GK_TURN_BUCKETS = 1024 };

struct gk_party;

/* Part of whatever waits; all of it belongs to gk_turns from enter to leave. */
struct gk_turn {
	struct gk_turn *next;
	struct gk_party *party;
};

/* A process that has calls waiting or at work. */
struct gk_party {
	pid_t process;
	size_t waiting, working;
	struct gk_turn *first, **last;
	struct gk_party *next;	     /* in its bucket, or among the free */
	struct gk_party *next_ready; /* among those with calls waiting */
};

/* Needs a lock around it. Zeroed but for parties: room for as many processes as there can be turns at once. */
struct gk_turns {
	struct gk_party *parties;
	size_t parties_used;
	struct gk_party *free, *bucket[GK_TURN_BUCKETS], *ready, **ready_last;
	size_t ready_count, waiting, working;
};

/* Queues a turn of that process. */
void gk_turns_enter(struct gk_turns *turns, struct gk_turn *turn, pid_t process);
/* The next turn of the process whose turn it is, now at work; processes that have limit calls at work are passed over. NULL when no
 * turn may begin. */
struct gk_turn *gk_turns_take(struct gk_turns *turns, size_t limit);
/* What was taken is done. */
void gk_turns_leave(struct gk_turns *turns, struct gk_turn *turn);
/* How many turns, waiting or at work, that process has. */
size_t gk_turns_of(const struct gk_turns *turns, pid_t process);

#endif
