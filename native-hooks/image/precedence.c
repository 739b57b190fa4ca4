#include "image/precedence.h"

#include <time.h>

void gk_matches_begin(struct gk_matches *matches) {
	memset(matches->files, 0, sizeof(matches->files));
	memset(matches->pierces, 0, sizeof(matches->pierces));
	matches->hides = 0;
	matches->grant = GK_NO_RULE;
}

/* The clock is looked at here and now: a supervisor whose daemon is gone ends a grant in time. */
static bool stands(const struct gk_rule_record *grant) {
	struct timespec now;
	return grant->until == 0 || (clock_gettime(CLOCK_BOOTTIME, &now) == 0 && now.tv_sec < (time_t)grant->until);
}

void gk_matches_add(struct gk_matches *matches, const struct gk_image *image, uint32_t rule) {
	const struct gk_rule_record *record = &image->rules[rule];
	if (gk_is_grant(image, rule)) {
		if (rule < matches->grant && stands(record))
			matches->grant = rule;
		return;
	}
	uint64_t file = 1ULL << record->file;
	uint32_t *lowest = &matches->lowest[record->effect][record->file];
	if (!(matches->files[record->effect] & file) || rule < *lowest)
		*lowest = rule;
	matches->files[record->effect] |= file;
	if (record->flags & GK_RULE_HIDE)
		matches->hides |= file;
	if (record->flags & GK_RULE_OVERRIDE)
		matches->pierces[record->effect] |= image->files[record->file].pierces;
}

void gk_matches_add_set(struct gk_matches *matches, const struct gk_image *image, uint32_t accept) {
	const gk_word *set = image->accepts + accept;
	for (uint32_t i = 1; i <= set[0]; i++)
		gk_matches_add(matches, image, set[i]);
}

bool gk_matches_add_ungranted(struct gk_matches *matches, const struct gk_image *image, uint32_t accept) {
	bool granted = false;
	const gk_word *set = image->accepts + accept;
	for (uint32_t i = 1; i <= set[0]; i++) {
		if (gk_is_grant(image, set[i]))
			granted = true;
		else
			gk_matches_add(matches, image, set[i]);
	}
	return granted;
}

/* The lowest rule of effect in one of files, or GK_NO_RULE. */
static uint32_t lowest_rule(const struct gk_matches *matches, unsigned effect, uint64_t files) {
	uint32_t lowest = GK_NO_RULE;
	for (uint64_t left = matches->files[effect] & files; left; left &= left - 1) {
		uint32_t rule = matches->lowest[effect][__builtin_ctzll(left)];
		if (rule < lowest)
			lowest = rule;
	}
	return lowest;
}

/* Files whose rules of effect are pierced by a matching override that is less strict. */
static uint64_t pierced_files(const struct gk_matches *matches, unsigned effect) {
	uint64_t files = 0;
	for (unsigned below = 0; below < effect; below++)
		files |= matches->pierces[below];
	return files;
}

static uint32_t strictest_pierced_by(const struct gk_matches *matches, const struct gk_image *image, uint32_t winner) {
	const struct gk_rule_record *record = &image->rules[winner];
	if (!(record->flags & GK_RULE_OVERRIDE))
		return GK_NO_RULE;
	for (unsigned effect = GK_EFFECT_COUNT - 1; effect > record->effect; effect--) {
		uint32_t rule = lowest_rule(matches, effect, image->files[record->file].pierces);
		if (rule != GK_NO_RULE)
			return rule;
	}
	return GK_NO_RULE;
}

/* What it answers is what it pierced. Whether helpers are judged by themselves is for either to demand. */
static struct gk_verdict by_grant(const struct gk_image *image, uint32_t grant, uint32_t asked) {
	struct gk_verdict verdict = gk_verdict_of_rule(image, grant, asked);
	verdict.check_children |= (image->rules[asked].flags & GK_RULE_CHECK_CHILDREN) != 0;
	return verdict;
}

struct gk_verdict gk_matches_resolve(const struct gk_matches *matches, const struct gk_image *image,
				     enum gk_action action) {
	uint32_t asked = GK_NO_RULE;
	for (unsigned effect = GK_EFFECT_COUNT; effect-- > 0;) {
		uint64_t left = ~pierced_files(matches, effect);
		uint32_t rule = lowest_rule(matches, effect, left);
		if (rule != GK_NO_RULE && effect == GK_EFFECT_ASK && matches->grant != GK_NO_RULE) {
			asked = rule;
			continue;
		}
		if (rule == GK_NO_RULE || (asked != GK_NO_RULE && effect == GK_EFFECT_ALLOW))
			continue;
		struct gk_verdict verdict = gk_verdict_of_rule(image, rule, strictest_pierced_by(matches, image, rule));
		verdict.hide = effect == GK_EFFECT_DENY && (matches->hides & left) != 0;
		return verdict;
	}
	return asked != GK_NO_RULE ? by_grant(image, matches->grant, asked) : image->defaults[action];
}

bool gk_matches_alike(const struct gk_matches *a, const struct gk_matches *b) {
	return memcmp(a->files, b->files, sizeof(a->files)) == 0 && memcmp(a->pierces, b->pierces, sizeof(a->pierces)) == 0;
}

struct gk_verdict gk_verdict_of_rule(const struct gk_image *image, uint32_t rule, uint32_t pierced) {
	const struct gk_rule_record *record = &image->rules[rule];
	bool refuses = record->effect >= GK_EFFECT_ASK;
	return (struct gk_verdict){
		.effect = (enum gk_effect)record->effect,
		.source = record->flags & GK_RULE_PROTECTION ? GK_SOURCE_PROTECTION : GK_SOURCE_RULE,
		.rule = rule,
		.pierced = pierced,
		.image = image,
		.log = refuses || (record->flags & GK_RULE_LOG),
		.check_children = (record->flags & GK_RULE_CHECK_CHILDREN) != 0,
	};
}

/* Helpers inherit only from a rule that named the command, so a default never vouches for them. */
struct gk_verdict gk_verdict_of_default(const struct gk_image *image, const struct gk_action_record *record) {
	return (struct gk_verdict){
		.effect = (enum gk_effect)record->effect,
		.source = GK_SOURCE_DEFAULT,
		.rule = GK_NO_RULE,
		.pierced = GK_NO_RULE,
		.image = image,
		.log = record->effect >= GK_EFFECT_ASK || record->log != 0,
		.check_children = true,
	};
}
