#include "supervise/hide.h"

#include "image/decide.h"
#include "supervise/supervisor.h"

#include <stddef.h>

/* struct linux_dirent and linux_dirent64 (getdents(2)): the length of an entry stands behind two words of 8 bytes. */
#define LENGTH_AT 16

bool gk_is_hidden(const struct gk_call *call, struct gk_slice path) {
	if (call->supervisor->simulate || path.length == 0)
		return false;
	return gk_decide_path(gk_current_image(call->supervisor), GK_ACTION_FILE_READ, path).hide && !gk_leads_to_lent(call->supervisor, path);
}

static bool is_dots(const char *name) {
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

size_t gk_hide_entries(const struct gk_call *call, struct gk_slice directory, uint8_t *entries, size_t length, size_t name_at) {
	const struct gk_image *image = gk_current_image(call->supervisor);
	struct gk_cursor inside;
	gk_cursor_start(image, GK_ACTION_FILE_READ, &inside);
	gk_cursor_feed(image, &inside, directory);
	if (directory.length != 1) /* the root ends in a slash already */
		gk_cursor_feed(image, &inside, gk_slice_of("/"));
	size_t kept = 0;
	for (size_t at = 0; at < length;) {
		uint16_t size;
		memcpy(&size, entries + at + LENGTH_AT, sizeof(size));
		const char *name = (const char *)entries + at + name_at;
		struct gk_cursor entry = inside;
		gk_cursor_feed(image, &entry, gk_slice_of(name));
		if (is_dots(name) || !gk_cursor_verdict(image, &entry).hide) {
			memmove(entries + kept, entries + at, size);
			kept += size;
		}
		at += size;
	}
	return kept;
}
