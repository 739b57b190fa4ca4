#include "image/region.h"
#include "image/tables.h"
#include "image/terms.h"

static bool all_zero(const void *bytes, size_t length) {
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		if (at[i] != 0)
			return false;
	return true;
}

/* A text that will be handed to the kernel as a path. */
static bool path_fits(const struct gk_image *image, struct gk_text_record text) {
	if (!gk_text_fits(image, text))
		return false;
	struct gk_slice path = gk_text(image, text);
	return path.length > 0 && path.at[0] == '/' && !memchr(path.at, 0, path.length);
}

static const char *check_files(const struct gk_image *image) {
	uint64_t protected = 0;
	for (uint32_t i = 0; i < image->file_count; i++)
		if (image->files[i].layer == 0)
			protected |= 1ULL << i;
	uint64_t existing = image->file_count == 64 ? UINT64_MAX : (1ULL << image->file_count) - 1;
	for (uint32_t i = 0; i < image->file_count; i++) {
		const struct gk_file_record *file = &image->files[i];
		if (!gk_text_fits(image, file->name))
			return "file name outside the strings";
		if (file->layer > GK_LAYER_GRANTS)
			return "file of an unknown layer";
		if (file->layer == GK_LAYER_GRANTS && file->pierces != 0)
			return "grants that pierce a file";
		if (file->pierces & ~existing)
			return "file that pierces a file that does not exist";
		if (file->pierces & protected)
			return "file that pierces the built-in protection";
		if (!all_zero(file->zero, sizeof(file->zero)) || file->zero2 != 0)
			return "reserved bytes are not zero";
	}
	return NULL;
}

/* A grant answers what asks, and is nothing more; nothing else ends. */
static const char *check_grant(const struct gk_image *image, uint32_t index) {
	const unsigned of_grants = GK_RULE_LOG | GK_RULE_CHECK_CHILDREN | GK_RULE_ANY_PROGRAM;
	const struct gk_rule_record *rule = &image->rules[index];
	if (!gk_is_grant(image, index))
		return rule->until != 0 ? "rule that ends and is no grant" : NULL;
	return rule->effect != GK_EFFECT_ALLOW || (rule->flags & ~of_grants) ? "grant that is more than an answer" : NULL;
}

static const char *check_rules(const struct gk_image *image) {
	const unsigned known = GK_RULE_OVERRIDE | GK_RULE_LOG | GK_RULE_CHECK_CHILDREN | GK_RULE_HIDE |
			       GK_RULE_ANY_PROGRAM | GK_RULE_PROTECTION | GK_RULE_METHODS | GK_RULE_REQUEST_PATHS;
	for (uint32_t i = 0; i < image->rule_count; i++) {
		const struct gk_rule_record *rule = &image->rules[i];
		if (rule->action >= GK_ACTION_COUNT || rule->effect > GK_EFFECT_DENY || (rule->flags & ~known))
			return "rule with an unknown action, effect or flag";
		if (rule->file >= image->file_count)
			return "rule of a file that does not exist";
		if ((rule->flags & GK_RULE_PROTECTION) && image->files[rule->file].layer != 0)
			return "rule outside the built-in layer that claims to be protection";
		if ((rule->flags & GK_RULE_HIDE) && (rule->action != GK_ACTION_FILE_READ || rule->effect != GK_EFFECT_DENY))
			return "rule that hides and denies no reading";
		if ((rule->flags & (GK_RULE_METHODS | GK_RULE_REQUEST_PATHS)) && rule->action != GK_ACTION_NETWORK)
			return "rule about requests that is not of network";
		if (!gk_text_fits(image, rule->reason) || !gk_text_fits(image, rule->label) || !gk_text_fits(image, rule->pattern) ||
		    !gk_text_fits(image, rule->methods))
			return "rule text outside the strings";
		const char *wrong = check_grant(image, i);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *check_hosts(const struct gk_image *image) {
	for (uint32_t i = 0; i < image->host_count; i++) {
		const struct gk_host_record *host = &image->hosts[i];
		if (host->rule >= image->rule_count || image->rules[host->rule].action != GK_ACTION_NETWORK)
			return "host entry without a network rule";
		if (host->kind > GK_HOST_LOCALHOST || host->prefix > 128 || host->low > host->high)
			return "malformed host entry";
		if (!gk_text_fits(image, host->host))
			return "host name outside the strings";
		if (!all_zero(host->zero, sizeof(host->zero)) || !all_zero(host->zero2, sizeof(host->zero2)))
			return "reserved bytes are not zero";
	}
	return NULL;
}

static const char *check_floor(const struct gk_image *image) {
	for (uint32_t i = 0; i < image->floor_count; i++) {
		const struct gk_floor_record *floor = &image->floor[i];
		if (!path_fits(image, floor->path))
			return "floor entry without an absolute path";
		if (floor->access & ~(uint32_t)(GK_FLOOR_READ | GK_FLOOR_WRITE | GK_FLOOR_EXECUTE))
			return "floor entry with an unknown access";
		if (floor->zero != 0)
			return "reserved bytes are not zero";
	}
	return NULL;
}

static const char *check_roots(const struct gk_image *image, const struct gk_section *section) {
	if (section->count != GK_ROOT_TMP_REAL + 1)
		return "wrong number of roots";
	for (unsigned i = 0; i < section->count; i++)
		if (!path_fits(image, image->roots[i]))
			return "root that is not an absolute path";
	return NULL;
}

static const char *check_launchers(const struct gk_image *image) {
	for (uint32_t i = 0; i < image->launcher_count; i++) {
		if (!gk_text_fits(image, image->launchers[i]))
			return "launcher outside the strings";
		if (i == 0)
			continue;
		struct gk_slice before = gk_text(image, image->launchers[i - 1]), here = gk_text(image, image->launchers[i]);
		if (gk_slice_compare(before, here) >= 0)
			return "launchers are not sorted";
	}
	return NULL;
}

const char *gk_tables_read(struct gk_image *image, const struct gk_section *sections) {
	image->strings = gk_slice(sections[GK_SECTION_STRINGS].at, sections[GK_SECTION_STRINGS].length);
	image->files = (const void *)sections[GK_SECTION_FILES].at;
	image->file_count = sections[GK_SECTION_FILES].count;
	image->rules = (const void *)sections[GK_SECTION_RULES].at;
	image->rule_count = sections[GK_SECTION_RULES].count;
	image->actions = (const void *)sections[GK_SECTION_ACTIONS].at;
	image->accepts = (const void *)sections[GK_SECTION_ACCEPTS].at;
	image->accept_words = sections[GK_SECTION_ACCEPTS].count;
	image->hosts = (const void *)sections[GK_SECTION_HOSTS].at;
	image->host_count = sections[GK_SECTION_HOSTS].count;
	image->floor = (const void *)sections[GK_SECTION_FLOOR].at;
	image->floor_count = sections[GK_SECTION_FLOOR].count;
	image->region = (const void *)sections[GK_SECTION_REGION].at;
	image->region_count = sections[GK_SECTION_REGION].count;
	image->terms = (const void *)sections[GK_SECTION_TERMS].at;
	image->terms_count = sections[GK_SECTION_TERMS].count;
	image->injections = (const void *)sections[GK_SECTION_INJECTIONS].at;
	image->injection_count = sections[GK_SECTION_INJECTIONS].count;
	image->roots = (const void *)sections[GK_SECTION_ROOTS].at;
	image->launchers = (const void *)sections[GK_SECTION_LAUNCHERS].at;
	image->launcher_count = sections[GK_SECTION_LAUNCHERS].count;
	if (image->file_count > GK_IMAGE_MAX_FILES)
		return "too many files";
	if (image->rule_count > GK_IMAGE_MAX_RULES)
		return "too many rules";
	const char *wrong = check_files(image);
	if (!wrong)
		wrong = check_rules(image);
	if (!wrong)
		wrong = check_hosts(image);
	if (!wrong)
		wrong = gk_terms_check(image);
	if (!wrong)
		wrong = check_floor(image);
	if (!wrong)
		wrong = gk_region_check(image);
	if (!wrong)
		wrong = check_roots(image, &sections[GK_SECTION_ROOTS]);
	return wrong ? wrong : check_launchers(image);
}

const char *gk_actions_check(const struct gk_image *image, const struct gk_section *sections) {
	const struct gk_automaton_record *automata = (const void *)sections[GK_SECTION_AUTOMATA].at;
	if (sections[GK_SECTION_ACTIONS].count != GK_ACTION_COUNT)
		return "wrong number of actions";
	for (unsigned i = 0; i < GK_ACTION_COUNT; i++) {
		const struct gk_action_record *action = &image->actions[i];
		if (action->effect > GK_EFFECT_DENY || action->stated > 1 || action->log > 1 || action->zero != 0)
			return "malformed action";
		if (action->rule != UINT32_MAX && action->rule >= image->rule_count)
			return "action whose default is stated by no rule";
		if (action->count > GK_CURSOR_AUTOMATA)
			return "action with too many automata";
		if (action->first > image->automaton_count || action->count > image->automaton_count - action->first)
			return "action whose automata do not exist";
		for (uint32_t j = 0; j < action->count; j++)
			if (automata[action->first + j].action != i)
				return "action with an automaton of another action";
	}
	return NULL;
}

const char *gk_accepts_check(const struct gk_image *image, uint64_t *starts) {
	if (image->accept_words == 0 || image->accepts[0] != 0)
		return "accept sets do not begin with the empty set";
	for (uint32_t at = 0; at < image->accept_words;) {
		const gk_word *set = image->accepts + at;
		uint32_t count = set[0];
		if (count > image->accept_words - at - 1)
			return "accept set outside its section";
		if (count == 0 && at != 0)
			return "second empty accept set";
		for (uint32_t i = 1; i <= count; i++) {
			if (set[i] >= image->rule_count)
				return "accept set with a rule that does not exist";
			if (i > 1 && set[i - 1] >= set[i])
				return "accept set that is not sorted";
		}
		starts[at / 64] |= 1ULL << (at % 64);
		at += count + 1;
	}
	return NULL;
}
