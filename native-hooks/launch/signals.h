/* Signals that the supervisor's own processes and threads send each other. See also GK_SIGNAL_INTERRUPT and GK_SIGNAL_ENDING. */
#ifndef GK_LAUNCH_SIGNALS_H
#define GK_LAUNCH_SIGNALS_H

#include <signal.h>

/* The guardian is gone (the supervisor's parent-death signal). */
#define GK_SIGNAL_ORPHANED (SIGRTMIN + 2)

#endif
