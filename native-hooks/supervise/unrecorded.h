/* What the journal could not take: counted, told to the user once, and recorded when there is room again. */
#ifndef GK_SUPERVISE_UNRECORDED_H
#define GK_SUPERVISE_UNRECORDED_H

#include "wire/journal.h"

#include <stdatomic.h>
#include <stdbool.h>

struct gk_supervisor;

enum gk_unrecorded_kind {
	GK_UNRECORDED_ALLOWED, /* what went on all the same */
	GK_UNRECORDED_REFUSED,
	GK_UNRECORDED_NOTE,
	GK_UNRECORDED_KINDS,
};

struct gk_unrecorded {
	atomic_ulong count[GK_UNRECORDED_KINDS];
	atomic_int error; /* the journal's last one */
	atomic_bool told;
};

/* A record of that kind was not taken: `error` of gk_journal_append. */
void gk_unrecorded_add(struct gk_supervisor *supervisor, enum gk_unrecorded_kind kind, int error);
bool gk_unrecorded_pending(struct gk_supervisor *supervisor);
/* Records what is missing, if there is something. It goes before what is recorded next, which the journal does not take either on -errno. */
int gk_unrecorded_record(struct gk_supervisor *supervisor, int (*append)(struct gk_journal *, struct gk_slice));
/* The same from the channel's thread, which may wait for a terminal: the user is told as well. */
void gk_unrecorded_tend(struct gk_supervisor *supervisor);

#endif
