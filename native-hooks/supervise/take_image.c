#include "supervise/take_image.h"

#include "supervise/door.h"
#include "supervise/tighten.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

int gk_image_load(int images, const char *name, struct gk_image **out, uint8_t digest[GK_SHA256_BYTES], const char **why) {
	*why = "it cannot be opened";
	GK_AUTO_CLOSE int fd = openat(images, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat stat;
	if (fd < 0 || fstat(fd, &stat) < 0)
		return -errno;
	*why = "it is not a plain file that only this user can write";
	if (!S_ISREG(stat.st_mode) || (stat.st_uid != geteuid() && stat.st_uid != 0) || (stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	*why = "it cannot be read";
	int error = gk_sha256_file(fd, digest);
	if (error == 0)
		error = gk_image_open(fd, out, why);
	if (error == 0)
		gk_image_set_digest(*out, digest);
	return error;
}

/* The plain name of path in the directory images, or false. */
static bool name_within(const char *images, struct gk_slice path, char name[NAME_MAX + 1]) {
	size_t prefix = strlen(images);
	if (path.length <= prefix + 1 || path.length - prefix - 1 > NAME_MAX || memcmp(path.at, images, prefix) != 0 || path.at[prefix] != '/')
		return false;
	size_t length = path.length - prefix - 1;
	memcpy(name, path.at + prefix + 1, length);
	name[length] = '\0';
	return strlen(name) == length && strchr(name, '/') == NULL;
}

int gk_image_take(struct gk_supervisor *supervisor, const char *images, struct gk_slice path, struct gk_slice digest) {
	char name[NAME_MAX + 1];
	if (!name_within(images, path, name))
		return -EINVAL;
	GK_AUTO_CLOSE int directory = open(images, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	struct gk_image *image;
	const char *why;
	uint8_t actual[GK_SHA256_BYTES];
	int error = gk_image_load(directory, name, &image, actual, &why);
	if (error < 0)
		return error;
	if (!gk_slice_equal(digest, gk_slice(actual, sizeof(actual)))) {
		gk_image_close(image);
		return -EBADMSG;
	}
	gk_tighten(supervisor, image);
	atomic_store_explicit(&supervisor->image, image, memory_order_release);
	gk_door_policy_changed(supervisor);
	return 0;
}
