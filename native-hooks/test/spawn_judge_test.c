/* Who speaks for a command: rules under each of its names, ancestors, launchers, the user's act. */
#include "supervise/spawn.h"
#include "supervise/supervisor.h"
#include "test/check.h"
#include "test/image_builder.h"

#include <sys/stat.h>

static struct gk_supervisor supervisor;
/* A directory that both the policy and this user may write. */
static char writable[] = "/tmp/gk-spawn-judge-XXXXXX";

static const char *in_writable(const char *name) {
	static char paths[32][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % GK_COUNT(paths)];
	snprintf(path, PATH_MAX, "%s/%s", writable, name);
	return path;
}

static void add_command(struct builder *b, enum gk_automaton_kind kind, enum gk_effect effect, unsigned flags, const char *pattern) {
	uint32_t rule = build_rule(b, GK_ACTION_SHELL_EXEC, effect, flags, 0);
	build_pattern(b, GK_ACTION_SHELL_EXEC, kind, 0, pattern, rule);
}

static void open_image(void) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	char pattern[PATH_MAX];
	snprintf(pattern, sizeof(pattern), "%s/**", writable);
	build_path(&b, GK_ACTION_FILE_WRITE, GK_EFFECT_ALLOW, 0, 0, pattern);
	add_command(&b, GK_AUTOMATON_COMMAND_BASE, GK_EFFECT_ALLOW, 0, "git **");
	add_command(&b, GK_AUTOMATON_COMMAND_BASE, GK_EFFECT_ALLOW, GK_RULE_CHECK_CHILDREN, "make");
	add_command(&b, GK_AUTOMATON_COMMAND_BASE, GK_EFFECT_ALLOW, 0, "python3 **");
	add_command(&b, GK_AUTOMATON_COMMAND_BASE, GK_EFFECT_ALLOW, GK_RULE_ANY_PROGRAM, "** --version");
	add_command(&b, GK_AUTOMATON_COMMAND_BASE, GK_EFFECT_DENY, 0, "git push**");
	add_command(&b, GK_AUTOMATON_COMMAND_BASE, GK_EFFECT_DENY, 0, "wget**");
	add_command(&b, GK_AUTOMATON_COMMAND_BASE, GK_EFFECT_ASK, 0, "npm publish**");
	add_command(&b, GK_AUTOMATON_COMMAND_PATH, GK_EFFECT_ALLOW, 0, "/lib/ld-linux.so **");
	snprintf(pattern, sizeof(pattern), "%s/build.sh**", writable);
	add_command(&b, GK_AUTOMATON_COMMAND_PATH, GK_EFFECT_ALLOW, 0, pattern);
	struct gk_text_record launchers[] = {build_text(&b, "env"), build_text(&b, "sh")};
	bytes_add(&b.section[GK_SECTION_LAUNCHERS], launchers, sizeof(launchers));
	static struct bytes bytes;
	bytes = build_end(&b);
	struct gk_image *image;
	const char *why = "";
	CHECK(gk_image_over(bytes.at, bytes.length, &image, &why) == 0, "%s", why);
	atomic_store(&supervisor.image, image);
	supervisor.uid = getuid();
}

struct row {
	const char *program, *alias;
	const char *arguments;
	size_t length;
	enum { SCRIPT = 1, LOADER = 2, COVERED = 4, TYPED = 8 } is;
	enum gk_effect effect;
	enum gk_source source;
	bool covered;
};
#define ARGS(text) text, sizeof(text)

static void check_row(const struct row *row) {
	struct gk_command command = {
		.program = gk_slice_of(row->program),
		.alias = row->alias != NULL ? gk_slice_of(row->alias) : gk_slice(NULL, 0),
		.arguments = gk_slice(row->arguments, row->length),
		.script = row->is & SCRIPT, .loader = row->is & LOADER, .covered = row->is & COVERED, .typed = row->is & TYPED,
	};
	struct gk_command_verdict out = {0};
	CHECK(gk_command_decide(&supervisor, &command, &out) == 0);
	CHECK(out.verdict.effect == row->effect && out.verdict.source == row->source && out.covered == row->covered,
	      "%s as %s: effect %d source %d covered %d", row->program, row->arguments, out.verdict.effect, out.verdict.source,
	      out.covered);
	gk_command_verdict_free(&out);
}

static void commands_are_judged_under_all_their_names(void) {
	const enum gk_effect allow = GK_EFFECT_ALLOW, deny = GK_EFFECT_DENY;
	const enum gk_source rule = GK_SOURCE_RULE, none = GK_SOURCE_DEFAULT;
	const struct row rows[] = {
		{"/usr/bin/git", NULL, ARGS("git\0diff"), 0, allow, rule, true},
		{"/usr/bin/git", NULL, ARGS("git\0push\0x"), 0, deny, rule, false},
		{"/usr/bin/make", NULL, ARGS("make"), 0, allow, rule, false},
		{"/usr/bin/id", NULL, ARGS("id"), 0, deny, none, false},
		/* A program of the run's own must not pose as git. */
		{in_writable("git"), NULL, ARGS("git\0diff"), 0, deny, none, false},
		{in_writable("build.sh"), NULL, ARGS("./build.sh"), SCRIPT, allow, rule, true},
		{in_writable("x"), NULL, ARGS("x\0--version"), 0, allow, rule, true},
		/* The name of a link counts when the run could not have made the link. */
		{"/usr/bin/python3.11", "/usr/bin/python3", ARGS("python3\0x"), 0, allow, rule, true},
		{"/usr/bin/python3.11", in_writable("python3"), ARGS("python3\0x"), 0, deny, none, false},
		{in_writable("python3.11"), "/usr/bin/python3", ARGS("python3\0x"), 0, deny, none, false},
		{"/usr/lib/npm-cli.js", "/usr/bin/npm", ARGS("npm\0publish"), SCRIPT, GK_EFFECT_ASK, rule, false},
		{"/usr/bin/x", in_writable("wget"), ARGS("wget\0y"), 0, deny, rule, false},
		/* Programs of many names act upon argv[0]: it can tighten, never loosen. */
		{"/usr/bin/busybox", NULL, ARGS("wget\0y"), COVERED, deny, rule, false},
		{"/usr/bin/busybox", "/usr/bin/python3", ARGS("id\0y"), 0, deny, none, false},
		{"/usr/bin/id", NULL, ARGS("git\0diff"), 0, deny, none, false},
		{"/usr/bin/x.js", NULL, ARGS("wget\0y"), SCRIPT | COVERED, allow, GK_SOURCE_INHERITED, true},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		check_row(&rows[i]);
}

static void without_a_rule_ancestor_launcher_or_user_speaks(void) {
	const enum gk_effect allow = GK_EFFECT_ALLOW, deny = GK_EFFECT_DENY;
	const struct row rows[] = {
		{"/usr/bin/id", NULL, ARGS("id"), COVERED, allow, GK_SOURCE_INHERITED, true},
		{"/usr/bin/sh", NULL, ARGS("sh\0-c\0x"), 0, allow, GK_SOURCE_LAUNCHER, false},
		{"/usr/bin/sh", NULL, ARGS("-sh"), 0, allow, GK_SOURCE_LAUNCHER, false},
		{"/usr/bin/sh", NULL, ARGS("sh\0-c\0x"), COVERED, allow, GK_SOURCE_INHERITED, true},
		{"/usr/bin/dash", "/bin/sh", ARGS("sh"), 0, allow, GK_SOURCE_LAUNCHER, false},
		{"/usr/bin/dash", in_writable("sh"), ARGS("sh"), 0, deny, GK_SOURCE_DEFAULT, false},
		{in_writable("sh"), NULL, ARGS("sh"), 0, deny, GK_SOURCE_DEFAULT, false},
		{"/usr/bin/id", NULL, ARGS("id"), TYPED, allow, GK_SOURCE_TYPED, false},
		/* Stricter rules hold for all of them. */
		{"/usr/bin/wget", NULL, ARGS("wget"), TYPED, deny, GK_SOURCE_RULE, false},
		{"/usr/bin/git", NULL, ARGS("git\0push"), COVERED, deny, GK_SOURCE_RULE, false},
		{"/usr/bin/make", NULL, ARGS("make"), COVERED, allow, GK_SOURCE_RULE, false},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		check_row(&rows[i]);
}

static bool is_refused_as_loader(const char *program, const char *arguments, size_t length, bool covered) {
	struct gk_command command = {.program = gk_slice_of(program), .arguments = gk_slice(arguments, length), .loader = true,
				     .covered = covered};
	struct gk_command_verdict out = {0};
	CHECK(gk_command_decide(&supervisor, &command, &out) == 0);
	bool refused = out.loader;
	gk_command_verdict_free(&out);
	return refused;
}

static void a_loader_runs_only_when_a_rule_names_it(void) {
	CHECK(!is_refused_as_loader("/lib/ld-linux.so", ARGS("ld\0/bin/x"), false));
	CHECK(is_refused_as_loader("/lib/ld-musl.so", ARGS("ld\0/bin/x"), true));
	CHECK(is_refused_as_loader("/lib/ld-musl.so", ARGS("ld\0--version"), false));
}

static void what_the_user_cannot_write_is_no_writable_place(void) {
	CHECK(gk_place_is_writable(&supervisor, gk_slice_of(in_writable("x/y"))));
	CHECK(!gk_place_is_writable(&supervisor, gk_slice_of("/usr/bin/git")));
	CHECK(gk_place_is_writable(&supervisor, gk_slice_of("relative")));
	CHECK(gk_place_may_write(&supervisor, gk_slice_of("relative")) == UINT64_MAX);
	/* What is not there yet could be made: /usr and /usr/bin are as they are, the two beneath are the user's to write. */
	uint64_t places = gk_place_may_write(&supervisor, gk_slice_of("/usr/bin/is-not-there/x"));
	CHECK(places >> 2 == 3 && (places & 3) == (getuid() == 0 ? 3 : 0), "%llx", (unsigned long long)places);
	/* The policy would let it, but the directory is another's and closed to us. */
	if (getuid() == 0)
		return;
	const char *closed = in_writable("closed");
	CHECK(mkdir(closed, 0500) == 0);
	CHECK(gk_place_is_writable(&supervisor, gk_slice_of(closed))); /* its owner may open it again */
	supervisor.uid = getuid() + 1;
	CHECK(!gk_place_is_writable(&supervisor, gk_slice_of(closed)));
	supervisor.uid = getuid();
	CHECK(rmdir(closed) == 0);
}

int main(void) {
	if (mkdtemp(writable) == NULL)
		return 1;
	open_image();
	commands_are_judged_under_all_their_names();
	without_a_rule_ancestor_launcher_or_user_speaks();
	a_loader_runs_only_when_a_rule_names_it();
	what_the_user_cannot_write_is_no_writable_place();
	CHECK(rmdir(writable) == 0);
	return gk_check_status();
}
