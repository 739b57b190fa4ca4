#include "image/walk.h"

#include <string.h>

void gk_walk_begin(struct gk_walk *walk) {
	walk->added = walk->taken = 0;
	memset(walk->slots, 0, sizeof(walk->slots));
}

bool gk_walk_add(struct gk_walk *walk, uint64_t key) {
	/* Fibonacci hashing; the table is at most half full, so a free slot is always found. */
	uint32_t slot = (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> 50);
	for (; walk->slots[slot] != 0; slot = (slot + 1) % GK_WALK_SLOTS)
		if (walk->keys[walk->slots[slot] - 1] == key)
			return true;
	if (walk->added == GK_WALK_MAX)
		return false;
	walk->keys[walk->added++] = key;
	walk->slots[slot] = (uint16_t)walk->added;
	return true;
}

bool gk_walk_take(struct gk_walk *walk, uint64_t *key) {
	if (walk->taken == walk->added)
		return false;
	*key = walk->keys[walk->taken++];
	return true;
}

_Static_assert(GK_WALK_SLOTS == 1 << (64 - 50) && GK_WALK_SLOTS >= 2 * GK_WALK_MAX, "the hash fits the table");
