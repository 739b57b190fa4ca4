/* What is lent to the run: files of gatekeeper's own that it may read under any policy, because programs load them. These are the hooks in
 * its environment, the policy images by which they explain refusals (the one that the run was started with and the one in force), and what
 * the daemon offers it (supervise/offered.h). */
#ifndef GK_SUPERVISE_LENT_H
#define GK_SUPERVISE_LENT_H

#include "base/bytes.h"
#include "image/image.h"
#include "include/gk_wire.gen.h"

#include <limits.h>
#include <stdbool.h>

struct gk_supervisor;

struct gk_lent {
	char hooks[PATH_MAX];	/* canonical directories; empty: nothing of the kind is lent */
	char images[PATH_MAX];	/* of no use without hooks */
	char offered[PATH_MAX];
	const struct gk_image *first;
};

/* hooks: the directory, or NULL when the run has none. Both must be there: 0 or -errno. */
int gk_lent_open(struct gk_lent *lent, const char *hooks, const char *images, const struct gk_image *first) GK_MUST_CHECK;
/* The same of the directory of what is offered, or NULL. */
int gk_lent_offer(struct gk_lent *lent, const char *offered) GK_MUST_CHECK;

/* Whether action is the reading of such a file, by its canonical path. */
bool gk_is_lent(struct gk_supervisor *supervisor, enum gk_action action, struct gk_slice path);

/* Whether path is such a file or a directory on the way to one, which cannot be hidden then: who loads a file may look at these. */
bool gk_leads_to_lent(struct gk_supervisor *supervisor, struct gk_slice path);

#endif
