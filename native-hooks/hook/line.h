/* Text that is put together in one place and written once. */
#ifndef GK_HOOK_LINE_H
#define GK_HOOK_LINE_H

#include "base/bytes.h"

/* What a pipe takes in one piece (PIPE_BUF). */
#define GK_LINE_MAX 4096

struct gk_line {
	size_t used;
	bool full; /* something did not fit and was left out */
	char text[GK_LINE_MAX];
};

void gk_line_put(struct gk_line *line, const char *text);
void gk_line_number(struct gk_line *line, unsigned long number, unsigned base);
/* Text from outside: what a terminal would act upon or not draw becomes \xNN or \u{N} (src/core/text/visible.ts). At most about `most` bytes;
 * the rest is left out, and said so. False when it was. */
bool gk_line_visible(struct gk_line *line, struct gk_slice text, size_t most);
/* The same as one word of a shell's command. */
bool gk_line_word(struct gk_line *line, struct gk_slice text, size_t most);

#endif
