/* The Landlock floor beneath supervisor and agent: what neither a bug nor a race gets past.
 *
 * Three nested domains. The supervisor's own bounds what it opens on the agent's behalf. The border lets signals out of the run
 * reach nobody; the killer process lives in it, beside the agent. The agent's own denies what is neither executed nor read by
 * hints: its files are opened for it. Because they nest, the supervisor may still read the agent, and never the other way round. */
#ifndef GK_LAUNCH_FLOOR_H
#define GK_LAUNCH_FLOOR_H

#include "image/image.h"
#include "launch/typed.h"
#include "supervise/region.h"

#include <stdbool.h>

struct gk_floor_input {
	const struct gk_image *image;
	const struct gk_typed *typed;
	const char *run_dir, *images;
	const char *hooks, *image_file; /* lent to the run (supervise/lent.h) unless hooks is NULL */
	const char *offered; /* lent as well, or NULL */
	bool by_hook; /* the agent opens its files itself, as far as the policy could ever let it */
	const char *hook; /* directory of the hook's library, with by_hook */
	struct gk_region *region; /* its hints become those of files when everything that may be executed lies in it */
	bool simulate; /* the supervisor may open anything, as no refusal of the policy holds */
};

/* Rulesets ready to be enforced, owned; -1 when closed. */
struct gk_floor {
	int supervisor, border, agent;
};

/* 0 or -errno; on an error everything is closed again. */
int gk_floor_build(const struct gk_floor_input *input, struct gk_floor *out) GK_MUST_CHECK;
void gk_floor_release(struct gk_floor *floor);

/* The rights that one floor entry of the image gives in the supervisor's and in the agent's domain. */
uint64_t gk_floor_supervisor_rights(uint32_t access);
uint64_t gk_floor_agent_rights(uint32_t access);

#endif
