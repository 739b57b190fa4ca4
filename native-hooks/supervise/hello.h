/* The first words between supervisor and daemon. */
#ifndef GK_SUPERVISE_HELLO_H
#define GK_SUPERVISE_HELLO_H

#include "supervise/channel.h"

/* Must equal the product's version in src/core/version.ts. */
#define GK_VERSION "0.1.0"

/* Connects, says HELLO and waits for WELCOME. *out is owned by the caller: blocking, writes time out. Errors as for
 * gk_channel_open. */
int gk_hello(struct gk_supervisor *supervisor, const struct gk_channel_options *options, int *out) GK_MUST_CHECK;

#endif
