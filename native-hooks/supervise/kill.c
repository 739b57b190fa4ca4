#include "supervise/kill.h"

#include "supervise/judge.h"

#include <unistd.h>

static _Atomic(const char *) reason;
static atomic_int killer = -1;

void gk_kill_arm(int fd) {
	atomic_store(&killer, fd);
}

const char *gk_kill_reason(void) {
	return atomic_load(&reason);
}

void gk_kill_run(struct gk_supervisor *supervisor, const char *why) {
	if (atomic_exchange(&supervisor->ending, true))
		return;
	atomic_store(&reason, why);
	/* The kill goes first: the note may have to wait for the disk. */
	int fd = atomic_load(&killer);
	if (fd >= 0 && write(fd, "", 1) != 1)
		kill(supervisor->first_pid, SIGKILL); /* the killer is gone; the main thread's sweep ends the others */
	kill(getpid(), GK_SIGNAL_ENDING);
	struct gk_call nobody = {.supervisor = supervisor, .proc = -1, .listener = -1};
	gk_note(&nobody, "killed", gk_slice_of(why));
}
