/* The image's directory: where each section lies, checked before anything in it is read. Private to the image room. */
#ifndef GK_IMAGE_SECTIONS_H
#define GK_IMAGE_SECTIONS_H

#include "image/layout.h"

struct gk_section {
	const uint8_t *at;
	uint32_t length, count;
};

/* Finds all sections. NULL, or what is wrong. section is indexed by gk_section_id. */
const char *gk_sections_read(struct gk_slice bytes, struct gk_section section[GK_SECTION_COUNT + 1]) GK_MUST_CHECK;

#endif
