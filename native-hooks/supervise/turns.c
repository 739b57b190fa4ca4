#include "supervise/turns.h"

static struct gk_party *find(const struct gk_turns *turns, pid_t process) {
	struct gk_party *party = turns->bucket[(unsigned)process % GK_TURN_BUCKETS];
	while (party != NULL && party->process != process)
		party = party->next;
	return party;
}

static struct gk_party *admit(struct gk_turns *turns, pid_t process) {
	struct gk_party *party = turns->free;
	if (party != NULL)
		turns->free = party->next;
	else
		party = &turns->parties[turns->parties_used++];
	struct gk_party **bucket = &turns->bucket[(unsigned)process % GK_TURN_BUCKETS];
	*party = (struct gk_party){.process = process, .next = *bucket};
	party->last = &party->first;
	*bucket = party;
	return party;
}

static void dismiss(struct gk_turns *turns, struct gk_party *party) {
	struct gk_party **link = &turns->bucket[(unsigned)party->process % GK_TURN_BUCKETS];
	while (*link != party)
		link = &(*link)->next;
	*link = party->next;
	party->next = turns->free;
	turns->free = party;
}

static void make_ready(struct gk_turns *turns, struct gk_party *party) {
	if (turns->ready == NULL)
		turns->ready_last = &turns->ready;
	party->next_ready = NULL;
	*turns->ready_last = party;
	turns->ready_last = &party->next_ready;
	turns->ready_count++;
}

static struct gk_party *next_ready(struct gk_turns *turns) {
	struct gk_party *party = turns->ready;
	turns->ready = party->next_ready;
	turns->ready_count--;
	return party;
}

void gk_turns_enter(struct gk_turns *turns, struct gk_turn *turn, pid_t process) {
	struct gk_party *party = find(turns, process);
	if (party == NULL)
		party = admit(turns, process);
	*turn = (struct gk_turn){.party = party};
	*party->last = turn;
	party->last = &turn->next;
	turns->waiting++;
	if (party->waiting++ == 0)
		make_ready(turns, party);
}

struct gk_turn *gk_turns_take(struct gk_turns *turns, size_t limit) {
	for (size_t left = turns->ready_count; left > 0; left--) {
		struct gk_party *party = next_ready(turns);
		if (party->working >= limit) {
			make_ready(turns, party);
			continue;
		}
		struct gk_turn *turn = party->first;
		party->first = turn->next;
		if (party->first == NULL)
			party->last = &party->first;
		turns->waiting--;
		turns->working++;
		party->working++;
		if (--party->waiting > 0)
			make_ready(turns, party);
		return turn;
	}
	return NULL;
}

void gk_turns_leave(struct gk_turns *turns, struct gk_turn *turn) {
	struct gk_party *party = turn->party;
	turns->working--;
	if (--party->working == 0 && party->waiting == 0)
		dismiss(turns, party);
}

size_t gk_turns_of(const struct gk_turns *turns, pid_t process) {
	const struct gk_party *party = find(turns, process);
	return party == NULL ? 0 : party->waiting + party->working;
}
