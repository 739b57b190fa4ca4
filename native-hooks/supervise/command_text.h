/* The canonical text of a command, which command patterns are matched against: docs/policy-image.md. */
#ifndef GK_SUPERVISE_COMMAND_TEXT_H
#define GK_SUPERVISE_COMMAND_TEXT_H

#include "base/attr.h"
#include "base/bytes.h"

/* The longest text that is decided upon. What would be longer is refused rather than matched in part. */
#define GK_COMMAND_TEXT_MAX (8U << 20)
/* What a receipt keeps of it. */
#define GK_COMMAND_SHOWN 4096

/* A text whose arguments are written once and whose name can be set again and again. Zeroed before first use; memory is
 * kept until gk_command_text_free. */
struct gk_command_text {
	uint8_t *bytes; /* room for the longest quoted name, then the arguments */
	size_t start, end;
};

/* Writes the arguments: strings that each end in NUL, the first left out (the name takes its place). 0, -ENOMEM, or -EOVERFLOW
 * when the text would pass the maximum. */
int gk_command_text_open(struct gk_command_text *text, struct gk_slice arguments) GK_MUST_CHECK;
/* Sets the name; at most PATH_MAX bytes, or -ENAMETOOLONG. */
int gk_command_text_name(struct gk_command_text *text, struct gk_slice name) GK_MUST_CHECK;
void gk_command_text_free(struct gk_command_text *text);

static inline struct gk_slice gk_command_text_slice(const struct gk_command_text *text) {
	return gk_slice(text->bytes + text->start, text->end - text->start);
}

/* text when it is short, else its head and tail around an ellipsis, in out. */
struct gk_slice gk_command_shown(struct gk_slice text, uint8_t out[GK_COMMAND_SHOWN]);

/* The part of a path after its last slash. */
struct gk_slice gk_base_name(struct gk_slice path);

#endif
