/* What rules say of connections: where that may stand, and what the supervisor leaves to the daemon for it. */
#include "test/check.h"
#include "test/image_builder.h"

static const uint8_t one_host[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};

/* Rules 0 to 3: allow, ask and deny of network, and one about files. */
static const char *terms_refused(const struct gk_terms_record *terms, size_t count, const struct gk_injection_record *injection) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	build_rule(&b, GK_ACTION_NETWORK, GK_EFFECT_ALLOW, 0, 0);
	build_rule(&b, GK_ACTION_NETWORK, GK_EFFECT_ASK, 0, 0);
	build_rule(&b, GK_ACTION_NETWORK, GK_EFFECT_DENY, 0, 0);
	build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, 0, 0);
	bytes_add(&b.section[GK_SECTION_TERMS], terms, count * sizeof(*terms));
	if (injection)
		bytes_add(&b.section[GK_SECTION_INJECTIONS], injection, sizeof(*injection));
	struct bytes bytes = build_end(&b);
	struct gk_image *image = NULL;
	const char *why = NULL;
	int error = gk_image_over(bytes.at, bytes.length, &image, &why);
	if (error == 0)
		gk_image_close(image);
	free(bytes.at);
	return error == 0 ? "" : why;
}

static void terms_are_of_rules_that_let_connect(void) {
	static const struct {
		struct gk_terms_record terms[2];
		size_t count;
		bool injects;
		struct gk_injection_record injection;
		const char *why;
	} rows[] = {
		{{{0}}, 0, false, {0}, ""},
		{{{.rule = 0, .inspect = 2}, {.rule = 1, .sni = 3}}, 2, false, {0}, ""},
		{{{.rule = 1, .sni = 3}, {.rule = 0, .inspect = 2}}, 2, false, {0}, "terms are not sorted"},
		{{{.rule = 1, .sni = 3}, {.rule = 1, .inspect = 2}}, 2, false, {0}, "terms are not sorted"},
		{{{.rule = 2, .inspect = 2}}, 1, false, {0}, "terms of a rule that has none"},
		{{{.rule = 3, .sni = 1}}, 1, false, {0}, "terms of a rule that has none"},
		{{{.rule = 4, .sni = 1}}, 1, false, {0}, "terms of a rule that does not exist"},
		{{{.rule = 0, .inspect = 3}}, 1, false, {0}, "malformed terms"},
		{{{.rule = 0, .sni = 4}}, 1, false, {0}, "malformed terms"},
		{{{.rule = 0}}, 1, false, {0}, "malformed terms"},
		{{{.rule = 0, .sni = 1, .zero = 1}}, 1, false, {0}, "malformed terms"},
		{{{.rule = 0, .inspect = 2}}, 1, true, {.rule = 0}, ""},
		{{{.rule = 0, .inspect = 1}}, 1, true, {.rule = 0}, "injection without inspection"},
		{{{.rule = 0, .inspect = 2}}, 1, true, {.rule = 1}, "injection without inspection"},
		{{{.rule = 0, .inspect = 2}}, 1, true, {.rule = 0, .source = 1}, "injection of an unknown source"},
		{{{.rule = 0, .inspect = 2}}, 1, true, {.rule = 0, .value = {1 << 20, 1}}, "injection outside the strings"},
		{{{.rule = 0, .inspect = 2}}, 1, true, {.rule = 0, .secret = {0, UINT32_MAX}}, "injection outside the strings"},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		const char *why = terms_refused(rows[i].terms, rows[i].count, rows[i].injects ? &rows[i].injection : NULL);
		CHECK(strcmp(why, rows[i].why) == 0, "row %zu: %s", i, why);
	}
}

static bool inspects(enum gk_effect effect, unsigned flags, bool inspected, int other, unsigned other_flags) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	uint32_t rule = build_rule(&b, GK_ACTION_NETWORK, effect, flags, 0);
	build_host(&b, rule, GK_HOST_RANGE, one_host, 128, 443, 443);
	if (inspected) {
		struct gk_terms_record terms = {.rule = rule, .inspect = 2};
		bytes_add(&b.section[GK_SECTION_TERMS], &terms, sizeof(terms));
	}
	if (other >= 0)
		build_host(&b, build_rule(&b, GK_ACTION_NETWORK, (enum gk_effect)other, other_flags, 0), GK_HOST_RANGE, one_host, 96,
			   0, 65535);
	struct bytes bytes = build_end(&b);
	struct gk_image *image = NULL;
	const char *why = NULL;
	CHECK(gk_image_over(bytes.at, bytes.length, &image, &why) == 0, "the test's own image is refused: %s", why);
	bool may = image && gk_may_inspect(image, one_host, 443);
	CHECK(image && !gk_may_inspect(image, one_host, 80), "another port");
	gk_image_close(image);
	free(bytes.at);
	return may;
}

static void what_is_inspected_is_left_to_the_daemon(void) {
	static const struct {
		enum gk_effect effect;
		unsigned flags;
		bool inspected;
		int other;
		unsigned other_flags;
		bool may;
	} rows[] = {
		{GK_EFFECT_ALLOW, 0, true, -1, 0, true},
		{GK_EFFECT_ALLOW, 0, false, -1, 0, false},
		{GK_EFFECT_ALLOW, GK_RULE_METHODS, true, -1, 0, true},
		{GK_EFFECT_ALLOW, GK_RULE_METHODS, false, -1, 0, false},
		{GK_EFFECT_ASK, GK_RULE_REQUEST_PATHS, true, -1, 0, true},
		{GK_EFFECT_ALLOW, GK_RULE_METHODS, true, GK_EFFECT_DENY, 0, false},
		{GK_EFFECT_ALLOW, GK_RULE_METHODS, true, GK_EFFECT_DENY, GK_RULE_METHODS, true},
		{GK_EFFECT_ALLOW, GK_RULE_METHODS, true, GK_EFFECT_SHADOW, 0, false},
		{GK_EFFECT_ALLOW, GK_RULE_METHODS | GK_RULE_OVERRIDE, true, GK_EFFECT_DENY, 0, true},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		CHECK(inspects(rows[i].effect, rows[i].flags, rows[i].inspected, rows[i].other, rows[i].other_flags) == rows[i].may,
		      "row %zu", i);
}

int main(void) {
	terms_are_of_rules_that_let_connect();
	what_is_inspected_is_left_to_the_daemon();
	return gk_check_status();
}
