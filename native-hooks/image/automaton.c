#include "image/automaton.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Linear up to here: the branches are predicted, so the next state's load does not wait for the comparison. */
#define LINEAR_KEYS 8

static uint32_t find_key(const uint8_t *keys, uint32_t count, uint8_t byte) {
	if (count <= LINEAR_KEYS) {
		for (uint32_t i = 0; i < count; i++)
			if (keys[i] == byte)
				return i;
		return count;
	}
	uint32_t low = 0, high = count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (keys[middle] < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && keys[low] == byte ? low : count;
}

/* The state after a piece that has a slash at its end or none at all. Most states wait for the next slash, and need no look at
 * the bytes before it. */
static uint32_t feed(const struct gk_automaton *automaton, uint32_t state, const uint8_t *at, const uint8_t *end) {
	const gk_word *words = automaton->words;
	while (at < end) {
		const gk_word *here = words + state;
		uint32_t head = here[1];
		if (head & GK_STATE_ABSORBING)
			return state;
		if (head & GK_STATE_DENSE) {
			state = here[2 + automaton->class_map[*at++]];
			continue;
		}
		uint32_t count = head & GK_STATE_KEYS, other = here[2];
		const uint8_t *keys = (const uint8_t *)(here + 3);
		if (count == 1 && other == state && keys[0] == '/')
			return end[-1] == '/' ? here[4] : state;
		uint32_t found = find_key(keys, count, *at++);
		state = found == count ? other : here[3 + (count + 3) / 4 + found];
	}
	return state;
}

/* Where the slashes of a block of 64 bytes are, one bit a byte: finding one costs neither a look at each byte nor a branch that
 * hangs on how long a name is. */
static uint64_t mark_slashes(const uint8_t *at, size_t length) {
	uint64_t bits = 0;
	size_t i = 0;
	if (length > 64)
		length = 64;
#ifdef __SSE2__
	const __m128i slash = _mm_set1_epi8('/');
	for (; i + 16 <= length; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i_u *)(const void *)(at + i));
		bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, slash)) << i;
	}
#endif
	for (; i < length; i++)
		bits |= (uint64_t)(at[i] == '/') << i;
	return bits;
}

/* False when no automaton can leave its state any more. */
static bool feed_all(const struct gk_automaton *automata, uint32_t count, uint32_t *states, const uint8_t *at,
		     const uint8_t *end) {
	bool moving = false;
	for (uint32_t i = 0; i < count; i++) {
		states[i] = feed(&automata[i], states[i], at, end);
		moving |= !gk_automaton_absorbs(&automata[i], states[i]);
	}
	return moving;
}

/* All automata take each name before the next, so that the processor overlaps their walks, which wait for memory. */
void gk_automata_run(const struct gk_automaton *automata, uint32_t count, uint32_t *states, struct gk_slice bytes) {
	size_t at = 0;
	for (size_t block = 0; block < bytes.length; block += 64) {
		uint64_t slashes = mark_slashes(bytes.at + block, bytes.length - block);
		for (; slashes; slashes &= slashes - 1) {
			size_t end = block + (size_t)__builtin_ctzll(slashes) + 1;
			if (!feed_all(automata, count, states, bytes.at + at, bytes.at + end))
				return;
			at = end;
		}
	}
	if (at < bytes.length)
		feed_all(automata, count, states, bytes.at + at, bytes.at + bytes.length);
}

uint32_t gk_automaton_run(const struct gk_automaton *automaton, uint32_t state, struct gk_slice bytes) {
	gk_automata_run(automaton, 1, &state, bytes);
	return state;
}

void gk_automaton_successors(const struct gk_automaton *automaton, uint32_t state, uint32_t next[256]) {
	const gk_word *here = automaton->words + state;
	if (here[1] & GK_STATE_DENSE) {
		for (unsigned byte = 0; byte < 256; byte++)
			next[byte] = here[2 + automaton->class_map[byte]];
		return;
	}
	for (unsigned byte = 0; byte < 256; byte++)
		next[byte] = here[2];
	uint32_t count = here[1] & GK_STATE_KEYS;
	const uint8_t *keys = (const uint8_t *)(here + 3);
	for (uint32_t i = 0; i < count; i++)
		next[keys[i]] = here[3 + (count + 3) / 4 + i];
}
