/* One file of the journal: allocated, mapped, written to. Private to the journal. */
#ifndef GK_WIRE_SEGMENT_H
#define GK_WIRE_SEGMENT_H

#include "base/attr.h"
#include "base/bytes.h"
#include "include/gk_wire.gen.h"

#define GK_JOURNAL_RUN_BYTES 32

struct gk_segment {
	uint8_t *map;
	uint64_t size, offset; /* offset: where the next record goes */
	uint32_t number;
};

/* Creates and maps segment `number` in directory, with its header; it appears under its name only when it is whole. run is
 * NUL padded. 0 or -errno (-EEXIST, -ENOSPC …), nothing left behind on an error. */
int gk_segment_create(int directory, uint32_t number, const char run[GK_JOURNAL_RUN_BYTES], uint64_t first_record,
		      struct gk_segment *out) GK_MUST_CHECK;
void gk_segment_unmap(struct gk_segment *segment);

/* Whether a frame of length fits and leaves `reserve` bytes behind it besides room for the end mark. */
bool gk_segment_has_room(const struct gk_segment *segment, size_t length, uint64_t reserve);
/* Writes a record that has room. The frame's number becomes `number`. */
void gk_segment_write(struct gk_segment *segment, struct gk_slice frame, uint64_t number);
/* Says that the next segment continues; it must exist already. */
void gk_segment_end(struct gk_segment *segment);

#endif
