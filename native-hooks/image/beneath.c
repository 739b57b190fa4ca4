/* Whether a hierarchy is free of stricter rules, so that it can be granted as a whole. */
#include "image/automaton.h"
#include "image/precedence.h"
#include "image/walk.h"

/* What one automaton can say about names beneath a directory. */
struct beneath {
	bool stricter; /* some name is denied, asked about or shadowed */
	bool silent;   /* some name matches nothing */
};

static struct beneath walk_beneath(const struct gk_image *image, const struct gk_automaton *automaton, uint32_t state);

/* Over several automata: a strict rule that is pierced in its own set is pierced in the union too, and a name is left to the
 * default only if every automaton is silent about it. */
bool gk_stricter_beneath(const struct gk_image *image, enum gk_action action, struct gk_slice directory) {
	const struct gk_action_record *record = &image->actions[action];
	bool covered = image->defaults[action].effect == GK_EFFECT_ALLOW;
	struct gk_cursor cursor;
	gk_cursor_enter(image, action, directory, &cursor);
	for (uint32_t i = 0; i < record->count; i++) {
		struct beneath found = walk_beneath(image, &image->automata[record->first + i], cursor.state[i]);
		if (found.stricter)
			return true;
		covered |= !found.silent;
	}
	return !covered;
}

static bool expand(const struct gk_image *image, const struct gk_automaton *automaton, uint64_t key,
		   struct gk_walk *walk, struct beneath *found) {
	uint32_t next[256];
	bool after_slash = key & 1;
	gk_automaton_successors(automaton, (uint32_t)(key >> 1), next);
	for (unsigned byte = 1; byte < 256; byte++) {
		bool slash = byte == '/';
		if (slash && after_slash)
			continue;
		uint32_t accept = gk_automaton_accept(automaton, next[byte]);
		/* A set of grants alone says nothing either. */
		if (!slash && (accept == 0 || image->outcomes[accept].verdict.rule == GK_NO_RULE))
			found->silent = true;
		else if (!slash && image->outcomes[accept].verdict.effect != GK_EFFECT_ALLOW)
			return false;
		if (!gk_walk_add(walk, (uint64_t)next[byte] << 1 | slash))
			return false;
	}
	return true;
}

static struct beneath walk_beneath(const struct gk_image *image, const struct gk_automaton *automaton, uint32_t state) {
	struct beneath found = {0};
	struct gk_walk walk;
	gk_walk_begin(&walk);
	uint64_t key = (uint64_t)state << 1 | 1;
	if (!gk_walk_add(&walk, key))
		found.stricter = true;
	while (!found.stricter && gk_walk_take(&walk, &key))
		found.stricter = !expand(image, automaton, key, &walk, &found);
	return found;
}
