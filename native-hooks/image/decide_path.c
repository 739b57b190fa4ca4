#include "image/automaton.h"
#include "image/precedence.h"

static struct gk_verdict of_states(const struct gk_image *image, enum gk_action action, const uint32_t *states);

struct gk_verdict gk_decide_path(const struct gk_image *image, enum gk_action action, struct gk_slice path) {
	const struct gk_action_record *record = &image->actions[action];
	const struct gk_automaton *automata = image->automata + record->first;
	uint32_t states[GK_CURSOR_AUTOMATA];
	for (uint32_t i = 0; i < record->count; i++)
		states[i] = automata[i].start;
	gk_automata_run(automata, record->count, states, path);
	return of_states(image, action, states);
}

void gk_cursor_start(const struct gk_image *image, enum gk_action action, struct gk_cursor *cursor) {
	const struct gk_action_record *record = &image->actions[action];
	cursor->action = action;
	for (uint32_t i = 0; i < record->count; i++)
		cursor->state[i] = image->automata[record->first + i].start;
}

void gk_cursor_feed(const struct gk_image *image, struct gk_cursor *cursor, struct gk_slice bytes) {
	const struct gk_action_record *record = &image->actions[cursor->action];
	gk_automata_run(image->automata + record->first, record->count, cursor->state, bytes);
}

void gk_cursor_enter(const struct gk_image *image, enum gk_action action, struct gk_slice directory,
		     struct gk_cursor *cursor) {
	gk_cursor_start(image, action, cursor);
	gk_cursor_feed(image, cursor, directory);
	/* The root is the one directory whose canonical form ends in a slash. */
	if (directory.length == 0 || directory.at[directory.length - 1] != '/')
		gk_cursor_feed(image, cursor, gk_slice_of("/"));
}

struct gk_verdict gk_cursor_verdict(const struct gk_image *image, const struct gk_cursor *cursor) {
	return of_states(image, cursor->action, cursor->state);
}

/* The verdict of one set is known beforehand; only rules from several automata, and grants, are weighed here. */
static struct gk_verdict of_states(const struct gk_image *image, enum gk_action action, const uint32_t *states) {
	const struct gk_action_record *record = &image->actions[action];
	const struct gk_automaton *automata = image->automata + record->first;
	uint32_t only = 0, matching = 0;
	for (uint32_t i = 0; i < record->count; i++) {
		uint32_t accept = gk_automaton_accept(&automata[i], states[i]);
		only = accept != 0 ? accept : only;
		matching += accept != 0;
	}
	if (matching == 0)
		return image->defaults[action];
	if (matching == 1 && !image->outcomes[only].granted)
		return image->outcomes[only].verdict;
	struct gk_matches matches;
	gk_matches_begin(&matches);
	for (uint32_t i = 0; i < record->count; i++)
		gk_matches_add_set(&matches, image, gk_automaton_accept(&automata[i], states[i]));
	return gk_matches_resolve(&matches, image, action);
}
