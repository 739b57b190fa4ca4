#include "image/automaton.h"
#include "image/precedence.h"

/* A bare name must not vouch for a program that the run itself may have put there; naming it by path, or naming any program,
 * still does, and strict rules hold everywhere. */
static bool vouches_in_vain(const struct gk_rule_record *rule) {
	return rule->effect <= GK_EFFECT_SHADOW && !(rule->flags & GK_RULE_ANY_PROGRAM);
}

struct gk_verdict gk_decide_command(const struct gk_image *image, struct gk_slice base, struct gk_slice path,
				    bool writable_place) {
	const struct gk_action_record *record = &image->actions[GK_ACTION_SHELL_EXEC];
	struct gk_matches matches;
	gk_matches_begin(&matches);
	for (uint32_t i = 0; i < record->count; i++) {
		const struct gk_automaton *automaton = &image->automata[record->first + i];
		bool bare = automaton->kind == GK_AUTOMATON_COMMAND_BASE;
		uint32_t state = gk_automaton_run(automaton, automaton->start, bare ? base : path);
		const gk_word *set = image->accepts + gk_automaton_accept(automaton, state);
		for (uint32_t j = 1; j <= set[0]; j++)
			if (!(bare && writable_place && vouches_in_vain(&image->rules[set[j]])))
				gk_matches_add(&matches, image, set[j]);
	}
	return gk_matches_resolve(&matches, image, GK_ACTION_SHELL_EXEC);
}
