#include "hook/search.h"

#include <string.h>

extern char **environ __attribute__((weak));

/* Where libc looks when there is no PATH. */
static const char places_without_path[] = "/bin:/usr/bin";

struct gk_search gk_search_begin(void) {
	for (char **at = &environ != NULL ? environ : NULL; at != NULL && *at != NULL; at++)
		if (strncmp(*at, "PATH=", 5) == 0)
			return (struct gk_search){*at + 5};
	return (struct gk_search){places_without_path};
}

static size_t place_length(const char *at) {
	size_t length = 0;
	while (at[length] != '\0' && at[length] != ':')
		length++;
	return length;
}

size_t gk_search_room(const char *file) {
	size_t longest = 0;
	const char *at = gk_search_begin().at;
	for (;; at++) {
		size_t length = place_length(at);
		longest = length > longest ? length : longest;
		at += length;
		if (*at == '\0')
			return longest + 1 + strlen(file) + 1;
	}
}

/* An empty place is the working directory. */
bool gk_search_next(struct gk_search *search, const char *file, char *candidate) {
	const char *at = search->at;
	if (at == NULL)
		return false;
	size_t length = place_length(at);
	search->at = at[length] == ':' ? at + length + 1 : NULL;
	memcpy(candidate, at, length);
	if (length > 0)
		candidate[length++] = '/';
	memcpy(candidate + length, file, strlen(file) + 1);
	return true;
}
