#include "supervise/git_settings.h"

#include "supervise/git_dangerous.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* Reading position, and the parts of the setting at hand. Each part is at most as long as the whole text. */
struct reader {
	struct gk_slice text;
	size_t at;
	char *section, *subsection, *name, *value; /* NUL-ended; value may hold any byte but NUL */
	bool in_section;
};

static int parse_all(struct reader *r, struct gk_settings *out);
static int parse_section(struct reader *r);
static int parse_subsection(struct reader *r);
static int parse_setting(struct reader *r);
static int parse_value(struct reader *r);
static int unescape(struct reader *r, char **out);
static void skip_line(struct reader *r);
static int keep(struct gk_settings *settings, const struct reader *r);

enum { END = -1 };

void gk_settings_release(struct gk_settings *settings) {
	free(settings->bytes);
	settings->bytes = NULL;
}

int gk_settings_parse(struct gk_slice text, struct gk_settings *out) {
	*out = (struct gk_settings){.bytes = NULL};
	if (text.length > 0 && memchr(text.at, '\0', text.length) != NULL)
		return -EBADMSG;
	size_t part = text.length + 8;
	char *parts = calloc(4, part);
	if (parts == NULL)
		return -ENOMEM;
	struct reader r = {.text = text, .section = parts, .subsection = parts + part, .name = parts + 2 * part,
			   .value = parts + 3 * part};
	static const char mark[] = "\xef\xbb\xbf"; /* a byte order mark is skipped, as git does */
	if (text.length >= 3 && memcmp(text.at, mark, 3) == 0)
		r.at = 3;
	int rc = parse_all(&r, out);
	free(parts);
	if (rc < 0)
		gk_settings_release(out);
	return rc;
}

/* The next byte; a carriage return before a newline does not count. */
static int peek(const struct reader *r) {
	if (r->at >= r->text.length)
		return END;
	if (r->text.at[r->at] == '\r' && r->at + 1 < r->text.length && r->text.at[r->at + 1] == '\n')
		return '\n';
	return r->text.at[r->at];
}

static int next(struct reader *r) {
	int c = peek(r);
	if (c != END)
		r->at += c == '\n' && r->text.at[r->at] == '\r' ? 2 : 1;
	return c;
}

/* git's own idea of it: a vertical tab or a form feed is part of a value, and makes another program of it. */
static bool is_blank(int c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int parse_all(struct reader *r, struct gk_settings *out) {
	for (;;) {
		int c = peek(r);
		int rc = 0;
		if (c == END)
			return 0;
		if (is_blank(c))
			next(r);
		else if (c == '#' || c == ';')
			skip_line(r);
		else if (c == '[')
			rc = parse_section(r);
		else if (isalpha(c) && r->in_section)
			rc = parse_setting(r);
		else
			rc = -EBADMSG;
		if (rc == 1)
			rc = gk_git_is_dangerous(r->section, r->subsection, r->name, r->value) ? keep(out, r) : 0;
		if (rc < 0)
			return rc;
	}
}

static void skip_line(struct reader *r) {
	int c;
	do
		c = next(r);
	while (c != END && c != '\n');
}

/* [section], [section "Subsection"] or, of old, [section.subsection], which does not tell cases apart. */
static int parse_section(struct reader *r) {
	char *out = r->section;
	r->subsection[0] = '\0';
	next(r);
	for (;;) {
		int c = next(r);
		if (c == ']' || c == ' ' || c == '\t') {
			*out = '\0';
			if (out == r->section)
				return -EBADMSG;
			r->in_section = true;
			int rc = c == ']' ? 0 : parse_subsection(r);
			char *dot = strchr(r->section, '.');
			if (rc == 0 && dot != NULL) {
				if (r->subsection[0] != '\0')
					return -EBADMSG;
				strcpy(r->subsection, dot + 1);
				*dot = '\0';
			}
			return rc;
		}
		if (c == END || !(isalnum(c) || c == '-' || c == '.'))
			return -EBADMSG;
		*out++ = (char)tolower(c);
	}
}

static int parse_subsection(struct reader *r) {
	char *out = r->subsection;
	int c;
	do
		c = next(r);
	while (c == ' ' || c == '\t');
	if (c != '"')
		return -EBADMSG;
	for (;;) {
		c = next(r);
		if (c == END || c == '\n')
			return -EBADMSG;
		if (c == '"')
			break;
		if (c == '\\') {
			c = next(r);
			if (c == END || c == '\n')
				return -EBADMSG;
		}
		*out++ = (char)c;
	}
	*out = '\0';
	return next(r) == ']' ? 0 : -EBADMSG;
}

/* 1: a setting was read. A name alone means true. */
static int parse_setting(struct reader *r) {
	char *out = r->name;
	while (peek(r) != END && (isalnum(peek(r)) || peek(r) == '-'))
		*out++ = (char)tolower(next(r));
	*out = '\0';
	while (peek(r) == ' ' || peek(r) == '\t')
		next(r);
	int c = next(r);
	if (c == END || c == '\n') {
		strcpy(r->value, "true");
		return 1;
	}
	return c == '=' ? parse_value(r) : -EBADMSG;
}

static int parse_value(struct reader *r) {
	char *out = r->value, *kept = r->value; /* kept: the end without trailing blanks */
	bool quoted = false, comment = false;
	for (;;) {
		int c = next(r);
		if (c == END || c == '\n') {
			if (quoted)
				return -EBADMSG;
			*kept = '\0';
			return 1;
		}
		if (comment)
			continue;
		if (is_blank(c) && !quoted) {
			if (out > r->value)
				*out++ = (char)c;
			continue;
		}
		if (!quoted && (c == ';' || c == '#')) {
			comment = true;
			continue;
		}
		if (c == '"') {
			quoted = !quoted;
			kept = out;
			continue;
		}
		if (c == '\\') {
			int rc = unescape(r, &out);
			if (rc < 0)
				return rc;
		} else {
			*out++ = (char)c;
		}
		kept = out;
	}
}

static int unescape(struct reader *r, char **out) {
	int c = next(r);
	switch (c) {
	case '\n': /* the value goes on in the next line */
		return 0;
	case 't':
		c = '\t';
		break;
	case 'b':
		c = '\b';
		break;
	case 'n':
		c = '\n';
		break;
	case '\\':
	case '"':
		break;
	default:
		return -EBADMSG;
	}
	*(*out)++ = (char)c;
	return 0;
}

static int keep(struct gk_settings *settings, const struct reader *r) {
	const char *const parts[] = {r->section, r->subsection, r->name, r->value};
	for (size_t i = 0; i < GK_COUNT(parts); i++) {
		size_t length = strlen(parts[i]) + 1;
		uint8_t *grown = realloc(settings->bytes, settings->length + length);
		if (grown == NULL)
			return -ENOMEM;
		memcpy(grown + settings->length, parts[i], length);
		settings->bytes = grown;
		settings->length += length;
	}
	return 0;
}

/* The length of the setting that starts at offset: four parts. */
static size_t setting_length(const struct gk_settings *settings, size_t offset) {
	size_t at = offset;
	for (int part = 0; part < 4; part++)
		at += strlen((const char *)settings->bytes + at) + 1;
	return at - offset;
}

void gk_settings_without_worktree(struct gk_settings *settings, bool (*is_fine)(void *context, const char *value), void *context) {
	static const char name[] = "core\0\0worktree"; /* section, no subsection, name; its own NUL ends it */
	for (size_t at = 0; at < settings->length;) {
		size_t length = setting_length(settings, at);
		uint8_t *setting = settings->bytes + at;
		if (length > sizeof name && memcmp(setting, name, sizeof name) == 0 && is_fine(context, (char *)setting + sizeof name)) {
			settings->length -= length;
			memmove(setting, setting + length, settings->length - at);
		} else {
			at += length;
		}
	}
}

bool gk_settings_within(const struct gk_settings *after, const struct gk_settings *before) {
	size_t seen = 0;
	for (size_t at = 0; at < after->length;) {
		size_t length = setting_length(after, at);
		bool found = false;
		while (!found && seen < before->length) {
			size_t other = setting_length(before, seen);
			found = other == length && memcmp(before->bytes + seen, after->bytes + at, length) == 0;
			seen += other;
		}
		if (!found)
			return false;
		at += length;
	}
	return true;
}
