/* The notification loop: receive, dispatch, answer. */
#ifndef GK_SUPERVISE_LOOP_H
#define GK_SUPERVISE_LOOP_H

#include "supervise/call.h"
#include "supervise/supervisor.h"

#include <linux/seccomp.h>
#include <signal.h>

/* Makes a call of what the kernel delivered. */
void gk_call_begin(struct gk_supervisor *supervisor, const struct seccomp_notif *request, struct gk_call *out);
/* Handles it, or leaves it to the pool; what is to be answered stands in the call then, for gk_call_finish. */
void gk_call_serve(struct gk_call *call);
/* Sends the answer of a call that its handler has finished, exactly once, and releases what the call holds. */
void gk_call_finish(struct gk_call *call);

/* Starts a thread with the stack that handlers need, which ends by itself. 0 or -errno. */
int gk_handler_thread_start(void *(*body)(void *), void *argument) GK_MUST_CHECK;

/* What every thread that handles calls does first: a file system context of its own (umask is set for each creation), and no
 * signals but GK_SIGNAL_INTERRUPT. 0 or -errno. */
int gk_handler_thread_begin(void) GK_MUST_CHECK;

/* Starts the watchdog and the receivers on supervisor->listener. 0 or -errno. */
int gk_loop_start(struct gk_supervisor *supervisor) GK_MUST_CHECK;

/* A call comes under way; gk_call_finish, or this, ends that. */
void gk_loop_hold(void);
void gk_loop_release(void);
/* Waits until no call is being handled, at most about a second: after that nothing is changed or recorded any more. Whether it is so. */
bool gk_loop_drain(void);

/* Stack of the threads that handle calls: several path buffers and a receipt. */
#define GK_HANDLER_STACK_BYTES (1024 * 1024)

/* Interrupts a blocking call of a thread whose caller is gone. Its handler does nothing. */
#define GK_SIGNAL_INTERRUPT SIGRTMIN

#endif
