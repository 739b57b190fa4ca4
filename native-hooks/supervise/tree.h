/* Walking a directory tree with a position in the policy's automata at every name. */
#ifndef GK_SUPERVISE_TREE_H
#define GK_SUPERVISE_TREE_H

#include "image/decide.h"

#include <stdint.h>
#include <sys/types.h>

enum { GK_TREE_CURSORS = 2, GK_TREE_DEPTH_MAX = 200 };

/* A name on the walk: a position for each cursor, and how long its path is. */
struct gk_tree_name {
	struct gk_cursor cursor[GK_TREE_CURSORS];
	size_t length;
};

/* Called for every name. directory: where it lies; type: DT_* (never DT_UNKNOWN). 1: walk beneath it too, 0: go on, negative:
 * end the walk with this result. */
typedef int gk_tree_visit(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at);

struct gk_tree {
	const struct gk_image *image;
	gk_tree_visit *visit;
	void *context;
	size_t names_left;
	bool skip_unreadable; /* pass over directories that we may not read; else they end the walk */
	bool shut;	      /* set when one was passed over that the run could have closed, as it can open it again */
	dev_t device; /* directories on others are not entered */
	char *path;   /* buffer of PATH_MAX: the name at hand is spelled out here; its length is gk_tree_name.length. NULL: nobody asks for
		       * names, and those that are longer are walked like any other */
};

/* Walks beneath directory (borrowed, readable), whose own position is at and whose path is in tree->path. 0, what a visit
 * returned, -E2BIG when a bound is hit, or the -errno of a directory that cannot be read. */
int gk_tree_walk(struct gk_tree *tree, int directory, const struct gk_tree_name *at) GK_MUST_CHECK;

#endif
