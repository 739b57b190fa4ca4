#include "supervise/spawn_arguments.h"

#include <errno.h>
#include <stdlib.h>

/* A copy of part of one page of the caller. Arguments mostly lie side by side, so one copy serves many of them. */
#define PAGE_BYTES 4096U
struct window {
	struct gk_call *call;
	uint64_t start;
	size_t length;
	uint8_t bytes[PAGE_BYTES];
};

/* Makes *at and *length what is known from address to its page's end. */
static int look(struct window *window, uint64_t address, const uint8_t **at, size_t *length) {
	if (window->length == 0 || address < window->start || address - window->start >= window->length) {
		size_t want = PAGE_BYTES - (size_t)(address % PAGE_BYTES);
		window->length = 0;
		int error = gk_read_memory(window->call, address, window->bytes, want);
		if (error)
			return error;
		window->start = address;
		window->length = want;
	}
	size_t offset = (size_t)(address - window->start);
	*at = window->bytes + offset;
	*length = window->length - offset;
	return 0;
}

/* A pointer may straddle two pages. */
static int read_pointer(struct window *window, uint64_t address, uint64_t *out) {
	uint8_t bytes[sizeof(*out)];
	for (size_t done = 0; done < sizeof(bytes);) {
		const uint8_t *at;
		size_t length;
		int error = look(window, address + done, &at, &length);
		if (error)
			return error;
		size_t take = length < sizeof(bytes) - done ? length : sizeof(bytes) - done;
		memcpy(bytes + done, at, take);
		done += take;
	}
	memcpy(out, bytes, sizeof(bytes));
	return 0;
}

static int append(struct gk_arguments *arguments, const uint8_t *bytes, size_t length) {
	size_t needed = arguments->length + length;
	if (needed > GK_ARGUMENTS_MAX)
		return -E2BIG;
	if (needed > arguments->capacity) {
		size_t capacity = needed * 2;
		uint8_t *grown = arguments->bytes == arguments->brief ? malloc(capacity)
								       : realloc(arguments->bytes, capacity);
		if (grown == NULL)
			return -ENOMEM;
		if (arguments->bytes == arguments->brief)
			memcpy(grown, arguments->brief, arguments->length);
		arguments->bytes = grown;
		arguments->capacity = capacity;
	}
	memcpy(arguments->bytes + arguments->length, bytes, length);
	arguments->length = needed;
	return 0;
}

static int append_string(struct window *window, uint64_t address, struct gk_arguments *arguments) {
	for (size_t done = 0; done < GK_ARGUMENT_MAX;) {
		const uint8_t *at;
		size_t length;
		int error = look(window, address + done, &at, &length);
		if (error)
			return error;
		if (length > GK_ARGUMENT_MAX - done)
			length = GK_ARGUMENT_MAX - done;
		const uint8_t *end = memchr(at, '\0', length);
		size_t take = end != NULL ? (size_t)(end - at) + 1 : length;
		error = append(arguments, at, take);
		if (error || end != NULL)
			return error;
		done += take;
	}
	return -E2BIG;
}

int gk_arguments_read(struct gk_call *call, uint64_t vector, struct gk_arguments *out) {
	struct window pointers = {.call = call, .length = 0}, strings = {.call = call, .length = 0};
	out->bytes = out->brief;
	out->length = 0;
	out->capacity = sizeof(out->brief);
	/* Pointers count against the kernel's limit too. */
	for (size_t i = 0; vector != 0; i++) {
		uint64_t string;
		int error = i < GK_ARGUMENTS_MAX / sizeof(string)
				    ? read_pointer(&pointers, vector + i * sizeof(string), &string)
				    : -E2BIG;
		if (error)
			return error;
		if (string == 0)
			break;
		error = append_string(&strings, string, out);
		if (error)
			return error;
	}
	return out->length > 0 ? 0 : append(out, (const uint8_t *)"", 1);
}

void gk_arguments_free(struct gk_arguments *arguments) {
	if (arguments->bytes != arguments->brief)
		free(arguments->bytes);
	arguments->bytes = NULL;
	arguments->length = arguments->capacity = 0;
}
