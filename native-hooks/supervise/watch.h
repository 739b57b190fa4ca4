/* The watchdog: looks after threads that make no progress, and sleeps while there are none. */
#ifndef GK_SUPERVISE_WATCH_H
#define GK_SUPERVISE_WATCH_H

#include "base/attr.h"

#include <stdbool.h>

/* Starts its thread, and makes GK_SIGNAL_INTERRUPT what it is. 0 or -errno. */
int gk_watch_start(void) GK_MUST_CHECK;
/* Something may come to wait: looks every 60 ms from now on, until nothing does. Cheap while it is awake. */
void gk_watch_wake(void);

#endif
