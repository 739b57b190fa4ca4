/* A bounded walk over states, or pairs of states, without allocation. Private to the image room. */
#ifndef GK_IMAGE_WALK_H
#define GK_IMAGE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#define GK_WALK_MAX 8192
#define GK_WALK_SLOTS 16384

/* Queue of all keys ever added; each once. About 100 KiB: on the stack of whoever walks. */
struct gk_walk {
	uint32_t added, taken;
	uint64_t keys[GK_WALK_MAX];
	uint16_t slots[GK_WALK_SLOTS]; /* hash table of indices into keys, plus one */
};

void gk_walk_begin(struct gk_walk *walk);
/* False when the walk is full and key is not in it. */
bool gk_walk_add(struct gk_walk *walk, uint64_t key);
/* The next key that was not taken yet; false when none is left. */
bool gk_walk_take(struct gk_walk *walk, uint64_t *key);

#endif
