/* What a run reads by itself: which names lie there, what a stricter policy takes away, and what the hook is told. */
#include "supervise/region.h"
#include "launch/hints.h"
#include "test/check.h"
#include "test/image_builder.h"

static bool hiding;

static struct gk_image *image_with(const char *const entries[], bool files) {
	static struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	if (hiding)
		build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, GK_RULE_HIDE, 0, "/hidden/**");
	for (size_t i = 0; entries[i] != NULL; i++) {
		const struct gk_region_record entry = {.path = build_text(&b, entries[i]), .flags = files ? GK_REGION_FILES : 0};
		bytes_add(&b.section[GK_SECTION_REGION], &entry, sizeof(entry));
	}
	struct bytes bytes = build_end(&b);
	struct gk_image *image = NULL;
	const char *why = "";
	int error = gk_image_over(bytes.at, bytes.length, &image, &why);
	CHECK(error == 0, "%s", why);
	return image;
}

static struct gk_slice text(const char *at) {
	return gk_slice(at, strlen(at));
}

static void names_lie_in_it_by_whole_components(void) {
	const char *const entries[] = {"/home/u/p/node_modules", "/opt", NULL};
	struct gk_region region;
	CHECK(gk_region_open(image_with(entries, true), &region) == 0 && region.hints == GK_HINTS_DIRECTORIES && region.count == 2);
	CHECK(gk_region_holds(&region, text("/opt")) && gk_region_holds(&region, text("/opt/x")));
	CHECK(gk_region_holds(&region, text("/home/u/p/node_modules/.env")));
	CHECK(!gk_region_holds(&region, text("/")) && !gk_region_holds(&region, text("/optional/x")));
	CHECK(!gk_region_holds(&region, text("/home/u/p")) && !gk_region_holds(&region, text("/home/u/p/node_modules2")));
	CHECK(!gk_region_reads(&region, text("/opt/x")), "of directories only");
	region.hints = GK_HINTS_FILES;
	CHECK(gk_region_reads(&region, text("/opt/x")) && !gk_region_reads(&region, text("/etc/x")) && !gk_region_reads(NULL, text("/opt")));
	gk_region_close(&region);
}

static void a_move_takes_along_what_lies_in_it(void) {
	const char *const entries[] = {"/home/u/p/open", NULL};
	struct gk_region region;
	CHECK(gk_region_open(image_with(entries, true), &region) == 0);
	CHECK(!gk_region_moves(&region, text("/home/u/p")), "of directories only");
	region.hints = GK_HINTS_FILES;
	CHECK(gk_region_moves(&region, text("/home/u/p/open")) && gk_region_moves(&region, text("/home/u")));
	CHECK(!gk_region_moves(&region, text("/home/u/p/open/x")) && !gk_region_moves(&region, text("/home/u/p/op")));
	CHECK(!gk_region_moves(NULL, text("/home/u/p/open")));
	gk_region_close(&region);
}

static void procfs_is_never_in_it(void) {
	/* Images with it are refused; what lies around it could be in one all the same. */
	const char *const entries[] = {"/sys", NULL}, *const nothing[] = {NULL};
	struct gk_region region;
	CHECK(gk_region_open(image_with(entries, true), &region) == 0 && region.hints == GK_HINTS_NONE && region.count == 0);
	CHECK(strstr(region.omitted, "/sys") != NULL, "%s", region.omitted);
	gk_region_close(&region);
	CHECK(gk_region_open(image_with(nothing, false), &region) == 0 && region.hints == GK_HINTS_NONE && region.omitted[0] == '\0');
	gk_region_close(&region);
}

/* Another answer of the kernel, of a directory hint too, would tell that a name is there. */
static void nothing_is_in_it_where_names_are_hidden(void) {
	const char *const entries[] = {"/opt", NULL};
	struct gk_region region;
	hiding = true;
	CHECK(gk_region_open(image_with(entries, true), &region) == 0 && region.hints == GK_HINTS_NONE && region.count == 0);
	CHECK(strstr(region.omitted, "hides") != NULL, "%s", region.omitted);
	hiding = false;
	gk_region_close(&region);
}

static void a_policy_is_stricter_when_it_does_not_cover_it(void) {
	const char *const entries[] = {"/home/u/p", "/opt", NULL};
	const char *const wider[] = {"/home/u", "/opt", "/srv", NULL}, *const narrower[] = {"/home/u/p", "/opt/x", NULL}, *const nothing[] = {NULL};
	struct gk_region region;
	CHECK(gk_region_open(image_with(entries, true), &region) == 0);
	CHECK(gk_region_lost(&region, image_with(entries, true)).length == 0);
	CHECK(gk_region_lost(&region, image_with(wider, false)).length == 0, "what may be executed is as at the start");
	CHECK(gk_slice_equal(gk_region_lost(&region, image_with(narrower, true)), text("/opt")));
	CHECK(gk_slice_equal(gk_region_lost(&region, image_with(nothing, true)), text("/home/u/p")));
	gk_region_close(&region);
}

static void check_told(const char *before, enum gk_hints hints, const char *after) {
	setenv("GATEKEEPER_HOOK", before, 1);
	gk_hints_withdraw(hints);
	CHECK(strcmp(getenv("GATEKEEPER_HOOK"), after) == 0, "%s became %s", before, getenv("GATEKEEPER_HOOK"));
}

static void the_hook_is_told_what_holds(void) {
	check_told("fdh:/state/fd:f", GK_HINTS_FILES, "fdh:/state/fd:f");
	check_told("fdh:/state/fd:f", GK_HINTS_DIRECTORIES, "dh:/state/fd:f");
	check_told("fdh:/state/fd:f", GK_HINTS_NONE, "h:/state/fd:f");
	check_told("d:/i", GK_HINTS_NONE, ":/i");
	check_told("q:/i", GK_HINTS_DIRECTORIES, "q:/i");
	check_told("", GK_HINTS_NONE, "");
	unsetenv("GATEKEEPER_HOOK");
	gk_hints_withdraw(GK_HINTS_NONE);
	CHECK(getenv("GATEKEEPER_HOOK") == NULL);
}

int main(void) {
	names_lie_in_it_by_whole_components();
	a_move_takes_along_what_lies_in_it();
	procfs_is_never_in_it();
	nothing_is_in_it_where_names_are_hidden();
	a_policy_is_stricter_when_it_does_not_cover_it();
	the_hook_is_told_what_holds();
	return gk_check_status();
}
