/* New processes of a run whose policy limits how many it may have. */
#ifndef GK_SUPERVISE_BIRTH_H
#define GK_SUPERVISE_BIRTH_H

#include "supervise/call.h"

/* clone (of a process, not of a thread), fork and vfork: goes on while there is room, else EAGAIN, as under RLIMIT_NPROC. */
gk_handler gk_do_birth;

#endif
