/* What a run needs before anything of it is started. */
#ifndef GK_LAUNCH_SETUP_H
#define GK_LAUNCH_SETUP_H

#include "launch/floor.h"
#include "launch/limits.h"
#include "launch/options.h"
#include "supervise/channel.h"
#include "sys/sha256.h"

/* Exit statuses of docs/supervisor-usage.md. */
enum { GK_EXIT_SETUP = 125, GK_EXIT_CANNOT_EXECUTE = 126, GK_EXIT_NOT_FOUND = 127 };

struct gk_setup {
	const struct gk_options *options;
	struct gk_limits limits;
	struct gk_typed typed;
	struct gk_floor floor;
	struct gk_region region;
	char images[PATH_MAX];
	char hook[PATH_MAX]; /* directory of the hook's library, where it enforces */
	char in_force[128];  /* for the record: what holds besides the hook; else empty */
	uint8_t token[256];
	uint8_t digest[GK_SHA256_BYTES];
	struct gk_supervisor supervisor;
};

/* Turns this process into the supervisor and opens everything, the Landlock domain last. guardian is its parent. 0, or the exit
 * status after an error line was written. */
int gk_set_up(const struct gk_options *options, pid_t guardian, struct gk_setup *out) GK_MUST_CHECK;

#endif
