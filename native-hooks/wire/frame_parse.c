#include "base/little.h"
#include "wire/frame.h"

#include <errno.h>

#define FIELD_HEADER_BYTES 8

static bool known_type(uint16_t type);
static bool parse_fields(const uint8_t *at, const uint8_t *end, struct gk_frame_view *out);

int gk_frame_parse(struct gk_slice bytes, struct gk_frame_view *out, size_t *used) {
	if (bytes.length < 4)
		return -EAGAIN;
	uint32_t length = gk_load32(bytes.at);
	/* Judged before the rest arrives: a peer cannot make the reader wait for a frame that could never be one. */
	if (length < GK_FRAME_HEADER_BYTES || length > GK_FRAME_MAX_BYTES)
		return -EBADMSG;
	if (bytes.length < length)
		return -EAGAIN;
	uint16_t type = gk_load16(bytes.at + 4);
	if (!known_type(type) || gk_load16(bytes.at + 6) != GK_FRAME_VERSION)
		return -EBADMSG;
	*out = (struct gk_frame_view){.type = (enum gk_frame)type, .number = gk_load64(bytes.at + 8)};
	if (!parse_fields(bytes.at + GK_FRAME_HEADER_BYTES, bytes.at + length, out))
		return -EBADMSG;
	*used = length;
	return 0;
}

uint64_t gk_frame_number(const struct gk_frame_view *frame, enum gk_field tag, uint64_t otherwise) {
	struct gk_slice field = frame->field[tag];
	return field.at && field.length == 8 ? gk_load64(field.at) : otherwise;
}

static bool known_type(uint16_t type) {
	switch ((enum gk_frame)type) {
	case GK_FRAME_DECISION:
	case GK_FRAME_RUN_START:
	case GK_FRAME_RUN_END:
	case GK_FRAME_NOTE:
	case GK_FRAME_RESULT:
	case GK_FRAME_HELLO:
	case GK_FRAME_WELCOME:
	case GK_FRAME_KICK:
	case GK_FRAME_DRAINED:
	case GK_FRAME_CONNECTION:
	case GK_FRAME_IMAGE:
	case GK_FRAME_IMAGE_TAKEN:
	case GK_FRAME_KILL:
	case GK_FRAME_ENDED:
		return true;
	}
	return false;
}

/* Unknown tags of this frame, so that a repeated one is found. Cleared only when there is one at all. */
struct unknown_tags {
	bool used;
	uint64_t bits[65536 / 64];
};

static bool repeats(struct unknown_tags *unknown, uint16_t tag) {
	if (!unknown->used)
		memset(unknown->bits, 0, sizeof(unknown->bits));
	unknown->used = true;
	uint64_t bit = 1ULL << (tag % 64), *word = &unknown->bits[tag / 64];
	bool seen = *word & bit;
	*word |= bit;
	return seen;
}

static bool parse_fields(const uint8_t *at, const uint8_t *end, struct gk_frame_view *out) {
	struct unknown_tags unknown;
	unknown.used = false;
	while (at < end) {
		if (end - at < FIELD_HEADER_BYTES)
			return false;
		uint16_t tag = gk_load16(at), zero = gk_load16(at + 2);
		uint32_t length = gk_load32(at + 4);
		at += FIELD_HEADER_BYTES;
		if (zero != 0 || length > (size_t)(end - at))
			return false;
		if (tag == 0 || tag > GK_FIELD_MAX) {
			if (repeats(&unknown, tag))
				return false;
		} else {
			if (out->field[tag].at || (gk_field_is_number[tag] && length != 8))
				return false;
			out->field[tag] = gk_slice(at, length);
		}
		at += length;
	}
	return true;
}
