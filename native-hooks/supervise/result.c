#include "supervise/result.h"

#include "supervise/channel.h"
#include "supervise/clock.h"
#include "supervise/supervisor.h"

#include <errno.h>
#include <stdlib.h>

/* From 512 up they are the kernel's own (include/linux/errno.h): what was interrupted is called again. */
#define ERRNO_MAX 511

void gk_receipts_add(struct gk_receipts *receipts, uint64_t number) {
	if (receipts->count < GK_RECEIPTS_MAX)
		receipts->number[receipts->count++] = number;
}

void gk_receipts_forget(struct gk_receipts *receipts) {
	receipts->count = 0;
}

static int append(struct gk_supervisor *supervisor, uint64_t number, int error) {
	uint8_t buffer[128];
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_RESULT, 0);
	gk_frame_u64(&w, GK_FIELD_TIME_NS, gk_clock_ns(CLOCK_REALTIME));
	gk_frame_u64(&w, GK_FIELD_OF, number);
	if (error != GK_RESULT_UNTOLD)
		gk_frame_u64(&w, GK_FIELD_ERRNO, error > ERRNO_MAX ? EINTR : (uint64_t)error);
	int failed = gk_frame_end(&w);
	return failed ? failed : gk_journal_append(supervisor->journal, gk_slice(w.buffer, w.length));
}

void gk_result_record(struct gk_supervisor *supervisor, const struct gk_receipts *receipts, int error) {
	for (unsigned i = 0; i < receipts->count; i++)
		if (append(supervisor, receipts->number[i], error) < 0)
			atomic_fetch_add_explicit(&supervisor->results_lost, 1, memory_order_relaxed);
	if (receipts->count > 0 && supervisor->channel != NULL)
		gk_channel_kick(supervisor->channel);
}

void gk_result_of_answer(struct gk_call *call) {
	switch (call->answer.kind) {
	case GK_ANSWER_ERROR: return gk_result_record(call->supervisor, &call->receipts, abs(call->answer.error));
	case GK_ANSWER_VALUE:
	case GK_ANSWER_FD: return gk_result_record(call->supervisor, &call->receipts, 0);
	case GK_ANSWER_CONTINUE: /* the kernel's to say: of programs the next call tells (verify.c) */
	case GK_ANSWER_NONE: return;
	}
}
