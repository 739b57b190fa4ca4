/* The places where execvp(3) looks for a program. */
#ifndef GK_HOOK_SEARCH_H
#define GK_HOOK_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

/* Room for the longest candidate for file, its end included. */
size_t gk_search_room(const char *file);

/* Where the next candidate comes from; NULL when there is none. */
struct gk_search {
	const char *at;
};
struct gk_search gk_search_begin(void);
/* Writes the next candidate; false when there is none. */
bool gk_search_next(struct gk_search *search, const char *file, char *candidate);

#endif
