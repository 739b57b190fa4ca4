#include "image/automaton.h"
#include "image/precedence.h"

struct gk_verdict gk_decide_path_without(const struct gk_image *image, enum gk_action action, struct gk_slice path,
					 uint8_t layer) {
	const struct gk_action_record *record = &image->actions[action];
	struct gk_matches matches;
	gk_matches_begin(&matches);
	for (uint32_t i = 0; i < record->count; i++) {
		const struct gk_automaton *automaton = &image->automata[record->first + i];
		uint32_t accept = gk_automaton_accept(automaton, gk_automaton_run(automaton, automaton->start, path));
		for (uint32_t n = 0; n < image->accepts[accept]; n++) {
			uint32_t rule = image->accepts[accept + 1 + n];
			if (image->files[image->rules[rule].file].layer != layer)
				gk_matches_add(&matches, image, rule);
		}
	}
	return gk_matches_resolve(&matches, image, action);
}
