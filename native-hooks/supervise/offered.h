/* What the run reads in place of three files of the system: which servers resolve names, which names are known without one, and whom libc asks at all. The daemon
 * writes them for the run (docs/network.md), so that its resolvers ask the daemon and nobody else.
 *
 * Only what reads gets them, after the policy allowed reading the system's own file. Whatever else is done with the name (looking, writing, holding it by
 * O_PATH) is done with that file. Where the offered file cannot be opened the run gets the system's: the address of a server that it cannot reach is no secret. */
#ifndef GK_SUPERVISE_OFFERED_H
#define GK_SUPERVISE_OFFERED_H

#include "base/attr.h"
#include "base/bytes.h"

#include <limits.h>

struct gk_call;
struct gk_open_request;

/* A file under its own name, and where a link of that name led when the run started, be it to nothing. */
struct gk_offered_file {
	const char *base;
	size_t own_length, target_length; /* 0: no link */
	char own[PATH_MAX], target[PATH_MAX]; /* canonical */
};

enum { GK_OFFERED_FILES = 3 };

struct gk_offered {
	int directory; /* O_PATH, owned; -1: nothing is offered */
	struct gk_offered_file file[GK_OFFERED_FILES];
};

/* directory: canonical, or empty when nothing is offered. system: where the files lie that are replaced, "/etc". 0 or -errno. */
int gk_offered_open(const char *directory, const char *system, struct gk_offered *out) GK_MUST_CHECK;

/* Whether something may be offered in place of path, canonical. */
bool gk_is_replaced(const struct gk_offered *offered, struct gk_slice path);

/* A descriptor of what is offered in place of path, canonical and judged, for an open that only reads with these flags; or -errno. The daemon replaces the files as a
 * whole, so the name is looked up each time. */
int gk_offered_take(const struct gk_offered *offered, struct gk_slice path, int flags) GK_MUST_CHECK;

/* Answers the call when it only reads a file that the system does not have and the run is offered. */
bool gk_open_offered_alone(struct gk_call *call, const struct gk_open_request *request) GK_MUST_CHECK;

#endif
