/* What the processes of a start tell the supervisor over one SOCK_SEQPACKET pair. */
#ifndef GK_LAUNCH_REPORT_H
#define GK_LAUNCH_REPORT_H

#include "base/attr.h"

#include <sys/types.h>

enum gk_stage {
	GK_STAGE_KILLER, /* the killer stands ready */
	GK_STAGE_BORN,	 /* the agent's process exists: pid */
	GK_STAGE_PARENT,
	GK_STAGE_LIMITS,
	GK_STAGE_DESCRIPTORS,
	GK_STAGE_LANDLOCK,
	GK_STAGE_FILTER,
	GK_STAGE_EXEC,
	GK_STAGE_COUNT,
};

struct gk_report {
	enum gk_stage stage;
	int error; /* negative errno, or 0 */
	pid_t pid;
};

/* What was being done at this stage, for an error line. */
const char *gk_stage_text(enum gk_stage stage);

/* Best effort: a supervisor that is gone hears nothing. */
void gk_report_send(int socket, enum gk_stage stage, int error, pid_t pid);
/* 0; -EPIPE when every other end is closed; -EAGAIN after the socket's timeout; -errno. */
int gk_report_receive(int socket, struct gk_report *out) GK_MUST_CHECK;
/* Reports a failure and ends the process. */
_Noreturn void gk_report_and_exit(int socket, enum gk_stage stage, int error);

/* One byte that lets the other side go on. 0 or -errno. */
int gk_go_send(int socket) GK_MUST_CHECK;
int gk_go_await(int socket) GK_MUST_CHECK;

#endif
