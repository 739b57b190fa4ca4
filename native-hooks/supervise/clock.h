/* The two times that every record carries. */
#ifndef GK_SUPERVISE_CLOCK_H
#define GK_SUPERVISE_CLOCK_H

#include "wire/frame.h"

#include <time.h>

static inline uint64_t gk_clock_ns(clockid_t clock) {
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static inline void gk_frame_times(struct gk_frame_writer *w) {
	gk_frame_u64(w, GK_FIELD_TIME_NS, gk_clock_ns(CLOCK_REALTIME));
	gk_frame_u64(w, GK_FIELD_BOOT_NS, gk_clock_ns(CLOCK_BOOTTIME));
}

#endif
