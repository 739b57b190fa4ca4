/* Any bytes: refused with a reason, or an image over which every question can be asked. */
#include "fuzz/driver.h"
#include "image/address.h"
#include "test/image_builder.h"

#include <errno.h>

static unsigned long taken, refused;
static uint64_t touched;

static void touch(struct gk_slice text) {
	for (size_t i = 0; i < text.length; i++)
		touched += text.at[i];
}

static void judge(const struct gk_image *image, struct gk_verdict verdict) {
	if (verdict.rule != GK_NO_RULE && verdict.rule >= gk_image_rule_count(image))
		abort();
	if (verdict.pierced != GK_NO_RULE && verdict.pierced >= gk_image_rule_count(image))
		abort();
	if (verdict.effect > GK_EFFECT_DENY)
		abort();
}

/* A path fed byte by byte ends where the whole path does. */
static void judge_path(const struct gk_image *image, enum gk_action action, struct gk_slice path) {
	struct gk_verdict whole = gk_decide_path(image, action, path);
	struct gk_cursor cursor;
	gk_cursor_start(image, action, &cursor);
	for (size_t i = 0; i < path.length; i++)
		gk_cursor_feed(image, &cursor, gk_slice(path.at + i, 1));
	struct gk_verdict stepped = gk_cursor_verdict(image, &cursor);
	if (whole.effect != stepped.effect || whole.rule != stepped.rule || whole.pierced != stepped.pierced)
		abort();
	judge(image, whole);
}

static void ask_paths(const struct gk_image *image) {
	static const char *const paths[] = {"/", "/p/.env", "/p/.git/hooks/pre-commit", "/home/u/p/src3/module3/package3/x", "/\xff\x01",
					    "/p//a/", "/p/a-name/that/is/longer/than/one/block/of/sixty-four/bytes/and/then/some/.env"};
	for (unsigned action = 0; action < GK_ACTION_COUNT; action++)
		for (size_t i = 0; i < GK_COUNT(paths); i++) {
			judge_path(image, (enum gk_action)action, gk_slice_of(paths[i]));
			touched += gk_stricter_beneath(image, (enum gk_action)action, gk_slice_of(paths[i]));
		}
	for (size_t i = 1; i < GK_COUNT(paths); i++)
		touched += gk_move_loosens(image, gk_slice_of(paths[i - 1]), gk_slice_of(paths[i]));
}

static void ask_everything(const struct gk_image *image) {
	static const uint8_t addresses[][16] = {
		{[15] = 1}, {[10] = 0xff, 0xff, 127, 0, 0, 1}, {[10] = 0xff, 0xff, 8, 8, 8, 8}, {0x20, 0x01, 0x48}};
	ask_paths(image);
	for (unsigned writable = 0; writable <= 1; writable++)
		judge(image, gk_decide_command(image, gk_slice_of("git push"), gk_slice_of("/usr/bin/git push"), writable));
	for (size_t i = 0; i < GK_COUNT(addresses); i++)
		judge(image, gk_decide_address(image, addresses[i], 443)), touched += gk_may_inspect(image, addresses[i], 443);
	for (uint32_t i = 0; i < gk_image_rule_count(image); i++) {
		struct gk_rule_view rule = gk_image_rule(image, i);
		touch(rule.label);
		touch(rule.reason);
		touch(rule.pattern);
	}
	for (unsigned root = 0; root <= GK_ROOT_TMP_REAL; root++)
		touch(gk_image_root(image, (enum gk_root)root));
	uint32_t access;
	for (uint32_t i = 0; i < gk_image_floor_count(image); i++)
		touch(gk_image_floor(image, i, &access));
	for (uint32_t i = 0; i < gk_image_region_count(image); i++)
		touch(gk_image_region(image, i));
	touched += gk_image_hints_files(image);
	touched += gk_image_is_launcher(image, gk_slice_of("env"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
	struct gk_image *image;
	const char *why = NULL;
	int error = gk_image_over(bytes, length, &image, &why);
	if (error == 0) {
		taken++;
		ask_everything(image);
		gk_image_close(image);
	} else if (error == -EBADMSG && why) {
		refused++;
	} else if (error != -EINVAL) {
		abort();
	}
	return 0;
}

static void add_hosts_and_lists(struct builder *b) {
	uint8_t address[16] = {[10] = 0xff, 0xff, 10};
	for (unsigned kind = GK_HOST_ANY; kind <= GK_HOST_LOCALHOST; kind++) {
		uint32_t rule = build_rule(b, GK_ACTION_NETWORK, GK_EFFECT_ALLOW, GK_RULE_LOG, 1);
		build_host(b, rule, (enum gk_host_kind)kind, address, 104, 1, 1000);
		struct gk_terms_record terms = {.rule = rule, .inspect = kind % 2 ? 2 : 0, .sni = 3};
		bytes_add(&b->section[GK_SECTION_TERMS], &terms, sizeof(terms));
		struct gk_injection_record injection = {.rule = rule, .header = build_text(b, "authorization")};
		if (terms.inspect == 2)
			bytes_add(&b->section[GK_SECTION_INJECTIONS], &injection, sizeof(injection));
	}
	struct gk_floor_record floor = {.path = build_text(b, "/usr"), .access = GK_FLOOR_READ};
	bytes_add(&b->section[GK_SECTION_FLOOR], &floor, sizeof(floor));
	static const char *const region[] = {"/opt", "/usr/lib", "/usr/lib-x"};
	for (size_t i = 0; i < GK_COUNT(region); i++) {
		struct gk_region_record entry = {.path = build_text(b, region[i]), .flags = GK_REGION_FILES};
		bytes_add(&b->section[GK_SECTION_REGION], &entry, sizeof(entry));
	}
	static const char *const launchers[] = {"bash", "env", "sh"};
	for (size_t i = 0; i < GK_COUNT(launchers); i++) {
		struct gk_text_record text = build_text(b, launchers[i]);
		bytes_add(&b->section[GK_SECTION_LAUNCHERS], &text, sizeof(text));
	}
}

/* Sparse, mixed and dense states; one and several automata. */
struct gk_slice gk_fuzz_seed(unsigned index) {
	static const size_t dense_from[] = {256, 4, 0};
	if (index >= 2 * GK_COUNT(dense_from))
		return gk_slice(NULL, 0);
	unsigned groups = 1 + index % 2;
	struct builder b;
	build_begin(&b);
	b.dense_from = dense_from[index / 2];
	build_file(&b, 0, 0);
	build_file(&b, 3, 2);
	static const char *const patterns[] = {"/p/**", "/p/**/.env", "/p/.git/hooks/**", "/p/*.pem", "/h*/u/.ssh/**"};
	for (unsigned action = GK_ACTION_FILE_READ; action <= GK_ACTION_FILE_DELETE; action++)
		for (unsigned i = 0; i < GK_COUNT(patterns); i++) {
			uint32_t rule = build_rule(&b, (enum gk_action)action, i % 2 ? GK_EFFECT_DENY : GK_EFFECT_ALLOW,
						   i == 4 ? GK_RULE_OVERRIDE : 0, i == 3 ? 0 : 1);
			build_pattern(&b, (enum gk_action)action, GK_AUTOMATON_PATH, i % groups, patterns[i], rule);
		}
	uint32_t command = build_rule(&b, GK_ACTION_SHELL_EXEC, GK_EFFECT_ALLOW, 0, 1);
	build_pattern(&b, GK_ACTION_SHELL_EXEC, GK_AUTOMATON_COMMAND_BASE, 0, "git **", command);
	build_pattern(&b, GK_ACTION_SHELL_EXEC, GK_AUTOMATON_COMMAND_PATH, 0, "/usr/bin/git push**", command);
	add_hosts_and_lists(&b);
	struct bytes image = build_end(&b);
	return gk_slice(image.at, image.length);
}

int gk_fuzz_report(void) {
	printf("image_fuzz: %lu images taken, %lu refused\n", taken, refused);
	return taken == 0 || refused == 0;
}
