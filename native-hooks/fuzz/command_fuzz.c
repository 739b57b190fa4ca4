/* Any vector of arguments: a text from which the same words can be read again, whatever name is put before them. */
#include "fuzz/driver.h"
#include "supervise/command_text.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long texts, quoted, refused;

/* Reads one word of a text and compares it with what was written; returns what follows the space after it. */
static struct gk_slice read_word(struct gk_slice text, struct gk_slice word) {
	size_t at = 0, compared = 0;
	bool within = false;
	for (; at < text.length && (within || text.at[at] != ' '); at++) {
		uint8_t byte = text.at[at];
		if (byte == '\'') {
			within = !within;
			quoted += within;
			continue;
		}
		if (byte == '\\' && !within)
			byte = text.at[++at];
		if (compared == word.length || word.at[compared++] != byte)
			abort();
	}
	if (within || compared != word.length)
		abort();
	size_t used = at < text.length ? at + 1 : at;
	return gk_slice(text.at + used, text.length - used);
}

static void check(struct gk_slice text, struct gk_slice name, struct gk_slice arguments) {
	const uint8_t *end = arguments.length > 0 ? memchr(arguments.at, '\0', arguments.length) : NULL;
	size_t at = end != NULL ? (size_t)(end - arguments.at) + 1 : arguments.length;
	text = read_word(text, name);
	while (at < arguments.length) {
		struct gk_slice rest = gk_slice(arguments.at + at, arguments.length - at);
		end = memchr(rest.at, '\0', rest.length);
		struct gk_slice word = gk_slice(rest.at, end != NULL ? (size_t)(end - rest.at) : rest.length);
		text = read_word(text, word);
		at += word.length + (end != NULL);
	}
	if (text.length != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
	struct gk_slice input = gk_slice(bytes, length);
	struct gk_command_text text = {0};
	uint8_t shown[GK_COMMAND_SHOWN];
	if (gk_command_text_open(&text, input) != 0)
		abort();
	struct gk_slice names[] = {gk_slice_of("git"), gk_base_name(input), input};
	for (size_t i = 0; i < GK_COUNT(names); i++) {
		/* A name comes from a string. */
		const uint8_t *end = names[i].length > 0 ? memchr(names[i].at, '\0', names[i].length) : NULL;
		struct gk_slice name = gk_slice(names[i].at, end != NULL ? (size_t)(end - names[i].at) : names[i].length);
		int rc = gk_command_text_name(&text, name);
		if (rc != 0 && (rc != -ENAMETOOLONG || name.length <= PATH_MAX))
			abort();
		refused += rc != 0;
		if (rc != 0)
			continue;
		texts++;
		check(gk_command_text_slice(&text), name, input);
		if (gk_command_shown(gk_command_text_slice(&text), shown).length > sizeof shown)
			abort();
	}
	gk_command_text_free(&text);
	return 0;
}

struct gk_slice gk_fuzz_seed(unsigned index) {
	static const char words[] = "git\0commit\0-m\0it's \"one\\two\"\n\0\0--\0/a b/c\0$(x)\0'";
	static const size_t lengths[] = {sizeof words, sizeof words - 1, 1, 4, 20000};
	if (index >= GK_COUNT(lengths))
		return gk_slice(NULL, 0);
	uint8_t *bytes = malloc(lengths[index]);
	for (size_t i = 0; bytes != NULL && i < lengths[index]; i++)
		bytes[i] = lengths[index] > sizeof words ? (uint8_t)(i % 7 == 0 ? '\'' : 'a') : (uint8_t)words[i];
	return gk_slice(bytes, lengths[index]);
}

int gk_fuzz_report(void) {
	printf("command_fuzz: %lu texts, %lu quotes, %lu names refused\n", texts, quoted, refused);
	return texts == 0 || quoted == 0 || refused == 0;
}
