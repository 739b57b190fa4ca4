/* Checks of the region. Private to the image room. */
#ifndef GK_IMAGE_REGION_H
#define GK_IMAGE_REGION_H

#include "image/layout.h"

/* After the strings are known. NULL, or what is wrong. */
const char *gk_region_check(const struct gk_image *image) GK_MUST_CHECK;

#endif
