#include "supervise/offered.h"

#include "supervise/hide.h"
#include "supervise/open.h"
#include "supervise/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const names[GK_OFFERED_FILES] = {"resolv.conf", "hosts", "nsswitch.conf"};

static int find_file(const char *system, const char *base, struct gk_offered_file *out);
static int find_target(struct gk_offered_file *file);
static const char *name_of(const struct gk_offered *offered, struct gk_slice path);

int gk_offered_open(const char *directory, const char *system, struct gk_offered *out) {
	*out = (struct gk_offered){.directory = -1};
	if (directory[0] == '\0')
		return 0;
	for (size_t i = 0; i < GK_OFFERED_FILES; i++) {
		int error = find_file(system, names[i], &out->file[i]);
		if (error < 0)
			return error;
	}
	out->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return out->directory < 0 ? -errno : 0;
}

static int find_file(const char *system, const char *base, struct gk_offered_file *out) {
	char directory[PATH_MAX];
	out->base = base;
	if (realpath(system, directory) == NULL)
		return -errno;
	if (snprintf(out->own, sizeof out->own, "%s/%s", directory, base) >= (int)sizeof out->own)
		return -ENAMETOOLONG;
	int error = find_target(out);
	out->own_length = strlen(out->own);
	out->target_length = strlen(out->target);
	return error;
}

/* A link may lead to what only comes later, as that of a resolver that was not started yet; then its directory tells the name. */
static int find_target(struct gk_offered_file *file) {
	char text[PATH_MAX], whole[PATH_MAX], directory[PATH_MAX];
	ssize_t length = readlink(file->own, text, sizeof text - 1);
	if (length < 0 || realpath(file->own, file->target) != NULL)
		return 0;
	file->target[0] = '\0';
	text[length] = '\0';
	int system = (int)(strrchr(file->own, '/') - file->own);
	if (snprintf(whole, sizeof whole, "%.*s/%s", text[0] == '/' ? 0 : system, file->own, text) >= (int)sizeof whole)
		return -ENAMETOOLONG;
	char *slash = strrchr(whole, '/');
	*slash = '\0';
	if (realpath(whole[0] == '\0' ? "/" : whole, directory) == NULL)
		return 0;
	if (snprintf(file->target, sizeof file->target, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, slash + 1) >= (int)sizeof file->target)
		return -ENAMETOOLONG;
	return 0;
}

bool gk_is_replaced(const struct gk_offered *offered, struct gk_slice path) {
	return name_of(offered, path) != NULL;
}

/* A link may come to lead elsewhere, as when another resolver takes over: looked at where the name lets it be so. */
static bool is_led_to_now(const struct gk_offered_file *file, struct gk_slice path) {
	char target[PATH_MAX];
	size_t length = strlen(file->base);
	if (path.length < length || memcmp(path.at + path.length - length, file->base, length) != 0)
		return false;
	return realpath(file->own, target) != NULL && gk_slice_equal(path, gk_slice_of(target));
}

static const char *name_of(const struct gk_offered *offered, struct gk_slice path) {
	if (offered->directory < 0)
		return NULL;
	for (size_t i = 0; i < GK_OFFERED_FILES; i++) {
		const struct gk_offered_file *file = &offered->file[i];
		if (gk_slice_equal(path, gk_slice(file->own, file->own_length)) ||
		    (path.length > 0 && gk_slice_equal(path, gk_slice(file->target, file->target_length))) || is_led_to_now(file, path))
			return file->base;
	}
	return NULL;
}

int gk_offered_take(const struct gk_offered *offered, struct gk_slice path, int flags) {
	const char *name = name_of(offered, path);
	struct stat st;
	if (name == NULL)
		return -ENOENT;
	int given = flags & ~(O_CREAT | O_EXCL);
	/* With O_NONBLOCK a lease that somebody holds makes the open fail instead of wait. */
	int fd = gk_openat2(offered->directory, name, given | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, GK_RESOLVE_BENEATH | GK_RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ((flags & O_NONBLOCK) || fcntl(fd, F_SETFL, given) == 0))
		return fd;
	close(fd);
	return -ENOENT;
}

static bool is_missing(const struct gk_offered *offered) {
	struct stat st;
	for (size_t i = 0; i < GK_OFFERED_FILES; i++)
		if (stat(offered->file[i].own, &st) < 0 && errno == ENOENT)
			return true;
	return false;
}

/* Hardly ever is one missing, so it is that which is looked at first. */
bool gk_open_offered_alone(struct gk_call *call, const struct gk_open_request *request) {
	const struct gk_offered *offered = &gk_files_of(call)->offered;
	unsigned follow = request->flags & O_NOFOLLOW ? 0 : GK_FOLLOW;
	if (offered->directory < 0 || gk_open_writes(request->flags) || (request->flags & (O_CREAT | O_DIRECTORY)) != 0 || !is_missing(offered))
		return false;
	GK_AUTO_PLACE struct gk_place place;
	if (gk_resolve_place(call, request->dirfd, request->path.text, request->path.length, follow | request->lookup, &place) < 0)
		return false;
	struct gk_slice path = gk_slice(place.path, place.length);
	if (place.last != GK_LAST_NAME || place.trailing_slash || !gk_is_replaced(offered, path) || gk_is_hidden(call, path))
		return false;
	int rc = gk_judge_path(call, GK_ACTION_FILE_READ, path);
	int fd = rc < 0 ? rc : gk_offered_take(offered, path, request->flags);
	if (fd < 0 && fd != -EACCES)
		return false;
	if (fd < 0)
		gk_answer_error(call, fd);
	else
		gk_answer_fd(call, fd, (request->flags & O_CLOEXEC) != 0);
	return true;
}
