/* Precedence, commands, addresses and moves over images that test/image_builder.h makes. */
#include "image/address.h"
#include "test/check.h"
#include "test/image_builder.h"

#include <errno.h>

#define ALL_PORTS 0, 65535

struct opened {
	struct bytes bytes;
	struct gk_image *image;
};

static struct opened finish(struct builder *b) {
	struct opened o = {.bytes = build_end(b)};
	const char *why = NULL;
	int error = gk_image_over(o.bytes.at, o.bytes.length, &o.image, &why);
	if (error < 0) {
		fprintf(stderr, "the test's own image is refused: %s (%d)\n", why ? why : "?", error);
		exit(2);
	}
	return o;
}

static void drop(struct opened *o) {
	gk_image_close(o->image);
	free(o->bytes.at);
}

static struct gk_verdict read_of(const struct opened *o, const char *path) {
	return gk_decide_path(o->image, GK_ACTION_FILE_READ, gk_slice_of(path));
}

#define EXPECT(verdict, wanted_effect, wanted_source, wanted_rule, wanted_pierced, wanted_log)                         \
	do {                                                                                                           \
		struct gk_verdict v = (verdict);                                                                       \
		CHECK(v.effect == (wanted_effect) && v.source == (wanted_source) && v.rule == (uint32_t)(wanted_rule) && \
			      v.pierced == (uint32_t)(wanted_pierced) && v.log == (wanted_log),                        \
		      "got effect %d source %d rule %d pierced %d log %d", (int)v.effect, (int)v.source, (int)v.rule, \
		      (int)v.pierced, v.log);                                                                          \
	} while (0)

static void strictest_rule_wins_and_defaults_speak(size_t dense_from) {
	struct builder b;
	build_begin(&b);
	b.dense_from = dense_from;
	build_file(&b, 0, 0);
	build_file(&b, 3, 2);
	b.actions[GK_ACTION_FILE_WRITE].effect = GK_EFFECT_ALLOW;
	b.actions[GK_ACTION_FILE_WRITE].log = 1;
	uint32_t protection = build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, GK_RULE_PROTECTION, 0, "/keys/**");
	uint32_t allow = build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, 0, 1, "/p/**");
	uint32_t logged = build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, GK_RULE_LOG, 1, "/l/**");
	uint32_t deny = build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 1, "**/.env");
	uint32_t shadow = build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_SHADOW, 0, 1, "/p/s*");
	uint32_t ask = build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ASK, 0, 1, "/p/sa*");
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, GK_RULE_OVERRIDE, 1, "/keys/public");
	struct opened o = finish(&b);
	EXPECT(read_of(&o, "/p/a"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, allow, GK_NO_RULE, false);
	EXPECT(read_of(&o, "/l/a"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, logged, GK_NO_RULE, true);
	EXPECT(read_of(&o, "/p/.env"), GK_EFFECT_DENY, GK_SOURCE_RULE, deny, GK_NO_RULE, true);
	EXPECT(read_of(&o, "/p/.envx"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, allow, GK_NO_RULE, false);
	EXPECT(read_of(&o, "/q"), GK_EFFECT_DENY, GK_SOURCE_DEFAULT, GK_NO_RULE, GK_NO_RULE, true);
	EXPECT(read_of(&o, "/p/sx"), GK_EFFECT_SHADOW, GK_SOURCE_RULE, shadow, GK_NO_RULE, false);
	EXPECT(read_of(&o, "/p/sa"), GK_EFFECT_ASK, GK_SOURCE_RULE, ask, GK_NO_RULE, true);
	EXPECT(read_of(&o, "/p/sa/b"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, allow, GK_NO_RULE, false);
	/* An override of another file lifts nothing of the built-in layer. */
	EXPECT(read_of(&o, "/keys/public"), GK_EFFECT_DENY, GK_SOURCE_PROTECTION, protection, GK_NO_RULE, true);
	EXPECT(gk_decide_path(o.image, GK_ACTION_FILE_WRITE, gk_slice_of("/x")), GK_EFFECT_ALLOW, GK_SOURCE_DEFAULT,
	       GK_NO_RULE, GK_NO_RULE, true);
	EXPECT(gk_decide_path(o.image, GK_ACTION_UNIX_SOCKET, gk_slice_of("/x")), GK_EFFECT_DENY, GK_SOURCE_DEFAULT,
	       GK_NO_RULE, GK_NO_RULE, true);
	drop(&o);
}

static void overrides_pierce_their_own_chain_only(unsigned groups) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1 << 0 | 1 << 1); /* extends file 1 */
	build_file(&b, 3, 1 << 1);
	build_file(&b, 4, 1 << 2);
	static const struct {
		enum gk_effect effect;
		unsigned flags;
		uint8_t file;
		const char *pattern;
	} rules[] = {
		{GK_EFFECT_ALLOW, GK_RULE_OVERRIDE, 0, "/a*"}, /* 0 */
		{GK_EFFECT_DENY, 0, 1, "/*a"},		       /* 1 */
		{GK_EFFECT_DENY, 0, 1, "/*aa"},		       /* 2 */
		{GK_EFFECT_ASK, 0, 0, "/*ab"},		       /* 3 */
		{GK_EFFECT_DENY, 0, 2, "/*z"},		       /* 4 */
		{GK_EFFECT_ASK, GK_RULE_OVERRIDE, 1, "/*q*"},  /* 5 */
		{GK_EFFECT_DENY, 0, 0, "/*e"},		       /* 6 */
	};
	for (unsigned i = 0; i < GK_COUNT(rules); i++) {
		uint32_t rule = build_rule(&b, GK_ACTION_FILE_READ, rules[i].effect, rules[i].flags, rules[i].file);
		build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, i % groups, rules[i].pattern, rule);
	}
	struct opened o = finish(&b);
	EXPECT(read_of(&o, "/ax"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, 0, GK_NO_RULE, false);
	EXPECT(read_of(&o, "/aa"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, 0, 1, false);
	EXPECT(read_of(&o, "/aab"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, 0, 3, false);
	EXPECT(read_of(&o, "/az"), GK_EFFECT_DENY, GK_SOURCE_RULE, 4, GK_NO_RULE, true);
	EXPECT(read_of(&o, "/qa"), GK_EFFECT_ASK, GK_SOURCE_RULE, 5, 1, true);
	/* File 1 does not pierce file 0, which extends it. */
	EXPECT(read_of(&o, "/qe"), GK_EFFECT_DENY, GK_SOURCE_RULE, 6, GK_NO_RULE, true);
	/* The allow of file 0 pierces file 1, its ask included. */
	EXPECT(read_of(&o, "/aqa"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, 0, 1, false);
	drop(&o);
}

static void of_one_effect_the_first_rule_is_named(void) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 2, 1);
	build_file(&b, 3, 3);
	uint32_t later = build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 1);
	uint32_t third = build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 0);
	uint32_t allow = build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, GK_RULE_OVERRIDE, 1);
	build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, 0, "/*", later);
	build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, 1, "/*", third);
	build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, 1, "/a", allow);
	struct opened o = finish(&b);
	EXPECT(read_of(&o, "/x"), GK_EFFECT_DENY, GK_SOURCE_RULE, later, GK_NO_RULE, true);
	EXPECT(read_of(&o, "/a"), GK_EFFECT_ALLOW, GK_SOURCE_RULE, allow, later, false);
	drop(&o);
}

static void bare_names_do_not_vouch_for_writable_places(void) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	const enum gk_action shell = GK_ACTION_SHELL_EXEC;
	uint32_t bare = build_rule(&b, shell, GK_EFFECT_ALLOW, GK_RULE_CHECK_CHILDREN, 0);
	uint32_t any = build_rule(&b, shell, GK_EFFECT_ALLOW, GK_RULE_ANY_PROGRAM, 0);
	uint32_t path = build_rule(&b, shell, GK_EFFECT_ALLOW, 0, 0);
	uint32_t deny = build_rule(&b, shell, GK_EFFECT_DENY, 0, 0);
	build_pattern(&b, shell, GK_AUTOMATON_COMMAND_BASE, 0, "git **", bare);
	build_pattern(&b, shell, GK_AUTOMATON_COMMAND_BASE, 0, "** --version", any);
	build_pattern(&b, shell, GK_AUTOMATON_COMMAND_PATH, 0, "/p/run **", path);
	build_pattern(&b, shell, GK_AUTOMATON_COMMAND_BASE, 0, "git push**", deny);
	struct opened o = finish(&b);
	struct gk_slice in_usr = gk_slice_of("/usr/bin/git diff"), in_p = gk_slice_of("/p/git diff");
	struct gk_slice diff = gk_slice_of("git diff"), push = gk_slice_of("git push");
	EXPECT(gk_decide_command(o.image, diff, in_usr, false), GK_EFFECT_ALLOW, GK_SOURCE_RULE, bare, GK_NO_RULE, false);
	CHECK(gk_decide_command(o.image, diff, in_usr, false).check_children);
	EXPECT(gk_decide_command(o.image, diff, in_p, true), GK_EFFECT_DENY, GK_SOURCE_DEFAULT, GK_NO_RULE, GK_NO_RULE, true);
	EXPECT(gk_decide_command(o.image, push, in_p, true), GK_EFFECT_DENY, GK_SOURCE_RULE, deny, GK_NO_RULE, true);
	EXPECT(gk_decide_command(o.image, gk_slice_of("x --version"), gk_slice_of("/p/x --version"), true),
	       GK_EFFECT_ALLOW, GK_SOURCE_RULE, any, GK_NO_RULE, false);
	EXPECT(gk_decide_command(o.image, gk_slice_of("run it"), gk_slice_of("/p/run it"), true), GK_EFFECT_ALLOW,
	       GK_SOURCE_RULE, path, GK_NO_RULE, false);
	drop(&o);
}

static void address_of(uint8_t out[16], const char *hex) {
	memset(out, 0, 16);
	for (unsigned i = 0; i < 16; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &out[i]) != 1)
			abort();
}

static void addresses_match_by_kind_and_port(void) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	uint8_t ten[16], at[16];
	address_of(ten, "00000000000000000000ffff0a000000");
	uint32_t any = build_rule(&b, GK_ACTION_NETWORK, GK_EFFECT_ALLOW, 0, 0);
	uint32_t range = build_rule(&b, GK_ACTION_NETWORK, GK_EFFECT_ALLOW, 0, 0);
	uint32_t local = build_rule(&b, GK_ACTION_NETWORK, GK_EFFECT_ALLOW, 0, 0);
	uint32_t name = build_rule(&b, GK_ACTION_NETWORK, GK_EFFECT_DENY, 0, 0);
	build_host(&b, any, GK_HOST_ANY, NULL, 0, 443, 443);
	build_host(&b, range, GK_HOST_RANGE, ten, 96 + 9, ALL_PORTS);
	build_host(&b, local, GK_HOST_LOCALHOST, NULL, 0, 3000, 3010);
	build_host(&b, name, GK_HOST_NAME, NULL, 0, ALL_PORTS);
	build_host(&b, name, GK_HOST_SUFFIX, NULL, 0, ALL_PORTS);
	struct opened o = finish(&b);
	const struct {
		const char *address;
		uint16_t port;
		uint32_t rule;
	} rows[] = {
		{"00000000000000000000ffff08080808", 443, any},	       {"00000000000000000000ffff08080808", 80, GK_NO_RULE},
		{"20014860486000000000000000008888", 443, any},	       {"00000000000000000000ffff0a010203", 1, range},
		{"00000000000000000000ffff0a800000", 443, GK_NO_RULE}, {"00000000000000000000ffffa9fea9fe", 443, GK_NO_RULE},
		{"00000000000000000000ffff7f010203", 3000, local},     {"00000000000000000000000000000001", 3010, local},
		{"00000000000000000000ffff7f000001", 443, GK_NO_RULE}, {"fd000ec2000000000000000000000254", 443, GK_NO_RULE},
		{"0064ff9b0000000000000000a9fea9fe", 443, GK_NO_RULE}, {"0064ff9b000000000000000008080808", 443, any},
		{"2002a9fea9fe00000000000000000000", 443, GK_NO_RULE}, {"20010000a9fea9fe0000000000000000", 443, GK_NO_RULE},
		{"00000000000000000000ffff64400001", 443, GK_NO_RULE}, {"00000000000000000000ffffe0000001", 443, GK_NO_RULE},
		{"00000000000000000000ffff00000000", 443, GK_NO_RULE}, {"00000000000000000000000000000000", 443, GK_NO_RULE},
		{"fe800000000000000000000000000001", 443, GK_NO_RULE}, {"ff020000000000000000000000000001", 443, GK_NO_RULE},
		{"00000000000000000000ffffac1f0001", 443, GK_NO_RULE}, {"00000000000000000000ffffac200001", 443, any},
		{"40000000000000000000000000000001", 443, GK_NO_RULE},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		address_of(at, rows[i].address);
		struct gk_verdict verdict = gk_decide_address(o.image, at, rows[i].port);
		CHECK(verdict.rule == rows[i].rule, "%s port %u: rule %d", rows[i].address, rows[i].port, (int)verdict.rule);
		CHECK(verdict.effect == (rows[i].rule == GK_NO_RULE ? GK_EFFECT_DENY : GK_EFFECT_ALLOW));
	}
	drop(&o);
}

static void embedded_addresses_are_unwrapped(void) {
	static const char *const rows[][2] = {
		{"0000000000000000000000007f000001", "00000000000000000000ffff7f000001"},
		{"0064ff9b0000000000000000a9fea9fe", "00000000000000000000ffffa9fea9fe"},
		{"20020a00000100000000000000000000", "00000000000000000000ffff0a000001"},
		{"200148600000000000005efe0a000001", "00000000000000000000ffff0a000001"},
		{"200148600000000002005efe0a000001", "00000000000000000000ffff0a000001"},
		{"0000000000000000ffff00000a000001", "00000000000000000000ffff0a000001"},
		{"00000000000000000000000000000000", "00000000000000000000000000000001"},
		{"00000000000000000000000000000001", "00000000000000000000000000000001"},
		{"00000000000000000000ffff00000000", "00000000000000000000ffff7f000001"},
		{"0064ff9b000000000000000000000000", "00000000000000000000ffff7f000001"},
		{"20010000a9fea9fe0000000056015601", "20010000a9fea9fe0000000056015601"},
		{"20014860486000000000000000008888", "20014860486000000000000000008888"},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		uint8_t from[16], to[16];
		address_of(from, rows[i][0]);
		address_of(to, rows[i][1]);
		gk_address_unwrap(from);
		CHECK(memcmp(from, to, 16) == 0, "%s", rows[i][0]);
	}
}

static void moves_that_change_verdicts_loosen(unsigned groups) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	for (unsigned action = GK_ACTION_FILE_READ; action <= GK_ACTION_FILE_DELETE; action++) {
		uint32_t allow = build_rule(&b, (enum gk_action)action, GK_EFFECT_ALLOW, 0, 0);
		uint32_t twin = build_rule(&b, (enum gk_action)action, GK_EFFECT_ALLOW, 0, 0);
		uint32_t other_twin = build_rule(&b, (enum gk_action)action, GK_EFFECT_ALLOW, 0, 0);
		uint32_t env = build_rule(&b, (enum gk_action)action, GK_EFFECT_DENY, 0, 0);
		uint32_t hooks = build_rule(&b, (enum gk_action)action, GK_EFFECT_DENY, 0, 0);
		build_pattern(&b, (enum gk_action)action, GK_AUTOMATON_PATH, 0, "/p/**", allow);
		build_pattern(&b, (enum gk_action)action, GK_AUTOMATON_PATH, 0, "/twin/**", twin);
		build_pattern(&b, (enum gk_action)action, GK_AUTOMATON_PATH, 0, "/twin2/**", other_twin);
		build_pattern(&b, (enum gk_action)action, GK_AUTOMATON_PATH, groups > 1, "/p/**/.env", env);
		build_pattern(&b, (enum gk_action)action, GK_AUTOMATON_PATH, groups > 1, "/p/.git/hooks/**", hooks);
		/* Matches only what is no name: a path that ends in a slash. */
		build_pattern(&b, (enum gk_action)action, GK_AUTOMATON_PATH, groups > 1, "/p/odd/x/", hooks);
	}
	struct opened o = finish(&b);
	const struct {
		const char *source, *destination;
		bool loosens;
	} rows[] = {
		{"/p/a", "/p/b", false},	    {"/p/.git", "/p/g2", true},	       {"/p/g2", "/p/.git", groups > 1},
		{"/p/x/.env", "/p/x/env", true},    {"/p/x/env", "/p/x/.env", false},  {"/p/.git/hooks/a", "/p/a", true},
		{"/p/.git/objects", "/p/o", false}, {"/q/a", "/q/b", false},	       {"/q/a", "/p/b", true},
		{"/p/.git/hooks", "/p/.git/h", true},
		{"/p/odd", "/p/even", false},	    {"/p/a", "/twin/a", true},	       {"/twin/a", "/p/a", groups > 1},
		/* Two rules that say the same. */
		{"/twin/a", "/twin2/a", false},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		CHECK(gk_move_loosens(o.image, gk_slice_of(rows[i].source), gk_slice_of(rows[i].destination)) == rows[i].loosens,
		      "%s to %s, %u automata", rows[i].source, rows[i].destination, groups);
	drop(&o);
}

static void stricter_rules_beneath_are_found(void) {
	for (unsigned groups = 1; groups <= 2; groups++) {
		struct builder b;
		build_begin(&b);
		build_file(&b, 3, 1);
		uint32_t allow = build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, 0, 0);
		uint32_t deny = build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 0);
		uint32_t over = build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, GK_RULE_OVERRIDE, 0);
		build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, 0, "/usr/**", allow);
		build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, 0, "/p/**", allow);
		build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, groups - 1, "/p/**/.env", deny);
		build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, groups - 1, "/p/node_modules/**", over);
		struct opened o = finish(&b);
		const struct {
			const char *directory;
			bool stricter;
		} rows[] = {{"/usr", false}, {"/usr/lib", false}, {"/p", true}, {"/p/node_modules", false}, {"/", true}, {"/q", true}};
		for (size_t i = 0; i < GK_COUNT(rows); i++)
			CHECK(gk_stricter_beneath(o.image, GK_ACTION_FILE_READ, gk_slice_of(rows[i].directory)) ==
				      rows[i].stricter,
			      "%s, %u automata", rows[i].directory, groups);
		drop(&o);
	}
}

static void cursors_agree_with_whole_paths(void) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, 0, 0, "/p/**");
	uint32_t deny = build_rule(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 0);
	build_pattern(&b, GK_ACTION_FILE_READ, GK_AUTOMATON_PATH, 1, "**/.env", deny);
	struct opened o = finish(&b);
	const char *path = "/p/deep/er/.env";
	for (size_t cut = 0; cut <= strlen(path); cut++) {
		struct gk_cursor cursor;
		gk_cursor_start(o.image, GK_ACTION_FILE_READ, &cursor);
		gk_cursor_feed(o.image, &cursor, gk_slice(path, cut));
		gk_cursor_feed(o.image, &cursor, gk_slice_of(path + cut));
		EXPECT(gk_cursor_verdict(o.image, &cursor), GK_EFFECT_DENY, GK_SOURCE_RULE, deny, GK_NO_RULE, true);
	}
	drop(&o);
}

static void views_show_what_was_written(void) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, GK_RULE_HIDE, 0, "/x");
	struct gk_floor_record floor = {.path = build_text(&b, "/usr"), .access = GK_FLOOR_READ | GK_FLOOR_EXECUTE};
	bytes_add(&b.section[GK_SECTION_FLOOR], &floor, sizeof(floor));
	static const char *const launchers[] = {"bash", "env", "sh"};
	for (size_t i = 0; i < GK_COUNT(launchers); i++) {
		struct gk_text_record text = build_text(&b, launchers[i]);
		bytes_add(&b.section[GK_SECTION_LAUNCHERS], &text, sizeof(text));
	}
	struct opened o = finish(&b);
	struct gk_rule_view rule = gk_image_rule(o.image, 0);
	CHECK(gk_image_rule_count(o.image) == 1 && rule.effect == GK_EFFECT_DENY && rule.flags == GK_RULE_HIDE && rule.layer == 3);
	CHECK(gk_slice_equal(rule.reason, gk_slice_of("because")) && rule.line == 1);
	CHECK(gk_slice_equal(gk_image_root(o.image, GK_ROOT_TMP), gk_slice_of("/tmp")));
	uint32_t access = 0;
	CHECK(gk_image_floor_count(o.image) == 1 && gk_slice_equal(gk_image_floor(o.image, 0, &access), gk_slice_of("/usr")));
	CHECK(access == (GK_FLOOR_READ | GK_FLOOR_EXECUTE));
	for (size_t i = 0; i < GK_COUNT(launchers); i++)
		CHECK(gk_image_is_launcher(o.image, gk_slice_of(launchers[i])));
	CHECK(!gk_image_is_launcher(o.image, gk_slice_of("git")) && !gk_image_is_launcher(o.image, gk_slice_of("")));
	CHECK(!gk_image_is_launcher(o.image, gk_slice_of("bas")) && !gk_image_is_launcher(o.image, gk_slice_of("shx")));
	drop(&o);
}

static const char *region_refused(const char *const *paths, const uint32_t *flags, size_t count) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	for (size_t i = 0; i < count; i++) {
		struct gk_region_record entry = {.path = build_text(&b, paths[i]), .flags = flags[i]};
		bytes_add(&b.section[GK_SECTION_REGION], &entry, sizeof(entry));
	}
	struct bytes bytes = build_end(&b);
	struct gk_image *image = NULL;
	const char *why = NULL;
	int error = gk_image_over(bytes.at, bytes.length, &image, &why);
	if (error == 0) {
		CHECK(gk_image_region_count(image) == count, "%u hierarchies", gk_image_region_count(image));
		for (uint32_t i = 0; i < count; i++)
			CHECK(gk_slice_equal(gk_image_region(image, i), gk_slice_of(paths[i])), "hierarchy %u", i);
		CHECK(gk_image_hints_files(image) == (count > 0 && flags[0] == 1), "files are hinted");
		gk_image_close(image);
	}
	free(bytes.at);
	return error == 0 ? "" : why;
}

static void regions_are_canonical_and_in_order(void) {
	static const struct {
		const char *paths[3];
		uint32_t flags[3];
		const char *why;
	} rows[] = {
		{{NULL}, {0}, ""},
		{{"/opt", "/usr"}, {0, 0}, ""},
		{{"/usr", "/usr-local", "/usr.d"}, {1, 1, 1}, ""},
		{{"/proceeds", "/devices"}, {0, 0}, "region is not sorted"},
		{{"/usr", "/usr"}, {0, 0}, "region is not sorted"},
		{{"/usr", "/usr-x", "/usr/lib"}, {0, 0, 0}, "region entry beneath another"},
		{{"/opt", "/usr"}, {1, 0}, "region entry with odd flags"},
		{{"/opt"}, {2}, "region entry with odd flags"},
		{{"/"}, {0}, "region entry that is no canonical path"},
		{{"usr"}, {0}, "region entry that is no canonical path"},
		{{"/usr/"}, {0}, "region entry that is no canonical path"},
		{{"/usr//lib"}, {0}, "region entry that is no canonical path"},
		{{"/usr/../etc"}, {0}, "region entry that is no canonical path"},
		{{"/usr/./lib"}, {0}, "region entry that is no canonical path"},
		{{"/usr/..lib/.x"}, {0}, ""},
		{{"/proc"}, {0}, "region entry where the kernel makes the files"},
		{{"/dev/shm"}, {0}, "region entry where the kernel makes the files"},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		size_t count = 0;
		while (count < 3 && rows[i].paths[count])
			count++;
		const char *why = region_refused(rows[i].paths, rows[i].flags, count);
		CHECK(strcmp(why, rows[i].why) == 0, "row %zu: %s", i, why);
	}
}

int main(void) {
	strictest_rule_wins_and_defaults_speak(12);
	strictest_rule_wins_and_defaults_speak(0);
	strictest_rule_wins_and_defaults_speak(256);
	overrides_pierce_their_own_chain_only(1);
	overrides_pierce_their_own_chain_only(2);
	overrides_pierce_their_own_chain_only(3);
	of_one_effect_the_first_rule_is_named();
	bare_names_do_not_vouch_for_writable_places();
	addresses_match_by_kind_and_port();
	embedded_addresses_are_unwrapped();
	moves_that_change_verdicts_loosen(1);
	moves_that_change_verdicts_loosen(2);
	stricter_rules_beneath_are_found();
	cursors_agree_with_whole_paths();
	views_show_what_was_written();
	regions_are_canonical_and_in_order();
	return gk_check_status();
}
