/* Pure decisions over a policy image: bytes in, verdict out. No system call, no allocation, safe from any thread. */
#ifndef GK_IMAGE_DECIDE_H
#define GK_IMAGE_DECIDE_H

#include "image/image.h"

#define GK_NO_RULE UINT32_MAX

struct gk_verdict {
	enum gk_effect effect;
	enum gk_source source; /* rule, default, or protection for a rule of layer 0 */
	uint32_t rule;	       /* GK_NO_RULE when none matched */
	uint32_t pierced;      /* GK_NO_RULE when none was pierced */
	bool log;	       /* an allow that deserves a receipt */
	const struct gk_image *image; /* that decided; a reload may have put another in its place by now. NULL: none was asked */
	bool hide;	       /* a denied name that is to look as if it were not there */
	bool check_children;   /* spawns: helpers of this command are judged by themselves */
};

/* path: canonical, absolute, no trailing slash. action: file_read, file_write, file_delete or unix_socket. */
struct gk_verdict gk_decide_path(const struct gk_image *image, enum gk_action action, struct gk_slice path);

/* The verdict if no rule of layer existed: what is left when a guard that denied was satisfied in another way. */
struct gk_verdict gk_decide_path_without(const struct gk_image *image, enum gk_action action, struct gk_slice path,
					 uint8_t layer);

/* base and path: the two canonical texts of docs/policy-image.md. writable_place: the program lies where the run can
 * write, so bare-name allows do not count. */
struct gk_verdict gk_decide_command(const struct gk_image *image, struct gk_slice base, struct gk_slice path,
				    bool writable_place);

/* address: 16 bytes, IPv4 as ::ffff:a.b.c.d, embeddings already unwrapped; port in host order. */
struct gk_verdict gk_decide_address(const struct gk_image *image, const uint8_t address[16], uint16_t port);

/* Whether a rule that has requests looked into could let one pass there, so that the connection is the daemon's to judge. */
bool gk_may_inspect(const struct gk_image *image, const uint8_t address[16], uint16_t port);

/* Whether moving source to destination would judge some name at or beneath it less strictly than before. Both canonical. */
bool gk_move_loosens(const struct gk_image *image, struct gk_slice source, struct gk_slice destination);

/* Whether such a move takes a name beneath source out of a protection, which binds simulated runs as well. */
bool gk_move_unprotects(const struct gk_image *image, struct gk_slice source, struct gk_slice destination);

/* Whether a name at or beneath the first could be written less strictly by way of the second. Both canonical. */
bool gk_alias_loosens(const struct gk_image *image, struct gk_slice name, struct gk_slice other);

/* Whether some path strictly beneath directory could be denied or asked about for action: false means the whole
 * hierarchy is free of stricter rules. Bounded; true when the bound is hit. */
bool gk_stricter_beneath(const struct gk_image *image, enum gk_action action, struct gk_slice directory);

/* A position in the path automata of one action, for walking a tree without starting from the root for every name.
 * Fixed size; GK_CURSOR_AUTOMATA is also the most automata an action may have (the image reader refuses more). */
#define GK_CURSOR_AUTOMATA 64
struct gk_cursor {
	enum gk_action action;
	uint32_t state[GK_CURSOR_AUTOMATA];
};
void gk_cursor_start(const struct gk_image *image, enum gk_action action, struct gk_cursor *cursor);
void gk_cursor_feed(const struct gk_image *image, struct gk_cursor *cursor, struct gk_slice bytes);
struct gk_verdict gk_cursor_verdict(const struct gk_image *image, const struct gk_cursor *cursor);

#endif
