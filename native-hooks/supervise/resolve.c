#include "supervise/resolve.h"

#include "supervise/files.h"
#include "supervise/openat2.h"
#include "supervise/procfs.h"
#include "supervise/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* Where a relative name starts. owned is closed by the scope, at is what to use. */
struct base {
	int at, owned;
};

static void release_base(struct base *base);
static int pin_base(struct gk_call *call, int dirfd, const char *path, unsigned flags, struct base *out);
static int pin_own(struct gk_call *call, int dirfd, int open_flags, int *out);
static int resolve_from(struct gk_call *call, int base, const char *path, size_t length, unsigned flags,
			struct gk_object *out);
static int look_up(struct gk_call *call, int base, const char *path, unsigned flags, int *out);
static bool crosses_procfs(struct gk_files *files, int base, const char *path, unsigned flags);
static int describe(struct gk_call *call, int fd, bool walked, struct gk_object *out);
static void strip_deleted(struct gk_object *object);
static int split_place(struct gk_call *call, int base, const char *path, size_t length, unsigned flags,
		       struct gk_place *out);
static int follow_leaf(struct gk_call *call, struct gk_place *place, char text[PATH_MAX]);
static int name_place(struct gk_place *place);

#define AUTO_BASE __attribute__((cleanup(release_base)))

void gk_object_release(struct gk_object *object) {
	if (object->fd >= 0)
		close(object->fd);
	object->fd = -1;
}

void gk_place_release(struct gk_place *place) {
	gk_object_release(&place->parent);
}

int gk_resolve_object_at(struct gk_call *call, int dirfd, uint64_t path_address, unsigned flags, struct gk_object *out) {
	struct gk_path path;
	out->fd = -1;
	int rc = gk_read_path(call, path_address, &path);
	return rc < 0 ? rc : gk_resolve_object(call, dirfd, path.text, path.length, flags, out);
}

int gk_resolve_place_at(struct gk_call *call, int dirfd, uint64_t path_address, unsigned flags, struct gk_place *out) {
	struct gk_path path;
	out->parent.fd = -1;
	int rc = gk_read_path(call, path_address, &path);
	return rc < 0 ? rc : gk_resolve_place(call, dirfd, path.text, path.length, flags, out);
}

int gk_resolve_object(struct gk_call *call, int dirfd, const char *path, size_t length, unsigned flags,
		      struct gk_object *out) {
	out->fd = -1;
	if (length == 0) {
		if (!(flags & GK_ALLOW_EMPTY))
			return -ENOENT;
		int fd = -1;
		int rc = pin_own(call, dirfd, O_PATH, &fd);
		return rc < 0 ? rc : describe(call, fd, true, out);
	}
	AUTO_BASE struct base base;
	int rc = pin_base(call, dirfd, path, flags, &base);
	return rc < 0 ? rc : resolve_from(call, base.at, path, length, flags, out);
}

int gk_resolve_descriptor(struct gk_call *call, int number, struct gk_object *out) {
	out->fd = -1;
	int fd = -1;
	int rc = number < 0 ? -EBADF : pin_own(call, number, O_PATH, &fd);
	return rc < 0 ? rc : describe(call, fd, true, out);
}

int gk_describe_descriptor(struct gk_call *call, int fd, struct gk_object *out) {
	return describe(call, fd, true, out);
}

int gk_resolve_place(struct gk_call *call, int dirfd, const char *path, size_t length, unsigned flags,
		     struct gk_place *out) {
	out->parent.fd = -1;
	if (length == 0)
		return -ENOENT;
	AUTO_BASE struct base base;
	int rc = pin_base(call, dirfd, path, flags, &base);
	if (rc < 0)
		return rc;
	rc = split_place(call, base.at, path, length, flags, out);
	/* A slash after the name that a link leads to ends the search: nothing can be created there. */
	bool creatable = !out->trailing_slash;
	for (int links = 0; rc == 0 && (flags & GK_FOLLOW) && out->last == GK_LAST_NAME && creatable; links++) {
		char text[PATH_MAX];
		int found = follow_leaf(call, out, text);
		if (found <= 0) {
			rc = found;
			break;
		}
		if (links == GK_LINKS_MAX || (flags & GK_NO_SYMLINKS)) {
			rc = -ELOOP;
			break;
		}
		if (flags & (GK_BENEATH | GK_IN_ROOT)) {
			rc = -ENOSYS; /* the link's text would have to be bounded by the first base */
			break;
		}
		GK_AUTO_OBJECT struct gk_object parent = out->parent; /* the link's text starts where the link lies */
		out->parent.fd = -1;
		rc = split_place(call, parent.fd, text, (size_t)found, flags, out);
		creatable = !out->trailing_slash;
	}
	if (rc == 0)
		rc = name_place(out);
	if (rc < 0)
		gk_place_release(out);
	return rc;
}

/* --- where names start --- */

static void release_base(struct base *base) {
	if (base->owned >= 0)
		close(base->owned);
}

static int pin_base(struct gk_call *call, int dirfd, const char *path, unsigned flags, struct base *out) {
	out->owned = -1;
	if (path[0] == '/' && !(flags & GK_IN_ROOT)) {
		out->at = gk_files_of(call)->root;
		return 0;
	}
	int rc = pin_own(call, dirfd, O_PATH | O_DIRECTORY, &out->owned);
	out->at = out->owned;
	return rc;
}

/* Pins the calling thread's working directory or descriptor. The thread is named by its number, so the call must still be
 * pending afterwards: then the number cannot have passed to another thread. */
static int pin_own(struct gk_call *call, int dirfd, int open_flags, int *out) {
	if (dirfd < 0 && dirfd != AT_FDCWD)
		return -EBADF;
	char name[48];
	size_t at = 0;
	int base = call->proc;
	if (base < 0) {
		base = gk_files_of(call)->proc;
		gk_fd_name(call->tid, name);
		at = strlen(name);
		name[at++] = '/';
	}
	if (dirfd == AT_FDCWD) {
		memcpy(name + at, "cwd", sizeof "cwd");
	} else {
		memcpy(name + at, "fd/", 3);
		gk_fd_name(dirfd, name + at + 3);
	}
	int fd = openat(base, name, open_flags | O_CLOEXEC);
	int error = errno;
	if (!gk_call_valid(call)) {
		if (fd >= 0)
			close(fd);
		return -ESRCH;
	}
	if (fd < 0)
		return error == ENOENT && dirfd != AT_FDCWD ? -EBADF : -error;
	*out = fd;
	return 0;
}

/* --- objects --- */

static int resolve_from(struct gk_call *call, int base, const char *path, size_t length, unsigned flags,
			struct gk_object *out) {
	int fd = -1;
	int rc = look_up(call, base, path, flags, &fd);
	if (rc == 0) {
		rc = describe(call, fd, false, out);
		if (rc != 1)
			return rc;
	} else if (rc != 1) {
		return rc;
	}
	if (flags & (GK_BENEATH | GK_IN_ROOT))
		return -ENOSYS; /* a scoped lookup through /proc: callers fall back to their own walk */
	rc = gk_walk_path(call, base, path, length, flags, &fd);
	return rc < 0 ? rc : describe(call, fd, true, out);
}

/* The kernel's walk. 1: its result is not the caller's, because it may have seen the supervisor's own /proc/self. */
static int look_up(struct gk_call *call, int base, const char *path, unsigned flags, int *out) {
	uint64_t resolve = GK_RESOLVE_NO_MAGICLINKS;
	if (flags & GK_NO_SYMLINKS)
		resolve |= GK_RESOLVE_NO_SYMLINKS;
	if (flags & GK_NO_XDEV)
		resolve |= GK_RESOLVE_NO_XDEV;
	if (flags & GK_BENEATH)
		resolve |= GK_RESOLVE_BENEATH;
	if (flags & GK_IN_ROOT)
		resolve |= GK_RESOLVE_IN_ROOT;
	int fd = gk_openat2(base, path, O_PATH | O_CLOEXEC | (flags & GK_FOLLOW ? 0 : O_NOFOLLOW), 0, resolve);
	if (fd >= 0) {
		*out = fd;
		return 0;
	}
	bool refused_link = fd == -ELOOP && !(flags & (GK_NO_SYMLINKS | GK_BENEATH | GK_IN_ROOT));
	bool missing = (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES) && !(flags & (GK_BENEATH | GK_IN_ROOT));
	if (refused_link || (missing && crosses_procfs(gk_files_of(call), base, path, flags)))
		return 1;
	return fd;
}

/* Whether a lookup that failed may have failed in the supervisor's own /proc/self (/dev/fd/63 is there for the caller alone).
 * A guess that errs towards yes for speed's sake: a wrong yes costs a walk, a wrong no an errno, never an access. */
static bool crosses_procfs(struct gk_files *files, int base, const char *path, unsigned flags) {
	if (gk_may_cross_procfs(path))
		return true;
	struct stat st;
	if (path[0] != '/' && fstat(base, &st) == 0 && gk_fs_kind_of(files, base, st.st_dev) == GK_FS_PROC)
		return true;
	if (!(flags & GK_FOLLOW))
		return false;
	return fstatat(base, path, &st, AT_SYMLINK_NOFOLLOW) == 0; /* the name is there: a link that leads nowhere */
}

/* Fills out from a pinned descriptor, which it takes. 1 (with fd closed): lies in a process directory and was not walked by
 * us, so it may be the supervisor's. */
static int describe(struct gk_call *call, int fd, bool walked, struct gk_object *out) {
	struct gk_files *files = gk_files_of(call);
	out->fd = fd;
	out->anonymous = false;
	int rc = fstat(fd, &out->stat) < 0 ? -errno : 0;
	if (rc == 0)
		rc = gk_canonical(files, fd, out->path, &out->length);
	if (rc == 0 && out->path[0] != '/') {
		out->anonymous = S_ISFIFO(out->stat.st_mode) || S_ISSOCK(out->stat.st_mode) ||
				 strncmp(out->path, "anon_inode:", strlen("anon_inode:")) == 0;
		out->length = 0;
		rc = out->anonymous ? 0 : -EACCES; /* nsfs and its like: handles to kernel objects */
	} else if (rc == 0 && out->stat.st_dev == files->memory_device) {
		out->anonymous = true;
		out->length = 0;
	} else if (rc == 0 && gk_fs_kind_of(files, fd, out->stat.st_dev) == GK_FS_PROC) {
		if (!walked && gk_procfs_in_process(gk_object_path(out)))
			rc = 1;
		else
			rc = gk_procfs_admit(call, out);
	} else if (rc == 0) {
		strip_deleted(out);
	}
	if (rc != 0)
		gk_object_release(out);
	return rc;
}

/* The kernel marks a name that is gone with " (deleted)", which a file may also be called. A nameless object is judged by the
 * name it had: what was secret stays so. */
static void strip_deleted(struct gk_object *object) {
	static const char mark[] = " (deleted)";
	size_t cut = sizeof mark - 1;
	if (object->length <= cut || memcmp(object->path + object->length - cut, mark, cut) != 0)
		return;
	struct stat named;
	if (lstat(object->path, &named) == 0 && named.st_dev == object->stat.st_dev && named.st_ino == object->stat.st_ino)
		return;
	object->anonymous = true;
	object->length -= cut;
	object->path[object->length] = '\0';
}

/* --- places --- */

static int split_place(struct gk_call *call, int base, const char *path, size_t length, unsigned flags,
		       struct gk_place *out) {
	size_t end = length;
	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	size_t leaf = end - start;
	const char *name = path + start;
	out->trailing_slash = end < length;
	out->last = GK_LAST_NAME;
	if (leaf == 0)
		out->last = GK_LAST_ROOT;
	else if (leaf == 1 && name[0] == '.')
		out->last = GK_LAST_DOT;
	else if (leaf == 2 && name[0] == '.' && name[1] == '.')
		out->last = GK_LAST_DOTDOT;

	/* With "." in place of the leaf the parent must be a directory that the caller may search, as for the leaf itself. */
	char parent[PATH_MAX + 1];
	size_t parent_length = out->last == GK_LAST_NAME ? start : end;
	memcpy(parent, path, parent_length);
	if (out->last == GK_LAST_NAME)
		parent[parent_length++] = '.';
	if (out->last == GK_LAST_ROOT)
		parent[parent_length++] = '/';
	parent[parent_length] = '\0';
	int rc = resolve_from(call, base, parent, parent_length, (flags & ~(unsigned)GK_ALLOW_EMPTY) | GK_FOLLOW,
			      &out->parent);
	if (rc < 0)
		return rc;
	if (!S_ISDIR(out->parent.stat.st_mode))
		return -ENOTDIR;
	if (out->last != GK_LAST_NAME)
		leaf = 0;
	/* What is too long stays so, for the kernel to say when the name is looked at. */
	if (leaf > NAME_MAX)
		leaf = NAME_MAX + 1;
	memcpy(out->leaf, name, leaf);
	out->leaf[leaf] = '\0';
	out->leaf_length = leaf;
	return 0;
}

/* The length of the text that the leaf, a symbolic link, holds; 0 when it is none. */
static int follow_leaf(struct gk_call *call, struct gk_place *place, char text[PATH_MAX]) {
	ssize_t n = readlinkat(place->parent.fd, place->leaf, text, PATH_MAX);
	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	if (n == 0)
		return -ENOENT;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (gk_fs_kind_of(gk_files_of(call), place->parent.fd, place->parent.stat.st_dev) == GK_FS_PROC)
		return -ELOOP; /* nothing is created through the handles of /proc */
	text[n] = '\0';
	return (int)n;
}

static int name_place(struct gk_place *place) {
	const struct gk_object *parent = &place->parent;
	size_t length = parent->length;
	if (length + 1 + place->leaf_length >= sizeof place->path)
		return -ENAMETOOLONG;
	memcpy(place->path, parent->path, length);
	if (place->leaf_length > 0) {
		if (length == 0 || place->path[length - 1] != '/')
			place->path[length++] = '/';
		memcpy(place->path + length, place->leaf, place->leaf_length);
		length += place->leaf_length;
	}
	place->path[length] = '\0';
	place->length = length;
	return 0;
}
