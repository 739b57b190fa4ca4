/* Ending whole process trees. */
#ifndef GK_SYS_DESCEND_H
#define GK_SYS_DESCEND_H

#include "base/attr.h"

#include <sys/types.h>

/* Kills every process beneath the caller and reaps children until none is left. The caller must be a child subreaper, or double
 * forks escape. The wait status of the child watched, when it is reaped here, goes to *status (0 and NULL: no interest). 0, or
 * -ETIME when some were still alive after about three seconds. */
int gk_kill_descendants(pid_t watched, int *status) GK_MUST_CHECK;

/* How many processes are beneath the caller, those included that have ended and were not waited for. 0 or -errno. */
int gk_count_descendants(size_t *out) GK_MUST_CHECK;

#endif
