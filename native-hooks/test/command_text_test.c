/* The canonical text of commands: quoting, bounds, what a receipt shows. */
#include "supervise/command_text.h"
#include "test/check.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>

static void check_text(const char *name, const char *arguments, size_t length, const char *expected) {
	struct gk_command_text text = {0};
	CHECK(gk_command_text_open(&text, gk_slice(arguments, length)) == 0);
	CHECK(gk_command_text_name(&text, gk_slice_of(name)) == 0);
	CHECK(gk_slice_equal(gk_command_text_slice(&text), gk_slice_of(expected)), "%s: %.*s", expected,
	      (int)(text.end - text.start), text.bytes + text.start);
	gk_command_text_free(&text);
}
#define TEXT(name, arguments, expected) check_text(name, arguments, sizeof(arguments), expected)

static void words_are_joined_and_quoted(void) {
	TEXT("git", "git\0diff\0--stat", "git diff --stat");
	TEXT("git", "whatever", "git");
	TEXT("git", "", "git");
	TEXT("sh", "sh\0-c\0echo hi", "sh -c 'echo hi'");
	TEXT("a", "a\0\0b", "a '' b");
	TEXT("a", "a\0it's", "a 'it'\\''s'");
	TEXT("a", "a\0\"\0\\\0\t\0\x7f\0\n", "a '\"' '\\' '\t' '\x7f' '\n'");
	TEXT("a", "a\0\xc3\xa9*?", "a \xc3\xa9*?");
	TEXT("my tool", "x\0y", "'my tool' y");
	TEXT("", "x", "''");
	/* The vector may end without a NUL when it comes from /proc. */
	check_text("a", "a\0b", 3, "a b");
}

static void the_name_can_be_set_again(void) {
	struct gk_command_text text = {0};
	CHECK(gk_command_text_open(&text, gk_slice("x\0y", 4)) == 0);
	CHECK(gk_command_text_name(&text, gk_slice_of("/usr/bin/long-name")) == 0);
	CHECK(gk_command_text_name(&text, gk_slice_of("n")) == 0);
	CHECK(gk_slice_equal(gk_command_text_slice(&text), gk_slice_of("n y")));
	char quotes[PATH_MAX + 1];
	memset(quotes, '\'', sizeof(quotes));
	CHECK(gk_command_text_name(&text, gk_slice(quotes, PATH_MAX)) == 0);
	CHECK(gk_command_text_slice(&text).length == 4 * (size_t)PATH_MAX + 2 + 2);
	CHECK(gk_command_text_name(&text, gk_slice(quotes, sizeof(quotes))) == -ENAMETOOLONG);
	gk_command_text_free(&text);
}

static void a_text_that_is_too_long_is_refused_rather_than_cut(void) {
	size_t length = GK_COMMAND_TEXT_MAX / 4;
	char *arguments = malloc(length + 3);
	if (arguments == NULL)
		abort();
	arguments[0] = 'a';
	arguments[1] = '\0';
	memset(arguments + 2, '\'', length);
	arguments[length + 2] = '\0';
	struct gk_command_text text = {0};
	CHECK(gk_command_text_open(&text, gk_slice(arguments, length + 3)) == -EOVERFLOW);
	memset(arguments + 2, 'b', length);
	CHECK(gk_command_text_open(&text, gk_slice(arguments, length + 3)) == 0);
	gk_command_text_free(&text);
	free(arguments);
}

static void receipts_show_head_and_tail(void) {
	static uint8_t bytes[3 * GK_COMMAND_SHOWN];
	uint8_t shown[GK_COMMAND_SHOWN];
	memset(bytes, 'm', sizeof(bytes));
	bytes[0] = 'h';
	bytes[sizeof(bytes) - 1] = 't';
	struct gk_slice cut = gk_command_shown(gk_slice(bytes, sizeof(bytes)), shown);
	CHECK(cut.length == GK_COMMAND_SHOWN && cut.at[0] == 'h' && cut.at[cut.length - 1] == 't');
	CHECK(memmem(cut.at, cut.length, "m ... m", 7) != NULL);
	cut = gk_command_shown(gk_slice(bytes, 10), shown);
	CHECK(cut.at == bytes && cut.length == 10);
}

static void base_names_follow_the_last_slash(void) {
	CHECK(gk_slice_equal(gk_base_name(gk_slice_of("/usr/bin/git")), gk_slice_of("git")));
	CHECK(gk_slice_equal(gk_base_name(gk_slice_of("git")), gk_slice_of("git")));
	CHECK(gk_base_name(gk_slice_of("/usr/")).length == 0);
	CHECK(gk_base_name(gk_slice(NULL, 0)).length == 0);
}

int main(void) {
	words_are_joined_and_quoted();
	the_name_can_be_set_again();
	a_text_that_is_too_long_is_refused_rather_than_cut();
	receipts_show_head_and_tail();
	base_names_follow_the_last_slash();
	return gk_check_status();
}
