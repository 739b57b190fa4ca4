/* Which of the rules that match wins: docs/policy-image.md, "Deciding". Private to the image room. */
#ifndef GK_IMAGE_PRECEDENCE_H
#define GK_IMAGE_PRECEDENCE_H

#include "image/layout.h"

#define GK_EFFECT_COUNT 4

/* The matching rules, summed up: whom a rule pierces hangs on effect and file alone, so the lowest index of each pair is
 * all that the verdict needs. Fixed size, however many rules match. */
struct gk_matches {
	uint64_t files[GK_EFFECT_COUNT];   /* files with a matching rule of that effect */
	uint64_t pierces[GK_EFFECT_COUNT]; /* files that matching overrides of that effect pierce */
	uint64_t hides;			   /* files with a matching rule that hides what it denies */
	uint32_t grant;			   /* the lowest standing grant, or GK_NO_RULE */
	uint32_t lowest[GK_EFFECT_COUNT][GK_IMAGE_MAX_FILES]; /* valid where files has the bit */
};

void gk_matches_begin(struct gk_matches *matches);
void gk_matches_add(struct gk_matches *matches, const struct gk_image *image, uint32_t rule);
void gk_matches_add_set(struct gk_matches *matches, const struct gk_image *image, uint32_t accept);
/* The same without its grants. Whether it has any. */
bool gk_matches_add_ungranted(struct gk_matches *matches, const struct gk_image *image, uint32_t accept);
/* The verdict; the action's default when nothing was added. */
struct gk_verdict gk_matches_resolve(const struct gk_matches *matches, const struct gk_image *image,
				     enum gk_action action);
/* Whether both give the same effect, whatever other rules match as well. */
bool gk_matches_alike(const struct gk_matches *a, const struct gk_matches *b);

/* What a verdict of rule says, pierced being the strictest rule that it pierced or GK_NO_RULE. */
struct gk_verdict gk_verdict_of_rule(const struct gk_image *image, uint32_t rule, uint32_t pierced);
/* What the action's default says, from its record. */
struct gk_verdict gk_verdict_of_default(const struct gk_image *image, const struct gk_action_record *record);

#endif
