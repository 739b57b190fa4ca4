#include "supervise/alias.h"

#include <errno.h>
#include <stdio.h>

/* The length of path without its last component, at least 1. */
static size_t parent_length(struct gk_slice path) {
	const uint8_t *slash = memrchr(path.at, '/', path.length);
	size_t length = slash == NULL ? 0 : (size_t)(slash - path.at);
	return length == 0 ? 1 : length;
}

static bool append(char out[PATH_MAX], size_t *length, struct gk_slice name) {
	bool slash = *length > 0 && out[*length - 1] != '/';
	if (*length + slash + name.length >= PATH_MAX)
		return false;
	if (slash)
		out[(*length)++] = '/';
	memcpy(out + *length, name.at, name.length);
	*length += name.length;
	return true;
}

/* Whether path is special among its neighbours: something beneath it is guarded that would not be beneath any other name there. */
static bool is_special(const struct gk_image *image, const struct gk_files *files, struct gk_slice path) {
	char neighbour[PATH_MAX];
	size_t length = parent_length(path);
	memcpy(neighbour, path.at, length);
	return !append(neighbour, &length, gk_slice_of(files->reserved)) ||
	       gk_alias_loosens(image, path, gk_slice(neighbour, length));
}

/* Where the link leads as far as its text tells: ".." counts at its start alone, where the directories before it are real ones. */
static bool read_target(struct gk_slice path, struct gk_slice text, char out[PATH_MAX], size_t *length) {
	*length = 1;
	out[0] = '/';
	if (text.length > 0 && text.at[0] != '/') {
		*length = parent_length(path);
		memcpy(out, path.at, *length);
	}
	bool named = false;
	for (size_t at = 0; at < text.length;) {
		size_t end = at;
		while (end < text.length && text.at[end] != '/')
			end++;
		struct gk_slice part = gk_slice(text.at + at, end - at);
		at = end + 1;
		if (part.length == 0 || gk_slice_equal(part, gk_slice_of(".")))
			continue;
		if (gk_slice_equal(part, gk_slice_of(".."))) {
			if (named)
				return false;
			*length = parent_length(gk_slice(out, *length));
			continue;
		}
		named = true;
		if (!append(out, length, part))
			return false;
	}
	return true;
}

int gk_judge_alias(struct gk_call *call, struct gk_slice path, struct gk_slice text) {
	const struct gk_image *image = gk_current_image(call->supervisor);
	char target[PATH_MAX];
	size_t length;
	if (!is_special(image, gk_files_of(call), path))
		return 0;
	if (read_target(path, text, target, &length) && !gk_alias_loosens(image, path, gk_slice(target, length)))
		return 0;
	struct gk_subject subject = {.action = GK_ACTION_FILE_WRITE, .target = path, .target2 = text};
	return gk_refuse(call, &subject, GK_REASON_MOVE_LOOSENS);
}

int gk_judge_alias_at(struct gk_call *call, struct gk_slice path, int directory, const char *name) {
	char text[PATH_MAX];
	ssize_t length = readlinkat(directory, name, text, sizeof text);
	return length < 0 ? -errno : gk_judge_alias(call, path, gk_slice(text, (size_t)length));
}
