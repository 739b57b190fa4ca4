/* Terminals of the run: the one it was started on and those it made itself. Every other terminal is somebody else's. */
#ifndef GK_SUPERVISE_TERMINALS_H
#define GK_SUPERVISE_TERMINALS_H

#include "supervise/files.h"

int gk_terminals_open(struct gk_terminals **out) GK_MUST_CHECK;

enum gk_device_kind {
	GK_DEVICE_PLAIN,      /* memory devices: opening never waits */
	GK_DEVICE_CONTROLLING,/* /dev/tty */
	GK_DEVICE_MULTIPLEXER,/* /dev/ptmx */
	GK_DEVICE_PTY,	      /* /dev/pts/N */
	GK_DEVICE_OTHER,
};
enum gk_device_kind gk_device_kind_of(const struct stat *st);

/* Whether the terminal behind this character device belongs to the run. */
bool gk_terminal_is_own(struct gk_call *call, const struct stat *st);
/* The caller's controlling terminal, pinned: 0, or -ENXIO when it has none. */
int gk_terminal_controlling(struct gk_call *call, struct gk_object *out) GK_MUST_CHECK;
/* Remembers the pseudo-terminal whose master was just opened for the run. 0 or -errno. */
int gk_terminal_made(struct gk_call *call, int master) GK_MUST_CHECK;
/* The run changed mode or owner of its own terminal: it stays its own. */
void gk_terminal_changed(struct gk_call *call, const struct gk_object *object);

#endif
