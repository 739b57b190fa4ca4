/* Where a run may read by itself, as hints ask: what of the image's region holds on this machine. Fixed for the run's life, as filter and
 * Landlock domain are. */
#ifndef GK_SUPERVISE_REGION_H
#define GK_SUPERVISE_REGION_H

#include "image/image.h"
#include "include/gk_hint.gen.h"

#include <stdbool.h>

struct gk_region {
	enum gk_hints hints;
	size_t count;
	struct gk_slice *path; /* texts of the image that the run starts with */
	char omitted[256];     /* why not all of the region is in it; "" otherwise */
	char executed[256];    /* what may be executed and does not lie in it, so that hints are of directories only; "" otherwise */
};

/* Leaves out what mounts show of other places, and hierarchies with file systems in them that are no ordinary ones. hints is none when nothing is left,
 * else directories: whether files are to follow is told by what may be executed. 0 or -errno; *out is owned by the caller. */
int gk_region_open(const struct gk_image *image, struct gk_region *out) GK_MUST_CHECK;
void gk_region_close(struct gk_region *region);

/* Whether path, canonical, lies at or beneath one of its hierarchies. */
bool gk_region_holds(const struct gk_region *region, struct gk_slice path);

/* Whether files there are read without the supervisor, so that its own answer must not differ: a tree that is declared free of secrets is so under all of
 * its names. region may be NULL. */
static inline bool gk_region_reads(const struct gk_region *region, struct gk_slice path) {
	return region != NULL && region->hints == GK_HINTS_FILES && gk_region_holds(region, path);
}

/* Whether files may be hinted in path or in something beneath it that would move along: Landlock's rule hangs on the directory, not on its name, and what is
 * denied at the new place could be moved into it. region may be NULL. */
bool gk_region_moves(const struct gk_region *region, struct gk_slice path);

/* A hierarchy that image no longer lets be read as a whole; empty when there is none. */
struct gk_slice gk_region_lost(const struct gk_region *region, const struct gk_image *image);

#endif
