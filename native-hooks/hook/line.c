#include "hook/line.h"

void gk_line_put(struct gk_line *line, const char *text) {
	size_t length = strlen(text);
	if (length > sizeof(line->text) - line->used) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->used, text, length);
	line->used += length;
}

void gk_line_number(struct gk_line *line, unsigned long number, unsigned base) {
	char digits[24];
	size_t at = sizeof(digits);
	digits[--at] = '\0';
	do
		digits[--at] = "0123456789abcdef"[number % base];
	while ((number /= base) > 0);
	gk_line_put(line, digits + at);
}

/* Blocks of letters that are drawn as what they are. Stricter than Unicode's categories, which would be a table of kilobytes. */
static bool is_letter(uint32_t c) {
	return (c >= 0xa1 && c <= 0x24f && c != 0xad) || (c >= 0x386 && c <= 0x3ff && c != 0x38b && c != 0x38d && c != 0x3a2) ||
	       (c >= 0x400 && c <= 0x481) || (c >= 0x48a && c <= 0x52f) || (c >= 0x3041 && c <= 0x3096) || (c >= 0x30a1 && c <= 0x30ff) ||
	       (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3);
}

/* The code point at text's start, and its bytes; a byte that begins none stands for itself, with *bytes 0. */
static uint32_t decode(struct gk_slice text, size_t *bytes) {
	uint8_t first = text.at[0];
	size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
	*bytes = 0;
	if (length == 0 || length > text.length)
		return first;
	uint32_t point = length == 1 ? first : first & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((text.at[i] & 0xc0) != 0x80)
			return first;
		point = point << 6 | (text.at[i] & 0x3f);
	}
	bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
	if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return first;
	*bytes = length;
	return point;
}

static bool is_shown(uint32_t point, size_t bytes) {
	return bytes == 1 ? point >= 0x20 && point < 0x7f : bytes > 1 && is_letter(point);
}

static void put_escape(struct gk_line *line, uint32_t point) {
	if (point >= 0x100) {
		gk_line_put(line, "\\u{");
		gk_line_number(line, point, 16);
		gk_line_put(line, "}");
		return;
	}
	gk_line_put(line, point < 0x10 ? "\\x0" : "\\x");
	gk_line_number(line, point, 16);
}

/* A backslash that could begin an escape is doubled, so that two texts never look the same. */
static bool is_ambiguous(struct gk_slice rest) {
	size_t bytes;
	if (rest.length == 0)
		return false;
	uint32_t next = decode(rest, &bytes);
	return next == 'x' || next == 'u' || next == '\\' || !is_shown(next, bytes);
}

static bool put_text(struct gk_line *line, struct gk_slice text, size_t most, bool quoted) {
	size_t limit = line->used + most;
	while (text.length > 0) {
		if (line->used >= limit) {
			gk_line_put(line, " ...");
			return false;
		}
		size_t bytes;
		uint32_t point = decode(text, &bytes);
		size_t taken = bytes > 0 ? bytes : 1;
		struct gk_slice rest = gk_slice(text.at + taken, text.length - taken);
		char shown[5] = {0};
		memcpy(shown, text.at, taken);
		if (!is_shown(point, bytes))
			put_escape(line, point);
		else if (point == '\\')
			gk_line_put(line, is_ambiguous(rest) ? "\\\\" : "\\");
		else
			gk_line_put(line, quoted && point == '\'' ? "'\\''" : shown);
		text = rest;
	}
	return !line->full;
}

bool gk_line_visible(struct gk_line *line, struct gk_slice text, size_t most) {
	return put_text(line, text, most, false);
}

static bool is_plain_word(struct gk_slice text) {
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && (c == '\0' || strchr("@%+=:,./_-", c) == NULL))
			return false;
	}
	return text.length > 0;
}

bool gk_line_word(struct gk_line *line, struct gk_slice text, size_t most) {
	if (is_plain_word(text))
		return put_text(line, text, most, false);
	gk_line_put(line, "'");
	bool whole = put_text(line, text, most, true);
	gk_line_put(line, "'");
	return whole && !line->full;
}
