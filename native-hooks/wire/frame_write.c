#include "base/little.h"
#include "wire/frame.h"

#include <errno.h>

#define FIELD_HEADER_BYTES 8

void gk_frame_begin(struct gk_frame_writer *w, uint8_t *buffer, size_t capacity, enum gk_frame type, uint64_t number) {
	*w = (struct gk_frame_writer){
		.buffer = buffer,
		.capacity = capacity < GK_FRAME_MAX_BYTES ? capacity : GK_FRAME_MAX_BYTES,
	};
	if (w->capacity < GK_FRAME_HEADER_BYTES) {
		w->overflow = true;
		return;
	}
	gk_store32(buffer, 0);
	gk_store16(buffer + 4, (uint16_t)type);
	gk_store16(buffer + 6, GK_FRAME_VERSION);
	gk_store64(buffer + 8, number);
	w->length = GK_FRAME_HEADER_BYTES;
}

/* Where the field's bytes go, or NULL when it does not fit or has the wrong type for its tag: a reader would refuse it. */
static uint8_t *add_field(struct gk_frame_writer *w, enum gk_field tag, size_t length, bool number) {
	size_t left = w->capacity - w->length;
	if (w->length == 0 || gk_field_is_number[tag] != number || left < FIELD_HEADER_BYTES ||
	    left - FIELD_HEADER_BYTES < length) {
		w->overflow = true;
		return NULL;
	}
	uint8_t *at = w->buffer + w->length;
	gk_store16(at, (uint16_t)tag);
	gk_store16(at + 2, 0);
	gk_store32(at + 4, (uint32_t)length);
	w->length += FIELD_HEADER_BYTES + length;
	return at + FIELD_HEADER_BYTES;
}

void gk_frame_u64(struct gk_frame_writer *w, enum gk_field tag, uint64_t value) {
	uint8_t *at = add_field(w, tag, sizeof(value), true);
	if (at)
		gk_store64(at, value);
}

void gk_frame_bytes(struct gk_frame_writer *w, enum gk_field tag, struct gk_slice bytes) {
	uint8_t *at = add_field(w, tag, bytes.length, false);
	if (at && bytes.length > 0)
		memcpy(at, bytes.at, bytes.length);
}

int gk_frame_end(struct gk_frame_writer *w) {
	if (w->length >= GK_FRAME_HEADER_BYTES)
		gk_store32(w->buffer, (uint32_t)w->length);
	return w->overflow ? -EMSGSIZE : 0;
}
