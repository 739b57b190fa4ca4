/* Resource limits that the supervisor changes for itself and gives back to the agent. */
#ifndef GK_LAUNCH_LIMITS_H
#define GK_LAUNCH_LIMITS_H

#include "launch/options.h"

#include <sys/resource.h>

#define GK_LIMITS_RAISED 5

struct gk_limits {
	struct rlimit inherited[GK_LIMITS_RAISED];
	struct gk_bounds bounds; /* what the policy says of the agent */
};

/* No core dumps (the kernel would write them past the filter, and ours would hold secrets); and as many descriptors, as much
 * memory, file size and time as the user may have: what the agent's shell allows the agent is not meant for us. 0 or -errno. */
int gk_limits_apply(struct gk_limits *limits) GK_MUST_CHECK;
/* In the agent: everything as inherited, but no core dumps, and no more than the policy says. What is lowered here nobody in the run
 * can raise again, since that takes CAP_SYS_RESOURCE. 0 or -errno. */
int gk_limits_restore(const struct gk_limits *limits) GK_MUST_CHECK;

#endif
