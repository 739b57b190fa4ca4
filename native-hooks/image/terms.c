#include "image/terms.h"

static const struct gk_terms_record *terms_of(const struct gk_image *image, uint32_t rule) {
	uint32_t low = 0, high = image->terms_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (image->terms[middle].rule == rule)
			return &image->terms[middle];
		if (image->terms[middle].rule < rule)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool gk_rule_inspects(const struct gk_image *image, uint32_t rule) {
	const struct gk_terms_record *terms = terms_of(image, rule);
	return terms && terms->inspect == GK_INSPECT_YES;
}

static bool can_have_terms(const struct gk_image *image, uint32_t rule) {
	const struct gk_rule_record *record = &image->rules[rule];
	return record->action == GK_ACTION_NETWORK && (record->effect == GK_EFFECT_ALLOW || record->effect == GK_EFFECT_ASK) &&
	       !gk_is_grant(image, rule);
}

/* What the texts may say is the daemon's business, which uses them. */
static const char *check_injections(const struct gk_image *image) {
	if (image->injection_count > GK_IMAGE_MAX_INJECTIONS)
		return "too many injections";
	for (uint32_t i = 0; i < image->injection_count; i++) {
		const struct gk_injection_record *injection = &image->injections[i];
		if (i > 0 && injection->rule < image->injections[i - 1].rule)
			return "injections are not sorted";
		if (injection->source != 0)
			return "injection of an unknown source";
		if (!gk_rule_inspects(image, injection->rule))
			return "injection without inspection";
		if (!gk_text_fits(image, injection->header) || !gk_text_fits(image, injection->value) ||
		    !gk_text_fits(image, injection->secret))
			return "injection outside the strings";
	}
	return NULL;
}

const char *gk_terms_check(const struct gk_image *image) {
	for (uint32_t i = 0; i < image->terms_count; i++) {
		const struct gk_terms_record *terms = &image->terms[i];
		if (i > 0 && terms->rule <= image->terms[i - 1].rule)
			return "terms are not sorted";
		if (terms->rule >= image->rule_count)
			return "terms of a rule that does not exist";
		if (!can_have_terms(image, terms->rule))
			return "terms of a rule that has none";
		if (terms->inspect > GK_INSPECT_YES || terms->sni > GK_SNI_REQUIRED || terms->zero != 0 ||
		    (terms->inspect == 0 && terms->sni == 0))
			return "malformed terms";
	}
	return check_injections(image);
}
