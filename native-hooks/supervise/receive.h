/* The receivers: threads that take calls from the kernel and finish them. */
#ifndef GK_SUPERVISE_RECEIVE_H
#define GK_SUPERVISE_RECEIVE_H

#include "supervise/supervisor.h"

/* Each of them waits for a call and finishes it itself. While all are busy, the next that is free takes in whatever has come
 * (into fixed slots), and they serve process by process in turn. When they make no progress (a lookup on a file server that does
 * not answer, memory that never comes), the watchdog starts more, up to a bound; no process may have more than half of what is
 * left of it. 0 or -errno. */
int gk_receivers_start(struct gk_supervisor *supervisor) GK_MUST_CHECK;

/* For the watchdog: starts receivers where those that there are do not suffice, and interrupts those whose caller is gone. Whether
 * any is busy. */
bool gk_receivers_look(void);

#endif
