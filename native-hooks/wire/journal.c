#include "wire/journal.h"

#include "base/little.h"
#include "wire/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct gk_journal {
	pthread_mutex_t lock; /* over everything below but position */
	struct gk_segment segment;
	uint64_t next_number;
	int directory;
	char run[GK_JOURNAL_RUN_BYTES];
	_Atomic uint64_t position; /* segment number and offset in one, so that asking takes no lock */
};

static int append(struct gk_journal *journal, struct gk_slice frame, uint64_t reserve, uint64_t *number);
static void publish_position(struct gk_journal *journal);

int gk_journal_open(int directory, struct gk_slice run, struct gk_journal **out) {
	if (run.length == 0 || run.length >= GK_JOURNAL_RUN_BYTES)
		return -EINVAL;
	struct gk_journal *journal = calloc(1, sizeof(*journal));
	if (!journal)
		return -ENOMEM;
	memcpy(journal->run, run.at, run.length);
	journal->next_number = 1;
	journal->directory = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	int error = journal->directory < 0 ? -errno : -pthread_mutex_init(&journal->lock, NULL);
	if (error == 0)
		error = gk_segment_create(journal->directory, 1, journal->run, 1, &journal->segment);
	if (error < 0) {
		gk_journal_close(journal);
		return error;
	}
	publish_position(journal);
	*out = journal;
	return 0;
}

int gk_journal_append(struct gk_journal *journal, struct gk_slice frame) {
	uint64_t number;
	return append(journal, frame, GK_JOURNAL_RESERVE_BYTES, &number);
}

int gk_journal_append_numbered(struct gk_journal *journal, struct gk_slice frame, uint64_t *number) {
	return append(journal, frame, GK_JOURNAL_RESERVE_BYTES, number);
}

int gk_journal_append_final(struct gk_journal *journal, struct gk_slice frame) {
	uint64_t number;
	return append(journal, frame, 0, &number);
}

void gk_journal_position(const struct gk_journal *journal, uint32_t *segment, uint64_t *offset) {
	uint64_t position = atomic_load_explicit(&journal->position, memory_order_acquire);
	*segment = (uint32_t)(position >> 32);
	*offset = position & UINT32_MAX;
}

void gk_journal_close(struct gk_journal *journal) {
	if (!journal)
		return;
	gk_segment_unmap(&journal->segment);
	if (journal->directory >= 0)
		close(journal->directory);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}

static void publish_position(struct gk_journal *journal) {
	uint64_t position = (uint64_t)journal->segment.number << 32 | journal->segment.offset;
	atomic_store_explicit(&journal->position, position, memory_order_release);
}

/* The next segment exists before the old one points to it: a reader never follows a mark into nothing. */
static int next_segment(struct gk_journal *journal) {
	struct gk_segment next;
	int error = gk_segment_create(journal->directory, journal->segment.number + 1, journal->run, journal->next_number,
				      &next);
	if (error < 0)
		return error;
	gk_segment_end(&journal->segment);
	gk_segment_unmap(&journal->segment);
	journal->segment = next;
	return 0;
}

static int append(struct gk_journal *journal, struct gk_slice frame, uint64_t reserve, uint64_t *number) {
	if (frame.length < GK_FRAME_HEADER_BYTES || frame.length > GK_FRAME_MAX_BYTES || gk_load32(frame.at) != frame.length)
		return -EINVAL;
	pthread_mutex_lock(&journal->lock);
	int error = 0;
	if (!gk_segment_has_room(&journal->segment, frame.length, reserve))
		error = next_segment(journal);
	if (error == 0) {
		*number = journal->next_number++;
		gk_segment_write(&journal->segment, frame, *number);
		publish_position(journal);
	}
	pthread_mutex_unlock(&journal->lock);
	return error;
}
