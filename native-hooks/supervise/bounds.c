#include "supervise/bounds.h"

#include <sys/resource.h>

/* What a call holds while it is being finished (process directory, base, object, two parents, what is opened), and one that waits. */
enum { FOR_RECEIVER = 8, FOR_JOB = 2, FOR_OURSELVES = 64 };

static size_t clamp(size_t value, size_t least, size_t most) {
	return value < least ? least : value > most ? most : value;
}

struct gk_bounds gk_bounds_now(void) {
	struct rlimit limit;
	size_t descriptors = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)limit.rlim_cur : 0;
	struct gk_bounds bounds;
	bounds.receivers = clamp(descriptors / 4 / FOR_RECEIVER, 4, GK_RECEIVERS_MAX);
	size_t kept = bounds.receivers * FOR_RECEIVER + FOR_OURSELVES;
	bounds.jobs = clamp(descriptors > kept ? (descriptors - kept) / FOR_JOB : 0, 4, GK_JOBS_MAX);
	return bounds;
}
