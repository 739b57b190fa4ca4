/* Passing one descriptor over a Unix socket. */
#ifndef GK_SYS_PASS_H
#define GK_SYS_PASS_H

#include "base/attr.h"

/* fd stays the caller's. 0 or -errno. */
int gk_pass_descriptor(int socket, int fd) GK_MUST_CHECK;
/* *out is owned by the caller and close-on-exec. 0; -EPIPE when the other side closed without sending; -errno. */
int gk_receive_descriptor(int socket, int *out) GK_MUST_CHECK;

#endif
