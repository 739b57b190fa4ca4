/* Signals that a caller cannot take while it waits for an answer. */
#ifndef GK_SUPERVISE_PENDING_H
#define GK_SUPERVISE_PENDING_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether a signal with a handler waits for the thread tid. Those that a process shares count for its first thread, which the kernel
 * prefers; for the others nobody could say which of them will take it. */
bool gk_has_signal_to_handle(pid_t tid);

#endif
