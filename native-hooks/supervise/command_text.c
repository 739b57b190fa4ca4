#include "supervise/command_text.h"

#include "base/quotes.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>

/* A quote becomes four bytes, and the word gets one at either end. */
#define NAME_ROOM (4 * (size_t)PATH_MAX + 2)

static size_t quoted_length(struct gk_slice word) {
	if (!gk_needs_quotes(word))
		return word.length;
	size_t length = word.length + 2;
	for (size_t i = 0; i < word.length; i++)
		length += word.at[i] == '\'' ? 3 : 0;
	return length;
}

static uint8_t *write_quoted(uint8_t *at, struct gk_slice word) {
	if (!gk_needs_quotes(word)) {
		memcpy(at, word.at, word.length);
		return at + word.length;
	}
	*at++ = '\'';
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == '\'') {
			memcpy(at, "'\\''", 4);
			at += 4;
		} else {
			*at++ = word.at[i];
		}
	}
	*at++ = '\'';
	return at;
}

/* Takes the next NUL-terminated string off *rest. */
static struct gk_slice next_argument(struct gk_slice *rest) {
	const uint8_t *end = memchr(rest->at, '\0', rest->length);
	struct gk_slice word = gk_slice(rest->at, end != NULL ? (size_t)(end - rest->at) : rest->length);
	size_t used = word.length + (end != NULL ? 1 : 0);
	*rest = gk_slice(rest->at + used, rest->length - used);
	return word;
}

int gk_command_text_open(struct gk_command_text *text, struct gk_slice arguments) {
	struct gk_slice rest = arguments;
	if (rest.length > 0)
		(void)next_argument(&rest);
	struct gk_slice after_name = rest;
	size_t length = 0;
	while (rest.length > 0 && length <= GK_COMMAND_TEXT_MAX)
		length += 1 + quoted_length(next_argument(&rest));
	if (length > GK_COMMAND_TEXT_MAX)
		return -EOVERFLOW;

	text->bytes = malloc(NAME_ROOM + length);
	if (text->bytes == NULL)
		return -ENOMEM;
	uint8_t *at = text->bytes + NAME_ROOM;
	for (rest = after_name; rest.length > 0;) {
		*at++ = ' ';
		at = write_quoted(at, next_argument(&rest));
	}
	text->start = NAME_ROOM;
	text->end = NAME_ROOM + length;
	return 0;
}

int gk_command_text_name(struct gk_command_text *text, struct gk_slice name) {
	if (name.length > PATH_MAX)
		return -ENAMETOOLONG;
	text->start = NAME_ROOM - quoted_length(name);
	(void)write_quoted(text->bytes + text->start, name);
	return 0;
}

void gk_command_text_free(struct gk_command_text *text) {
	free(text->bytes);
	*text = (struct gk_command_text){0};
}

struct gk_slice gk_command_shown(struct gk_slice text, uint8_t out[GK_COMMAND_SHOWN]) {
	static const char ellipsis[] = " ... ";
	if (text.length <= GK_COMMAND_SHOWN)
		return text;
	size_t cut = sizeof(ellipsis) - 1, head = (GK_COMMAND_SHOWN - cut) / 2, tail = GK_COMMAND_SHOWN - cut - head;
	memcpy(out, text.at, head);
	memcpy(out + head, ellipsis, cut);
	memcpy(out + head + cut, text.at + text.length - tail, tail);
	return gk_slice(out, GK_COMMAND_SHOWN);
}

struct gk_slice gk_base_name(struct gk_slice path) {
	const uint8_t *slash = path.length > 0 ? memrchr(path.at, '/', path.length) : NULL;
	if (slash == NULL)
		return path;
	return gk_slice(slash + 1, path.length - (size_t)(slash + 1 - path.at));
}
