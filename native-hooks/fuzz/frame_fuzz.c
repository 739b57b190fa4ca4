/* Any bytes: a frame that lies within them, or refused; what is taken is the same when it is written again. */
#include "fuzz/driver.h"
#include "wire/crc32.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long taken, refused, unfinished;

static void write_again(const struct gk_frame_view *view) {
	static uint8_t buffer[GK_FRAME_MAX_BYTES];
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, sizeof(buffer), view->type, view->number);
	for (unsigned tag = 1; tag <= GK_FIELD_MAX; tag++) {
		if (!view->field[tag].at)
			continue;
		if (gk_field_is_number[tag])
			gk_frame_u64(&w, (enum gk_field)tag, gk_frame_number(view, (enum gk_field)tag, 0));
		else
			gk_frame_bytes(&w, (enum gk_field)tag, view->field[tag]);
	}
	struct gk_frame_view again;
	size_t used;
	if (gk_frame_end(&w) != 0 || gk_frame_parse(gk_slice(buffer, w.length), &again, &used) != 0 || used != w.length)
		abort();
	for (unsigned tag = 1; tag <= GK_FIELD_MAX; tag++)
		if (!gk_slice_equal(view->field[tag], again.field[tag]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
	struct gk_frame_view view;
	size_t used = 0;
	(void)gk_crc32(gk_slice(bytes, length));
	switch (gk_frame_parse(gk_slice(bytes, length), &view, &used)) {
	case 0:
		taken++;
		if (used > length)
			abort();
		write_again(&view);
		break;
	case -EAGAIN:
		unfinished++;
		break;
	case -EBADMSG:
		refused++;
		break;
	default:
		abort();
	}
	return 0;
}

struct gk_slice gk_fuzz_seed(unsigned index) {
	static const enum gk_frame types[] = {GK_FRAME_DECISION, GK_FRAME_NOTE, GK_FRAME_HELLO, GK_FRAME_KILL};
	if (index >= sizeof(types) / sizeof(types[0]))
		return gk_slice(NULL, 0);
	uint8_t *buffer = malloc(1024);
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, 1024, types[index], index);
	for (unsigned tag = 1; tag <= GK_FIELD_MAX && index < 3; tag += 1 + index) {
		if (gk_field_is_number[tag])
			gk_frame_u64(&w, (enum gk_field)tag, tag);
		else
			gk_frame_bytes(&w, (enum gk_field)tag, gk_slice_of("some bytes"));
	}
	if (gk_frame_end(&w) != 0)
		abort();
	return gk_slice(buffer, w.length);
}

int gk_fuzz_report(void) {
	printf("frame_fuzz: %lu frames taken, %lu refused, %lu unfinished\n", taken, refused, unfinished);
	return taken == 0 || refused == 0 || unfinished == 0;
}
