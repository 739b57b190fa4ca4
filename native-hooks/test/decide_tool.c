/* decide_tool IMAGE: answers requests on standard input, one a line, for tests that compare decide() with TypeScript.
 *
 *   path ACTION HEX          ACTION: a name (file_read …) or its number
 *   command WRITABLE HEX HEX WRITABLE: 0 or 1; the base text, the path text
 *   address HEX PORT         16 bytes, already unwrapped
 *   move HEX HEX             source, destination
 *   beneath ACTION HEX       a directory
 *   region                   of the image
 *
 * Hex may be `-` for no bytes. Answers: `effect source rule pierced log hide` as numbers (-1: none), `loosens` or `holds` for a move,
 * `stricter` or `free` for beneath, `files` or `directories` and the hierarchies in hex for region. A line that is no request ends the tool with status 2. */
#include "image/decide.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS 4

static int from_hex(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Decodes in place: the bytes are never longer than their hex. */
static bool read_hex(char *hex, struct gk_slice *out) {
	size_t length = strcmp(hex, "-") == 0 ? 0 : strlen(hex);
	uint8_t *bytes = (uint8_t *)hex;
	if (length % 2 != 0)
		return false;
	for (size_t i = 0; i < length / 2; i++) {
		int high = from_hex(hex[2 * i]), low = from_hex(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*out = gk_slice(bytes, length / 2);
	return true;
}

static bool read_number(const char *text, unsigned long max, unsigned long *out) {
	char *end;
	*out = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == 0 && *out <= max;
}

static bool read_action(const char *text, enum gk_action *out) {
	static const char *const names[GK_ACTION_COUNT] = {"file_read",	 "file_write", "file_delete", "shell_exec",
							   "network", "unix_socket", "tool_call"};
	unsigned long number;
	for (unsigned i = 0; i < GK_ACTION_COUNT; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum gk_action)i;
			return true;
		}
	if (!read_number(text, GK_ACTION_COUNT - 1, &number))
		return false;
	*out = (enum gk_action)number;
	return true;
}

static bool print_verdict(struct gk_verdict verdict) {
	printf("%d %d %d %d %d %d\n", (int)verdict.effect, (int)verdict.source, (int)verdict.rule, (int)verdict.pierced, verdict.log,
	       verdict.hide);
	return true;
}

/* One line: whether files may be hinted, then the hierarchies in hex. */
static bool print_region(const struct gk_image *image) {
	printf("%s", gk_image_hints_files(image) ? "files" : "directories");
	for (uint32_t i = 0; i < gk_image_region_count(image); i++) {
		struct gk_slice path = gk_image_region(image, i);
		putchar(' ');
		for (size_t at = 0; at < path.length; at++)
			printf("%02x", path.at[at]);
	}
	putchar('\n');
	return true;
}

static bool answer(const struct gk_image *image, char *word[WORDS + 1], int words) {
	enum gk_action action;
	struct gk_slice a, b;
	unsigned long number;
	if (words == 3 && strcmp(word[0], "path") == 0 && read_action(word[1], &action) && read_hex(word[2], &a))
		return print_verdict(gk_decide_path(image, action, a));
	if (words == 4 && strcmp(word[0], "command") == 0 && read_number(word[1], 1, &number) && read_hex(word[2], &a) &&
	    read_hex(word[3], &b))
		return print_verdict(gk_decide_command(image, a, b, number == 1));
	if (words == 3 && strcmp(word[0], "address") == 0 && read_hex(word[1], &a) && a.length == 16 &&
	    read_number(word[2], 65535, &number))
		return print_verdict(gk_decide_address(image, a.at, (uint16_t)number));
	if (words == 3 && strcmp(word[0], "inspect") == 0 && read_hex(word[1], &a) && a.length == 16 &&
	    read_number(word[2], 65535, &number))
		return puts(gk_may_inspect(image, a.at, (uint16_t)number) ? "inspects" : "not") >= 0;
	if (words == 3 && strcmp(word[0], "move") == 0 && read_hex(word[1], &a) && read_hex(word[2], &b))
		return puts(gk_move_loosens(image, a, b) ? "loosens" : "holds") >= 0;
	if (words == 1 && strcmp(word[0], "region") == 0)
		return print_region(image);
	if (words == 3 && strcmp(word[0], "beneath") == 0 && read_action(word[1], &action) && read_hex(word[2], &a))
		return puts(gk_stricter_beneath(image, action, a) ? "stricter" : "free") >= 0;
	return false;
}

static bool answer_line(const struct gk_image *image, char *line) {
	char *word[WORDS + 1], *rest = NULL;
	int words = 0;
	for (char *at = strtok_r(line, " \n", &rest); at && words <= WORDS; at = strtok_r(NULL, " \n", &rest))
		word[words++] = at;
	return answer(image, word, words);
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: decide_tool IMAGE\n");
		return 2;
	}
	GK_AUTO_CLOSE int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	struct gk_image *image;
	const char *why = NULL;
	int error = fd < 0 ? -errno : gk_image_open(fd, &image, &why);
	if (error < 0) {
		fprintf(stderr, "decide_tool: %s: %s\n", argv[1], why ? why : strerror(-error));
		return 1;
	}
	char *line = NULL;
	size_t capacity = 0;
	bool good = true;
	while (good && getline(&line, &capacity, stdin) >= 0) {
		good = answer_line(image, line);
		/* Who drives the tool may wait for each answer. */
		fflush(stdout);
	}
	if (!good)
		fprintf(stderr, "decide_tool: not a request\n");
	free(line);
	gk_image_close(image);
	return good ? 0 : 2;
}
