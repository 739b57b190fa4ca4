/* The run's journal: preallocated, memory-mapped segments. A record is complete before its verdict is released. */
#ifndef GK_WIRE_JOURNAL_H
#define GK_WIRE_JOURNAL_H

#include "wire/frame.h"

struct gk_journal;

/* What gk_journal_append keeps free at the end of a segment for gk_journal_append_final: the longest record and more. */
#define GK_JOURNAL_RESERVE_BYTES (128 * 1024)

/* Opens a new journal in directory (kept open by the journal through its own duplicate). run: 1 to 31 bytes. 0 or -errno;
 * -EEXIST when there is a journal already. A child of fork must not append. */
int gk_journal_open(int directory, struct gk_slice run, struct gk_journal **out) GK_MUST_CHECK;
/* Appends one frame (as finished by gk_frame_end; its number is set here). Thread-safe, no system call unless the segment
 * is full. 0, or -errno (-ENOSPC …): nothing was written and the caller must deny. */
int gk_journal_append(struct gk_journal *journal, struct gk_slice frame) GK_MUST_CHECK;
/* The same; *number, written on 0, is what the record is called by. */
int gk_journal_append_numbered(struct gk_journal *journal, struct gk_slice frame, uint64_t *number) GK_MUST_CHECK;
/* The same for the run's last records: may use the room that gk_journal_append leaves at a segment's end, so that RUN_END is
 * written even when the disk is full. */
int gk_journal_append_final(struct gk_journal *journal, struct gk_slice frame) GK_MUST_CHECK;
/* Where the next record goes: for KICK. Safe from any thread, also while others append. */
void gk_journal_position(const struct gk_journal *journal, uint32_t *segment, uint64_t *offset);
/* Nobody may append any more. The files stay. */
void gk_journal_close(struct gk_journal *journal);

#endif
