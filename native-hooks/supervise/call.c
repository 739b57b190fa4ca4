#include "supervise/call.h"

#include "supervise/door.h"
#include "sys/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

bool gk_call_valid(const struct gk_call *call) {
	if (call->by_door)
		return gk_door_waits(call);
	return gk_notify_is_pending(call->listener, call->id);
}

int gk_call_proc(struct gk_call *call, int *fd) {
	if (call->proc < 0) {
		char path[32];
		snprintf(path, sizeof(path), "/proc/%d", call->tid);
		GK_AUTO_CLOSE int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0)
			return errno == ENOENT ? -ESRCH : -errno;
		/* Only while the caller still waits is the number known to be its own, not that of a successor. */
		if (!gk_call_valid(call))
			return -ESRCH;
		call->proc = gk_take_fd(&proc);
	}
	*fd = call->proc;
	return 0;
}
