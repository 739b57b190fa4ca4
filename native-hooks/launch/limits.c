#include "launch/limits.h"

#include <errno.h>

static const int raised[GK_LIMITS_RAISED] = {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_CPU};

static int lower(int resource, uint64_t bound, uint64_t grace);

int gk_limits_apply(struct gk_limits *limits) {
	for (size_t i = 0; i < GK_LIMITS_RAISED; i++) {
		struct rlimit *inherited = &limits->inherited[i];
		if (getrlimit((__rlimit_resource_t)raised[i], inherited) < 0)
			return -errno;
		const struct rlimit highest = {.rlim_cur = inherited->rlim_max, .rlim_max = inherited->rlim_max};
		if (setrlimit((__rlimit_resource_t)raised[i], &highest) < 0)
			return -errno;
	}
	return setrlimit(RLIMIT_CORE, &(struct rlimit){0}) < 0 ? -errno : 0;
}

int gk_limits_restore(const struct gk_limits *limits) {
	for (size_t i = 0; i < GK_LIMITS_RAISED; i++)
		if (setrlimit((__rlimit_resource_t)raised[i], &limits->inherited[i]) < 0)
			return -errno;
	int error = lower(RLIMIT_NOFILE, limits->bounds.open_files, 0);
	/* Private writable memory. The whole address space (RLIMIT_AS) would count what runtimes reserve and never touch. */
	if (error == 0)
		error = lower(RLIMIT_DATA, limits->bounds.memory, 0);
	/* SIGXCPU first, which a program may catch to say so; a second later SIGKILL, which none catches. */
	if (error == 0)
		error = lower(RLIMIT_CPU, limits->bounds.cpu_time, 1);
	return error;
}

static int lower(int resource, uint64_t bound, uint64_t grace) {
	struct rlimit limit;
	if (bound == 0)
		return 0;
	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return -errno;
	if (limit.rlim_max > bound + grace) /* RLIM_INFINITY is the highest of all */
		limit.rlim_max = bound + grace;
	if (limit.rlim_cur > bound)
		limit.rlim_cur = bound;
	return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}
