/* Frames of the journal and of the supervisor channel: docs/wire.md. */
#ifndef GK_WIRE_FRAME_H
#define GK_WIRE_FRAME_H

#include "base/attr.h"
#include "base/bytes.h"
#include "include/gk_wire.gen.h"

/* A frame being written into a caller's buffer. A field that does not fit sets overflow and is left out. */
struct gk_frame_writer {
	uint8_t *buffer;
	size_t capacity, length;
	bool overflow;
};
void gk_frame_begin(struct gk_frame_writer *w, uint8_t *buffer, size_t capacity, enum gk_frame type, uint64_t number);
void gk_frame_u64(struct gk_frame_writer *w, enum gk_field tag, uint64_t value);
void gk_frame_bytes(struct gk_frame_writer *w, enum gk_field tag, struct gk_slice bytes);
/* Writes the length; 0, or -EMSGSIZE when a field was left out. */
int gk_frame_end(struct gk_frame_writer *w) GK_MUST_CHECK;

/* A received frame, validated as a whole: fields borrow from the bytes. */
struct gk_frame_view {
	enum gk_frame type;
	uint64_t number;
	struct gk_slice field[GK_FIELD_MAX + 1]; /* at == NULL: absent */
};
/* 0, -EAGAIN when bytes hold less than a frame, -EBADMSG when malformed. *used is the frame's length on 0. */
int gk_frame_parse(struct gk_slice bytes, struct gk_frame_view *out, size_t *used) GK_MUST_CHECK;
uint64_t gk_frame_number(const struct gk_frame_view *frame, enum gk_field tag, uint64_t otherwise);

#endif
