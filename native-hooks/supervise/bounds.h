/* How much the supervisor takes on at once. Derived from the descriptors that it may have, so that no number of calls that wait can use
 * up those that the next call needs. */
#ifndef GK_SUPERVISE_BOUNDS_H
#define GK_SUPERVISE_BOUNDS_H

#include <stddef.h>

enum {
	GK_RECEIVERS_MAX = 256, /* threads that finish calls */
	GK_PARKED_MAX = 16384,	/* calls received and not begun; more wait in the kernel, in the order of their arrival */
	GK_WORKERS_MAX = 4096,	/* threads for calls that are known to wait */
	GK_JOBS_MAX = 6144,	/* such calls, at a worker or waiting for one; more are refused with ENOMEM */
};

struct gk_bounds {
	size_t receivers, jobs;
};

/* From RLIMIT_NOFILE as it is now. */
struct gk_bounds gk_bounds_now(void);

#endif
