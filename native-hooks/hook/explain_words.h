/* A command as the policy sees it (docs/policy-image.md), without the supervisor's knowledge of what started it. */
#ifndef GK_HOOK_EXPLAIN_WORDS_H
#define GK_HOOK_EXPLAIN_WORDS_H

#include "hook/line.h"
#include "image/decide.h"

#define GK_WORDS_MOST 16384

struct gk_words {
	struct gk_line name; /* room for other texts */
	struct gk_slice program;
	size_t base_length;
	uint8_t base[GK_WORDS_MOST], path[GK_WORDS_MOST];
};

/* own: the program's name; alias: that of the link it was called through, or empty. False when the policy allows it as far as can be seen
 * here, or the text is too long to be judged. */
bool gk_words_decide(struct gk_words *words, const struct gk_image *image, struct gk_slice own, struct gk_slice alias, char *const argv[],
		     struct gk_verdict *verdict);

#endif
