#include "supervise/lent.h"

#include "supervise/supervisor.h"

#include <errno.h>
#include <stdlib.h>

#define IMAGE_ENDING ".gkimg"

/* What realpath leaves behind on an error is no answer. */
static int canonical(const char *path, char out[PATH_MAX]) {
	if (realpath(path, out) != NULL)
		return 0;
	int error = -errno;
	out[0] = '\0';
	return error;
}

int gk_lent_open(struct gk_lent *lent, const char *hooks, const char *images, const struct gk_image *first) {
	lent->hooks[0] = '\0';
	if (hooks == NULL)
		return 0;
	lent->first = first;
	int error = canonical(images, lent->images);
	return error < 0 ? error : canonical(hooks, lent->hooks);
}

int gk_lent_offer(struct gk_lent *lent, const char *offered) {
	lent->offered[0] = '\0';
	return offered == NULL ? 0 : canonical(offered, lent->offered);
}

/* The name beneath directory, or an empty slice. */
static struct gk_slice within(const char *directory, struct gk_slice path) {
	size_t length = strlen(directory);
	if (length == 0 || path.length <= length + 1 || memcmp(path.at, directory, length) != 0 || path.at[length] != '/')
		return gk_slice(NULL, 0);
	return gk_slice(path.at + length + 1, path.length - length - 1);
}

/* Images bear their digest as a name. */
static bool is_file_of(const struct gk_image *image, struct gk_slice name) {
	static const char digits[] = "0123456789abcdef";
	struct gk_slice digest = gk_image_digest(image), ending = gk_slice_of(IMAGE_ENDING);
	if (digest.length == 0 || name.length != 2 * digest.length + ending.length)
		return false;
	for (size_t i = 0; i < digest.length; i++)
		if (name.at[2 * i] != digits[digest.at[i] >> 4] || name.at[2 * i + 1] != digits[digest.at[i] & 15])
			return false;
	return memcmp(name.at + 2 * digest.length, ending.at, ending.length) == 0;
}

bool gk_is_lent(struct gk_supervisor *supervisor, enum gk_action action, struct gk_slice path) {
	const struct gk_lent *lent = &supervisor->lent;
	if (action != GK_ACTION_FILE_READ)
		return false;
	struct gk_slice name = within(lent->hooks, path);
	if (name.length == 0)
		name = within(lent->offered, path);
	if (name.length > 0)
		return memchr(name.at, '/', name.length) == NULL;
	if (lent->hooks[0] == '\0')
		return false;
	name = within(lent->images, path);
	return name.length > 0 && (is_file_of(lent->first, name) || is_file_of(gk_current_image(supervisor), name));
}

static bool is_above(struct gk_slice path, const char *directory) {
	return directory[0] != '\0' && path.length <= strlen(directory) && memcmp(path.at, directory, path.length) == 0 &&
	       (directory[path.length] == '/' || directory[path.length] == '\0');
}

bool gk_leads_to_lent(struct gk_supervisor *supervisor, struct gk_slice path) {
	const struct gk_lent *lent = &supervisor->lent;
	bool hooked = lent->hooks[0] != '\0';
	return (hooked && (is_above(path, lent->hooks) || is_above(path, lent->images))) || is_above(path, lent->offered) ||
	       gk_is_lent(supervisor, GK_ACTION_FILE_READ, path);
}
