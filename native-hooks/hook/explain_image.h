/* The policy image, mapped at the first refusal that it may explain. */
#ifndef GK_HOOK_EXPLAIN_IMAGE_H
#define GK_HOOK_EXPLAIN_IMAGE_H

#include "image/image.h"

/* NULL when there is none, or none that is valid: then nothing is explained. */
const struct gk_image *gk_explain_image(void);

#endif
