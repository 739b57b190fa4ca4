#include "supervise/tighten.h"

#include "supervise/judge.h"
#include "supervise/region.h"

#include <stdio.h>

static void note(struct gk_supervisor *supervisor, const char *text);

void gk_tighten(struct gk_supervisor *supervisor, const struct gk_image *image) {
	static char text[1024]; /* of the one thread that takes images; the reason of an end outlives this function */
	const struct gk_region *region = supervisor->region;
	if (region == NULL || region->hints == GK_HINTS_NONE || atomic_load(&supervisor->ending))
		return;
	struct gk_slice lost = gk_region_lost(region, image);
	/* What is in force may have been so already, and said. */
	if (lost.length == 0 || gk_region_lost(region, gk_current_image(supervisor)).length > 0)
		return;
	bool files = region->hints == GK_HINTS_FILES, ends = files && !supervisor->warn_on_tighten;
	snprintf(text, sizeof(text), "the policy is stricter now beneath %.*s, where this run may %s by itself%s", (int)(lost.length < 512 ? lost.length : 512),
		 (const char *)lost.at, files ? "read" : "list directories", ends ? " (onTighten: end)" : "");
	if (ends) {
		gk_kill_run(supervisor, text);
		return;
	}
	note(supervisor, text);
	if (files && supervisor->tell != NULL)
		supervisor->tell("%s", text);
}

static void note(struct gk_supervisor *supervisor, const char *text) {
	struct gk_call nobody = {.supervisor = supervisor, .proc = -1, .listener = -1};
	gk_note(&nobody, "tightened", gk_slice_of(text));
}
