/* The first and the last record of a run's journal. */
#ifndef GK_LAUNCH_RECORD_H
#define GK_LAUNCH_RECORD_H

#include "supervise/supervisor.h"

/* argv: what the user typed. in_force: what holds, where that is less than everything; else empty. 0 or -errno; nothing may start that is not recorded. */
int gk_record_start(struct gk_supervisor *supervisor, char *const *argv, struct gk_slice image_digest, const char *in_force) GK_MUST_CHECK;
/* status: wait status of the agent's first process. */
int gk_record_end(struct gk_supervisor *supervisor, int status) GK_MUST_CHECK;

#endif
