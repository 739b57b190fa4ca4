#include "launch/hints.h"

#include "launch/complain.h"

#include <stdlib.h>
#include <string.h>

static const char *why_none(const struct gk_region *region, const struct gk_options *options);

void gk_hints_withdraw(enum gk_hints hints) {
	char *in = getenv("GATEKEEPER_HOOK");
	if (in == NULL || hints == GK_HINTS_FILES)
		return;
	char *out = in;
	for (; *in != '\0' && *in != ':'; in++)
		if (*in != 'f' && !(*in == 'd' && hints == GK_HINTS_NONE))
			*out++ = *in;
	memmove(out, in, strlen(in) + 1);
}

void gk_hints_tell(const struct gk_region *region, const struct gk_image *image, const struct gk_options *options) {
	if (!options->verbose || options->by_hook)
		return;
	bool partly = region->count > 0 && region->omitted[0] != '\0';
	const char *but = partly ? "; not everywhere: " : "", *omitted = partly ? region->omitted : "";
	switch (region->hints) {
	case GK_HINTS_NONE:
		return gk_complain("hints: none (%s)", why_none(region, options));
	case GK_HINTS_DIRECTORIES:
		if (gk_image_hints_files(image))
			return gk_complain("hints: directories (files: %s may be executed and lies in no tree that may be read as a whole)%s%s",
					   region->executed, but, omitted);
		return gk_complain("hints: directories (files: %s)%s%s", options->hints_why, but, omitted);
	case GK_HINTS_FILES:
		return gk_complain("hints: files and directories%s%s", but, omitted);
	}
}

static const char *why_none(const struct gk_region *region, const struct gk_options *options) {
	if (options->simulate)
		return "what a simulated run does is recorded";
	return region->omitted[0] != '\0' ? region->omitted : options->hints_why;
}
