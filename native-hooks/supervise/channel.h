/* The connection to the daemon. It may be gone at any time; the supervisor goes on without it. */
#ifndef GK_SUPERVISE_CHANNEL_H
#define GK_SUPERVISE_CHANNEL_H

#include "supervise/supervisor.h"

/* Sends one finished frame whole, or -EPIPE when there is no daemon now (a redirected connection is then refused). */
int gk_channel_send(struct gk_channel *channel, struct gk_slice frame) GK_MUST_CHECK;
/* Says that the journal has grown; cheap, coalesced, never blocks. */
void gk_channel_kick(struct gk_channel *channel);

/* What the connection needs, also to make it anew. All borrowed for the life of the channel. */
struct gk_channel_options {
	const char *socket;  /* path of the daemon's socket */
	const char *run_dir; /* absolute */
	const char *images;  /* directory that new policy images come from, absolute */
	struct gk_slice token;
};

/* Connects and waits for the daemon's welcome. *out lives as long as the process. 0; -ETIMEDOUT no welcome within 5 s;
 * -EACCES the socket is another user's or the daemon refused; -errno. */
int gk_channel_open(struct gk_supervisor *supervisor, const struct gk_channel_options *options, struct gk_channel **out) GK_MUST_CHECK;
/* Starts the thread that listens to the daemon and reconnects. 0 or -errno. */
int gk_channel_start(struct gk_channel *channel) GK_MUST_CHECK;
/* Tells the daemon that the run ended with this wait status and that its journal is complete: the last frame. */
void gk_channel_end(struct gk_channel *channel, int status);

#endif
