/* Frames: what is written is read back, and nothing else is. */
#include "base/little.h"
#include "test/check.h"
#include "wire/crc32.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdlib.h>

static int parse(const uint8_t *bytes, size_t length, struct gk_frame_view *view) {
	/* An exact copy on the heap, so that a sanitizer sees a read past the end. */
	uint8_t *copy = malloc(length + 1);
	size_t used = 0;
	if (!copy)
		abort();
	memcpy(copy, bytes, length);
	int error = gk_frame_parse(gk_slice(copy, length), view, &used);
	CHECK(error != 0 || used <= length);
	free(copy);
	return error;
}

static size_t sample(uint8_t *buffer, size_t capacity) {
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, capacity, GK_FRAME_DECISION, 7);
	gk_frame_u64(&w, GK_FIELD_PID, 0x1122334455667788ULL);
	gk_frame_bytes(&w, GK_FIELD_TARGET, gk_slice("/a\0b", 4));
	gk_frame_bytes(&w, GK_FIELD_COMMAND, gk_slice_of(""));
	CHECK(gk_frame_end(&w) == 0);
	return w.length;
}

static void a_frame_is_read_back(void) {
	uint8_t buffer[256];
	size_t length = sample(buffer, sizeof(buffer)), used = 0;
	struct gk_frame_view view;
	CHECK(gk_frame_parse(gk_slice(buffer, sizeof(buffer)), &view, &used) == 0 && used == length);
	CHECK(view.type == GK_FRAME_DECISION && view.number == 7);
	CHECK(gk_frame_number(&view, GK_FIELD_PID, 0) == 0x1122334455667788ULL);
	CHECK(gk_frame_number(&view, GK_FIELD_TID, 5) == 5);
	CHECK(gk_slice_equal(view.field[GK_FIELD_TARGET], gk_slice("/a\0b", 4)));
	CHECK(view.field[GK_FIELD_COMMAND].at && view.field[GK_FIELD_COMMAND].length == 0);
	CHECK(!view.field[GK_FIELD_TARGET2].at);
	/* The layout itself, as the other language reads it. */
	static const uint8_t head[] = {0, 0, 0, 0, 1, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 0x88};
	CHECK(memcmp(buffer + 4, head + 4, sizeof(head) - 4) == 0 && gk_load32(buffer) == length);
}

static void a_prefix_is_not_a_frame(void) {
	uint8_t buffer[256];
	struct gk_frame_view view;
	size_t length = sample(buffer, sizeof(buffer));
	for (size_t cut = 0; cut < length; cut++)
		CHECK(parse(buffer, cut, &view) == -EAGAIN, "cut at %zu", cut);
}

static void malformed_frames_are_refused(void) {
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} rows[] = {
		{"length below a header", 0, 15},  {"length above the most", 2, 2},  {"unknown type", 4, 9},
		{"unknown version", 6, 2},	   {"reserved bytes", 18, 1},	     {"integer of 4 bytes", 20, 4},
		{"field passes the end", 48, 1},   {"repeated tag", 32, GK_FIELD_PID},
		{"field far past the end", 39, 0xff},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		uint8_t buffer[256];
		struct gk_frame_view view;
		size_t length = sample(buffer, sizeof(buffer));
		buffer[rows[i].at] = rows[i].value;
		CHECK(parse(buffer, length, &view) == -EBADMSG, "%s", rows[i].what);
	}
}

static void a_tag_occurs_once(void) {
	static const uint16_t tags[] = {0, GK_FIELD_MAX + 1, 65535, GK_FIELD_TARGET};
	for (size_t i = 0; i < GK_COUNT(tags); i++)
		for (unsigned copies = 1; copies <= 2; copies++) {
			uint8_t buffer[64] = {0};
			struct gk_frame_view view;
			size_t length = GK_FRAME_HEADER_BYTES + 8 * copies;
			gk_store32(buffer, (uint32_t)length);
			gk_store16(buffer + 4, GK_FRAME_NOTE);
			gk_store16(buffer + 6, GK_FRAME_VERSION);
			for (unsigned copy = 0; copy < copies; copy++)
				gk_store16(buffer + GK_FRAME_HEADER_BYTES + 8 * copy, tags[i]);
			CHECK(parse(buffer, length, &view) == (copies == 1 ? 0 : -EBADMSG), "tag %u", tags[i]);
		}
}

static void what_does_not_fit_is_left_out_and_said(void) {
	static uint8_t buffer[GK_FRAME_MAX_BYTES + 64], big[GK_FRAME_MAX_BYTES];
	struct gk_frame_writer w;
	struct gk_frame_view view;
	for (size_t capacity = 0; capacity < 80; capacity++) {
		gk_frame_begin(&w, buffer, capacity, GK_FRAME_NOTE, 0);
		gk_frame_u64(&w, GK_FIELD_PID, 1);
		gk_frame_bytes(&w, GK_FIELD_TEXT, gk_slice_of("text"));
		gk_frame_u64(&w, GK_FIELD_TID, 2);
		CHECK(gk_frame_end(&w) == (capacity >= 60 ? 0 : -EMSGSIZE), "capacity %zu", capacity);
		CHECK(w.length <= capacity && (capacity < 16 || parse(buffer, w.length, &view) == 0), "capacity %zu", capacity);
	}
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_NOTE, 0);
	gk_frame_bytes(&w, GK_FIELD_TEXT, gk_slice(big, GK_FRAME_MAX_BYTES - 24));
	CHECK(gk_frame_end(&w) == 0 && w.length == GK_FRAME_MAX_BYTES && parse(buffer, w.length, &view) == 0);
	gk_frame_u64(&w, GK_FIELD_PID, 1);
	CHECK(gk_frame_end(&w) == -EMSGSIZE);
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_NOTE, 0);
	gk_frame_bytes(&w, GK_FIELD_PID, gk_slice_of("12345678"));
	CHECK(gk_frame_end(&w) == -EMSGSIZE, "bytes under an integer's tag");
}

static void checksums_are_those_of_zlib(void) {
	CHECK(gk_crc32(gk_slice_of("")) == 0);
	CHECK(gk_crc32(gk_slice_of("123456789")) == 0xcbf43926U);
	CHECK(gk_crc32(gk_slice_of("The quick brown fox jumps over the lazy dog")) == 0x414fa339U);
}

int main(void) {
	a_frame_is_read_back();
	a_prefix_is_not_a_frame();
	malformed_frames_are_refused();
	a_tag_occurs_once();
	what_does_not_fit_is_left_out_and_said();
	checksums_are_those_of_zlib();
	return gk_check_status();
}
