#include "supervise/sticky.h"

#include "supervise/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum { STRICTEST = 2 };

static int read_setting(const char *name);
static int stat_beside(struct gk_call *call, const struct gk_object *object, struct stat *out);

struct gk_sticky gk_sticky_read(void) {
	return (struct gk_sticky){.regular = read_setting("/proc/sys/fs/protected_regular"),
				  .fifos = read_setting("/proc/sys/fs/protected_fifos")};
}

static int read_setting(const char *name) {
	GK_AUTO_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : STRICTEST; /* kernels before 4.19 have no such setting */
	char text[16];
	ssize_t n = read(fd, text, sizeof text - 1);
	if (n <= 0)
		return STRICTEST;
	text[n] = '\0';
	return atoi(text);
}

int gk_sticky_judge(struct gk_sticky sticky, const struct stat *directory, const struct stat *file, uid_t uid) {
	if (!(directory->st_mode & S_ISVTX))
		return 0;
	if ((S_ISREG(file->st_mode) && sticky.regular == 0) || (S_ISFIFO(file->st_mode) && sticky.fifos == 0))
		return 0;
	if (file->st_uid == directory->st_uid || file->st_uid == uid)
		return 0;
	if (directory->st_mode & S_IWOTH)
		return -EACCES;
	if (!(directory->st_mode & S_IWGRP))
		return 0;
	return (S_ISREG(file->st_mode) && sticky.regular >= 2) || (S_ISFIFO(file->st_mode) && sticky.fifos >= 2) ? -EACCES : 0;
}

int gk_sticky_check(struct gk_call *call, const struct gk_object *object) {
	const struct stat *file = &object->stat;
	struct gk_sticky sticky = gk_files_of(call)->sticky;
	uid_t uid = call->supervisor->uid;
	/* Pipes and memfds lie in no directory. */
	if (S_ISDIR(file->st_mode) || file->st_uid == uid || object->length == 0)
		return 0;
	if ((S_ISREG(file->st_mode) && sticky.regular == 0) || (S_ISFIFO(file->st_mode) && sticky.fifos == 0))
		return 0;
	struct stat directory;
	int rc = stat_beside(call, object, &directory);
	return rc < 0 ? rc : gk_sticky_judge(sticky, &directory, file, uid);
}

/* The directory that the object was found in. A link of /proc leads past it, and the kernel asks nothing then; here its own
 * directory is asked about all the same. */
static int stat_beside(struct gk_call *call, const struct gk_object *object, struct stat *out) {
	char path[PATH_MAX];
	memcpy(path, object->path, object->length + 1);
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return -EAGAIN;
	*slash = '\0';
	/* What /proc shows of the caller is named relative to it, and no directory there is sticky. */
	if (gk_fs_kind_of(gk_files_of(call), object->fd, object->stat.st_dev) == GK_FS_PROC)
		return fstat(gk_files_of(call)->proc, out) < 0 ? -errno : 0;
	GK_AUTO_CLOSE int fd = open(slash == path ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat named;
	if (fd < 0 || fstat(fd, out) < 0 || fstatat(fd, slash + 1, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -EAGAIN;
	return named.st_dev == object->stat.st_dev && named.st_ino == object->stat.st_ino ? 0 : -EAGAIN;
}
