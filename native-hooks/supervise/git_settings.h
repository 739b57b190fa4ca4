/* git's configuration syntax (git-config(1), "Syntax"), and which settings run something. Pure: bytes in, settings out. */
#ifndef GK_SUPERVISE_GIT_SETTINGS_H
#define GK_SUPERVISE_GIT_SETTINGS_H

#include "base/attr.h"
#include "base/bytes.h"

/* The settings of one file that make git run a program, in their order, in one canonical form each: "section", "subsection",
 * "name", "value", every part ended by a NUL. */
struct gk_settings {
	uint8_t *bytes; /* owned */
	size_t length;
};
void gk_settings_release(struct gk_settings *settings);

/* 0; -EBADMSG when git itself could not read the text, or we cannot be sure to read it as git does; -ENOMEM. */
int gk_settings_parse(struct gk_slice text, struct gk_settings *out) GK_MUST_CHECK;

/* Leaves out each core.worktree whose value is fine. */
void gk_settings_without_worktree(struct gk_settings *settings, bool (*is_fine)(void *context, const char *value), void *context);

/* Whether every setting of after was there before, in the same order. */
bool gk_settings_within(const struct gk_settings *after, const struct gk_settings *before);

#endif
