#include "supervise/unrecorded.h"

#include "supervise/channel.h"
#include "supervise/clock.h"
#include "supervise/supervisor.h"

#include <stdio.h>

static int append_note(struct gk_supervisor *supervisor, const unsigned long count[GK_UNRECORDED_KINDS],
		       int (*append)(struct gk_journal *, struct gk_slice));

void gk_unrecorded_add(struct gk_supervisor *supervisor, enum gk_unrecorded_kind kind, int error) {
	atomic_store(&supervisor->unrecorded.error, -error);
	atomic_fetch_add(&supervisor->unrecorded.count[kind], 1);
	if (supervisor->channel != NULL)
		gk_channel_kick(supervisor->channel);
}

bool gk_unrecorded_pending(struct gk_supervisor *supervisor) {
	for (int kind = 0; kind < GK_UNRECORDED_KINDS; kind++)
		if (atomic_load_explicit(&supervisor->unrecorded.count[kind], memory_order_relaxed) != 0)
			return true;
	return false;
}

/* The counts are taken before they are told of: who counts meanwhile counts for the next record, and none is told of twice. */
int gk_unrecorded_record(struct gk_supervisor *supervisor, int (*append)(struct gk_journal *, struct gk_slice)) {
	if (!gk_unrecorded_pending(supervisor))
		return 0;
	unsigned long count[GK_UNRECORDED_KINDS];
	for (int kind = 0; kind < GK_UNRECORDED_KINDS; kind++)
		count[kind] = atomic_exchange(&supervisor->unrecorded.count[kind], 0);
	int error = append_note(supervisor, count, append);
	if (error == 0)
		atomic_store(&supervisor->unrecorded.told, false);
	for (int kind = 0; error < 0 && kind < GK_UNRECORDED_KINDS; kind++)
		atomic_fetch_add(&supervisor->unrecorded.count[kind], count[kind]);
	return error;
}

void gk_unrecorded_tend(struct gk_supervisor *supervisor) {
	if (!gk_unrecorded_pending(supervisor))
		return;
	if (!atomic_exchange(&supervisor->unrecorded.told, true) && supervisor->tell != NULL)
		supervisor->tell("the run's journal cannot be written (%s): %s; make room where gatekeeper keeps its state",
				 strerror(atomic_load(&supervisor->unrecorded.error)),
				 supervisor->degrade ? "what has no receipt is allowed all the same, and counted"
						     : "what needs a receipt is refused");
	(void)!gk_unrecorded_record(supervisor, gk_journal_append);
}

static int append_note(struct gk_supervisor *supervisor, const unsigned long count[GK_UNRECORDED_KINDS],
		       int (*append)(struct gk_journal *, struct gk_slice)) {
	uint8_t buffer[512];
	char text[256];
	struct gk_frame_writer w;
	unsigned long all = count[GK_UNRECORDED_ALLOWED] + count[GK_UNRECORDED_REFUSED] + count[GK_UNRECORDED_NOTE];
	if (all == 0)
		return 0;
	snprintf(text, sizeof(text), "the journal could not be written (%s): allowed %lu, refused %lu, notes %lu",
		 strerror(atomic_load(&supervisor->unrecorded.error)), count[GK_UNRECORDED_ALLOWED], count[GK_UNRECORDED_REFUSED],
		 count[GK_UNRECORDED_NOTE]);
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_NOTE, 0);
	gk_frame_times(&w);
	gk_frame_bytes(&w, GK_FIELD_KIND, gk_slice_of(supervisor->degrade ? "degraded" : "unrecorded"));
	gk_frame_bytes(&w, GK_FIELD_TEXT, gk_slice_of(text));
	gk_frame_u64(&w, GK_FIELD_COUNT, all);
	int error = gk_frame_end(&w);
	if (error == 0)
		error = append(supervisor->journal, gk_slice(w.buffer, w.length));
	if (error == 0 && supervisor->channel != NULL)
		gk_channel_kick(supervisor->channel);
	return error;
}
