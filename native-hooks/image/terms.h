/* What network rules say of the connections that they allow. Private to the image room. */
#ifndef GK_IMAGE_TERMS_H
#define GK_IMAGE_TERMS_H

#include "image/layout.h"

/* After the rules are known. NULL, or what is wrong. */
const char *gk_terms_check(const struct gk_image *image) GK_MUST_CHECK;

/* Whether rule says that requests are looked into. */
bool gk_rule_inspects(const struct gk_image *image, uint32_t rule);

#endif
