/* The process that ends a run. It lives inside the border of the run's Landlock domains, so that kill(-1) reaches every process of
 * the run, all at once (no fork can slip through, as the kernel walks the list under its lock), and nobody else. */
#ifndef GK_LAUNCH_KILLER_H
#define GK_LAUNCH_KILLER_H

#include <sys/types.h>

/* Body of the killer: reports on socket that it is ready, closes all but life, and waits there for a byte, or for the end of every
 * writer, which is the death of the supervisor. supervisor must be out of the reach of its signals: proof that the border
 * holds, without which kill(-1) would end the user's session. */
_Noreturn void gk_killer(int socket, int life, pid_t supervisor);

#endif
