#include "supervise/creation.h"

#include "supervise/git_pointer.h"

#include <errno.h>
#include <fcntl.h>

int gk_place_is_free(const struct gk_place *place) {
	if (place->last != GK_LAST_NAME)
		return -EEXIST;
	struct stat st;
	if (fstatat(place->parent.fd, place->leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (errno != ENOENT)
		return -errno;
	return gk_place_takes_names(place) ? 0 : -ENOENT;
}

bool gk_place_takes_names(const struct gk_place *place) {
	const struct gk_object *directory = &place->parent;
	return directory->stat.st_nlink > 0 && strncmp(directory->path, "/proc/", strlen("/proc/")) != 0 &&
	       strcmp(directory->path, "/proc") != 0;
}

int gk_place_refuse(const struct gk_place *place, int error) {
	return faccessat(place->parent.fd, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : error;
}

int gk_judge_git_link(struct gk_call *call, const struct gk_place *place, enum gk_action action) {
	if (strcmp(place->leaf, ".git") != 0)
		return 0;
	struct gk_subject subject = {.action = action, .target = gk_slice(place->path, place->length)};
	return gk_refuse(call, &subject, GK_REASON_GIT_LINK);
}

int gk_judge_git_file(struct gk_call *call, const struct gk_object *object) {
	struct gk_slice path = gk_object_path(object);
	if (!S_ISREG(object->stat.st_mode) || gk_pointer_of(path) != GK_POINTER_LINK)
		return 0;
	struct gk_subject subject = {.action = GK_ACTION_FILE_WRITE, .target = path};
	return gk_refuse(call, &subject, GK_REASON_GIT_LINK);
}

int gk_judge_mode(struct gk_call *call, struct gk_slice path, mode_t mode, bool directory) {
	mode_t refused = directory ? S_ISUID : S_ISUID | S_ISGID;
	if (!(mode & refused))
		return 0;
	struct gk_subject subject = {.action = GK_ACTION_FILE_WRITE, .target = path};
	return gk_refuse(call, &subject, GK_REASON_CREDENTIALS) < 0 ? -EPERM : 0;
}

void gk_place_spelling(const struct gk_place *place, char out[GK_SPELLING]) {
	memcpy(out, place->leaf, place->leaf_length);
	size_t length = place->leaf_length;
	if (place->trailing_slash)
		out[length++] = '/';
	out[length] = '\0';
}
