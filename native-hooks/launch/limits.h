/* Resource limits that the supervisor changes for itself and gives back to the agent. */
#ifndef GK_LAUNCH_LIMITS_H
#define GK_LAUNCH_LIMITS_H

#include "base/attr.h"

#include <sys/resource.h>

#define GK_LIMITS_RAISED 5

struct gk_limits {
	struct rlimit inherited[GK_LIMITS_RAISED];
};

/* No core dumps (the kernel would write them past the filter, and ours would hold secrets); and as many descriptors, as much
 * memory, file size and time as the user may have: what the agent's shell allows the agent is not meant for us. 0 or -errno. */
int gk_limits_apply(struct gk_limits *limits) GK_MUST_CHECK;
/* In the agent: everything as inherited, but no core dumps. 0 or -errno. */
int gk_limits_restore(const struct gk_limits *limits) GK_MUST_CHECK;

#endif
