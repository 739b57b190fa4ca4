#include "launch/limits.h"

#include <errno.h>

static const int raised[GK_LIMITS_RAISED] = {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_CPU};

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
	return 0;
}
