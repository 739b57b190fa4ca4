/* Whether giving a tree another name changes what may be done with what lies in it. */
#include "image/automaton.h"
#include "image/precedence.h"
#include "image/walk.h"

/* Whether a name whose rules were the set from is worse off with the rules of the set to. */
typedef bool gk_loss(const struct gk_image *image, enum gk_action action, uint32_t from, uint32_t to);

static bool loosens(const struct gk_image *image, enum gk_action action, struct gk_slice source,
		    struct gk_slice destination);
static bool loses_beneath(const struct gk_image *image, enum gk_action action, struct gk_slice source,
			  struct gk_slice destination, gk_loss *loss);
static gk_loss unprotects;

bool gk_move_loosens(const struct gk_image *image, struct gk_slice source, struct gk_slice destination) {
	return loosens(image, GK_ACTION_FILE_READ, source, destination) ||
	       loosens(image, GK_ACTION_FILE_WRITE, source, destination) ||
	       loosens(image, GK_ACTION_FILE_DELETE, source, destination);
}

bool gk_alias_loosens(const struct gk_image *image, struct gk_slice name, struct gk_slice other) {
	return loosens(image, GK_ACTION_FILE_WRITE, name, other);
}

bool gk_move_unprotects(const struct gk_image *image, struct gk_slice source, struct gk_slice destination) {
	return loses_beneath(image, GK_ACTION_FILE_READ, source, destination, unprotects) ||
	       loses_beneath(image, GK_ACTION_FILE_WRITE, source, destination, unprotects) ||
	       loses_beneath(image, GK_ACTION_FILE_DELETE, source, destination, unprotects);
}

static enum gk_effect effect_of(const struct gk_image *image, enum gk_action action, uint32_t accept) {
	return accept == 0 ? image->defaults[action].effect : image->outcomes[accept].verdict.effect;
}

/* Of one automaton among several a set alone says nothing about the verdict, so any difference counts that could change an
 * effect: the rule's number cannot. A grant may end while what was moved stays. */
static bool differs(const struct gk_image *image, enum gk_action action, uint32_t from, uint32_t to) {
	if (from == to)
		return false;
	if (image->outcomes[from].granted || image->outcomes[to].granted)
		return true;
	if (image->actions[action].count == 1)
		return effect_of(image, action, to) < effect_of(image, action, from);
	struct gk_matches before, after;
	gk_matches_begin(&before);
	gk_matches_begin(&after);
	gk_matches_add_set(&before, image, from);
	gk_matches_add_set(&after, image, to);
	return !gk_matches_alike(&before, &after);
}

static bool has_protection(const struct gk_image *image, uint32_t accept) {
	const gk_word *set = image->accepts + accept;
	for (uint32_t i = 1; i <= set[0]; i++)
		if (image->rules[set[i]].flags & GK_RULE_PROTECTION)
			return true;
	return false;
}

static bool unprotects(const struct gk_image *image, enum gk_action action, uint32_t from, uint32_t to) {
	(void)action;
	return from != to && has_protection(image, from) && !has_protection(image, to);
}

/* A pair of states, and whether the name so far ends in a slash: another slash cannot follow, and it is no name yet. */
static uint64_t pair(uint32_t from, uint32_t to, bool slash) {
	return (uint64_t)from << 32 | (uint64_t)to << 1 | slash;
}

static bool expand(const struct gk_image *image, enum gk_action action, const struct gk_automaton *automaton,
		   uint64_t key, struct gk_walk *walk, gk_loss *loss) {
	uint32_t from[256], to[256];
	bool after_slash = key & 1;
	gk_automaton_successors(automaton, (uint32_t)(key >> 32), from);
	gk_automaton_successors(automaton, (uint32_t)key >> 1, to);
	for (unsigned byte = 1; byte < 256; byte++) {
		bool slash = byte == '/';
		/* The same state on both sides: no name from here on can differ. */
		if (from[byte] == to[byte] || (slash && after_slash))
			continue;
		if (!slash && loss(image, action, gk_automaton_accept(automaton, from[byte]),
				   gk_automaton_accept(automaton, to[byte])))
			return true;
		if (!gk_walk_add(walk, pair(from[byte], to[byte], slash)))
			return true;
	}
	return false;
}

static bool loses_from(const struct gk_image *image, enum gk_action action, const struct gk_automaton *automaton,
		       uint32_t from, uint32_t to, gk_loss *loss) {
	struct gk_walk walk;
	gk_walk_begin(&walk);
	uint64_t key = pair(from, to, true);
	if (!gk_walk_add(&walk, key))
		return true;
	while (gk_walk_take(&walk, &key))
		if (expand(image, action, automaton, key, &walk, loss))
			return true;
	return false;
}

static bool loosens(const struct gk_image *image, enum gk_action action, struct gk_slice source,
		    struct gk_slice destination) {
	return gk_decide_path(image, action, destination).effect < gk_decide_path(image, action, source).effect ||
	       loses_beneath(image, action, source, destination, differs);
}

static bool loses_beneath(const struct gk_image *image, enum gk_action action, struct gk_slice source,
			  struct gk_slice destination, gk_loss *loss) {
	struct gk_cursor from, to;
	gk_cursor_enter(image, action, source, &from);
	gk_cursor_enter(image, action, destination, &to);
	const struct gk_action_record *record = &image->actions[action];
	for (uint32_t i = 0; i < record->count; i++)
		if (from.state[i] != to.state[i] && loses_from(image, action, &image->automata[record->first + i],
							       from.state[i], to.state[i], loss))
			return true;
	return false;
}
