/* Checks of the image's tables: everything but the automata. Private to the image room. */
#ifndef GK_IMAGE_TABLES_H
#define GK_IMAGE_TABLES_H

#include "image/sections.h"

/* Points image at its tables and checks them. NULL, or what is wrong. */
const char *gk_tables_read(struct gk_image *image, const struct gk_section *sections) GK_MUST_CHECK;
/* After the automata are known: every action's automata are its own. */
const char *gk_actions_check(const struct gk_image *image, const struct gk_section *sections) GK_MUST_CHECK;
/* Checks ACCEPTS and sets a bit in starts for each word that begins a set. NULL, or what is wrong. */
const char *gk_accepts_check(const struct gk_image *image, uint64_t *starts) GK_MUST_CHECK;

#endif
