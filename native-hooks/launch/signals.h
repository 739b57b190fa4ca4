/* Signals that the supervisor's own processes and threads send each other. See also GK_SIGNAL_INTERRUPT and GK_SIGNAL_ENDING. */
#ifndef GK_LAUNCH_SIGNALS_H
#define GK_LAUNCH_SIGNALS_H

#include <signal.h>

/* The guardian is gone (the supervisor's parent-death signal). */
#define GK_SIGNAL_ORPHANED (SIGRTMIN + 2)
/* The supervisor is done, and its exit status comes with the signal: some thread of it may still hang in a file server. */
#define GK_SIGNAL_DONE (SIGRTMIN + 3)

#endif
