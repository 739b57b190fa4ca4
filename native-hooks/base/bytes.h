/* Byte strings: paths, argv and host names are bytes, never C strings that might end early. */
#ifndef GK_BASE_BYTES_H
#define GK_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes. */
struct gk_slice {
	const uint8_t *at;
	size_t length;
};

static inline struct gk_slice gk_slice(const void *at, size_t length) {
	return (struct gk_slice){.at = at, .length = length};
}

static inline struct gk_slice gk_slice_of(const char *text) {
	return gk_slice(text, strlen(text));
}

static inline bool gk_slice_equal(struct gk_slice a, struct gk_slice b) {
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/* Byte order; a prefix comes first. */
static inline int gk_slice_compare(struct gk_slice a, struct gk_slice b) {
	size_t common = a.length < b.length ? a.length : b.length;
	int order = common == 0 ? 0 : memcmp(a.at, b.at, common);
	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

#endif
