/* Work that may block: FIFO opens, leases, connects. It must never hold a receiver, or the run deadlocks on itself. */
#ifndef GK_SUPERVISE_POOL_H
#define GK_SUPERVISE_POOL_H

#include "supervise/call.h"

/* Finishes a call on another thread: fills call->answer like a handler. Owns context (malloc'ed) and frees it. A system
 * call in it that fails with EINTR is repeated as long as gk_call_waits, else answered with EINTR: then the caller is gone, or
 * has a signal to handle, after which the kernel repeats the call itself if the handler asked for that (SA_RESTART). */
typedef void gk_work(struct gk_call *call, void *context);

/* Hands the call over: a copy of it (with its pinned /proc directory) is finished by work on a thread of the pool, which
 * sends the answer; the original becomes GK_ANSWER_NONE and the handler must end. 0; or -errno when the pool is full, or this process has
 * as much of it as it leaves to others: the original is then answered with ENOMEM and context stays the handler's. */
int gk_run_blocking(struct gk_call *call, gk_work *work, void *context) GK_MUST_CHECK;

/* For a gk_work: whether the caller still waits and has nothing else to do. */
bool gk_call_waits(const struct gk_call *call);

/* Prepares the pool. */
void gk_pool_open(void);

/* For the watchdog: interrupts workers whose caller is gone or has a signal to handle. Whether any is at work. */
bool gk_pool_look(void);

#endif
