/* Walking and checking the byte automata of an image. Private to the image room. */
#ifndef GK_IMAGE_AUTOMATON_H
#define GK_IMAGE_AUTOMATON_H

#include "image/layout.h"

#define GK_STATE_DENSE 0x80000000U
#define GK_STATE_ABSORBING 0x40000000U
#define GK_STATE_KEYS 0x0000ffffU

/* The state after bytes. state must be one of the automaton's. */
uint32_t gk_automaton_run(const struct gk_automaton *automaton, uint32_t state, struct gk_slice bytes);

/* The same for several automata at once; states holds one for each. */
void gk_automata_run(const struct gk_automaton *automata, uint32_t count, uint32_t *states, struct gk_slice bytes);

/* The state after each of the 256 bytes. */
void gk_automaton_successors(const struct gk_automaton *automaton, uint32_t state, uint32_t next[256]);

static inline uint32_t gk_automaton_accept(const struct gk_automaton *automaton, uint32_t state) {
	return automaton->words[state];
}

static inline bool gk_automaton_absorbs(const struct gk_automaton *automaton, uint32_t state) {
	return (automaton->words[state + 1] & GK_STATE_ABSORBING) != 0;
}

/* Moves cursor from the start to where the names strictly beneath directory begin. */
void gk_cursor_enter(const struct gk_image *image, enum gk_action action, struct gk_slice directory,
		     struct gk_cursor *cursor);

/* Reads the AUTOMATA section into image->automata, which the image owns from then on. accept_starts: one bit for each word
 * of ACCEPTS that begins a set. 0, or -EBADMSG with *why, or -ENOMEM. */
struct gk_section;
int gk_automata_read(struct gk_image *image, const struct gk_section *sections, const uint64_t *accept_starts,
		     const char **why) GK_MUST_CHECK;

#endif
