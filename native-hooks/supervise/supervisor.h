/* State of one run's supervisor, shared by its threads. */
#ifndef GK_SUPERVISE_SUPERVISOR_H
#define GK_SUPERVISE_SUPERVISOR_H

#include "image/image.h"
#include "supervise/lent.h"
#include "supervise/unrecorded.h"
#include "wire/journal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

struct gk_channel; /* supervise/channel.h: connection to the daemon */
struct gk_tasks;   /* supervise/task.c */
struct gk_network; /* supervise/network.c: ports bound by the run, listener addresses */
struct gk_region;  /* supervise/region.h: where the run may read by itself */
struct gk_files;   /* supervise/identity.c, terminals.c: identities of denied files, the run's terminals */

struct gk_supervisor {
	_Atomic(const struct gk_image *) image; /* swapped on reload; old images stay mapped until the run ends */
	struct gk_journal *journal;
	struct gk_channel *channel;
	struct gk_tasks *tasks;
	struct gk_network *network;
	struct gk_files *files;
	struct gk_lent lent;
	const struct gk_region *region;
	int listener;
	pid_t supervisor_pid, first_pid; /* ours; the agent's first process */
	bool simulate;
	bool degrade; /* what the journal cannot take happens all the same, and is counted */
	bool by_hook; /* the hook enforces, and asks (supervise/door.h): no filter stands behind it */
	bool warn_on_tighten; /* supervise/tighten.h */
	void (*tell)(const char *format, ...) GK_PRINTF(1, 2); /* one line for the user; NULL in tests */
	uint64_t most_processes; /* of the run together; 0: as many as the system allows */
	const char *run;
	uid_t uid;
	gid_t gid;
	/* Held over every change of the name space (rename, link, unlink, mkdir, create …), so that the run cannot race itself. */
	pthread_mutex_t mutation;
	atomic_ulong mutations_begun, mutations_ended;
	atomic_ulong decided, denied, results_lost;
	struct gk_unrecorded unrecorded;
	atomic_bool ending;
};

static inline const struct gk_image *gk_current_image(struct gk_supervisor *s) {
	return atomic_load_explicit(&s->image, memory_order_acquire);
}

/* 0 while the run's name space is being changed; else a number that stays the same until it is. */
static inline unsigned long gk_mutations_settled(struct gk_supervisor *s) {
	unsigned long ended = atomic_load(&s->mutations_ended);
	return atomic_load(&s->mutations_begun) == ended ? ended + 1 : 0;
}

/* Ends the run at once: every process is killed, the note says why. Returns; the main thread finishes. */
void gk_kill_run(struct gk_supervisor *supervisor, const char *why);

/* Room constructors, called once by main before the loop starts; 0 or -errno. */
int gk_tasks_open(struct gk_supervisor *supervisor) GK_MUST_CHECK;
int gk_network_open(struct gk_supervisor *supervisor, uint16_t proxy_port, uint16_t transparent_port) GK_MUST_CHECK;
int gk_files_open(struct gk_supervisor *supervisor) GK_MUST_CHECK;
/* Vouches for the first process: the program that the user typed is allowed by that act. */
void gk_tasks_typed(struct gk_supervisor *supervisor, pid_t first, const char *program);

#endif
