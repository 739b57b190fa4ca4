#include "supervise/call.h"

#include <errno.h>
#include <stdlib.h>

static void settle(struct gk_call *call, struct gk_answer answer) {
	if (call->answer.kind == GK_ANSWER_FD && call->answer.fd >= 0)
		close(call->answer.fd);
	call->answer = answer;
}

void gk_answer_error(struct gk_call *call, int error) {
	settle(call, (struct gk_answer){.kind = GK_ANSWER_ERROR, .error = error == 0 ? EIO : abs(error), .fd = -1});
}

void gk_answer_value(struct gk_call *call, int64_t value) {
	settle(call, (struct gk_answer){.kind = GK_ANSWER_VALUE, .value = value, .fd = -1});
}

void gk_answer_fd(struct gk_call *call, int fd, bool cloexec) {
	settle(call, (struct gk_answer){.kind = GK_ANSWER_FD, .fd = fd, .fd_cloexec = cloexec});
}

void gk_answer_continue(struct gk_call *call) {
	settle(call, (struct gk_answer){.kind = GK_ANSWER_CONTINUE, .fd = -1});
}
