/* When a word of a command's canonical text stands in quotes: docs/policy-image.md, "Deciding". */
#ifndef GK_BASE_QUOTES_H
#define GK_BASE_QUOTES_H

#include "base/bytes.h"

#include <stdbool.h>

static inline bool gk_needs_quotes(struct gk_slice word) {
	for (size_t i = 0; i < word.length; i++) {
		uint8_t byte = word.at[i];
		if (byte <= 0x20 || byte == 0x7f || byte == '\'' || byte == '"' || byte == '\\')
			return true;
	}
	return word.length == 0;
}

#endif
