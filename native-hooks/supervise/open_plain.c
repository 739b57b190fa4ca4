/* Most opens read what is there, by its real name. Then the name that is judged and the name that the kernel walks are one text of ours,
 * and the walk itself vouches that no link came between: neither pinning nor asking for the object's name is needed. Whatever is not so
 * plain is left to the thorough way, with nothing done. */
#include "supervise/open.h"
#include "supervise/openat2.h"

#include <errno.h>

static bool find_name(struct gk_call *call, const struct gk_open_request *request, struct gk_path *out);
static bool read_base(struct gk_call *call, int dirfd, struct gk_path *out);
static bool is_absent(struct gk_files *files, const struct gk_path *path);
static bool append(struct gk_path *path, const struct gk_path *name);
static bool starts_with(const struct gk_path *path, const char *prefix);
static bool is_plain(struct gk_files *files, const struct stat *st);
static bool may_read(struct gk_call *call, const struct gk_path *path);
static int open_named(struct gk_files *files, const struct gk_path *path, int flags);

/* O_NOFOLLOW asks for no more than what is done here anyway. */
#define PLAIN_FLAGS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_DIRECTORY | 0100000 /* O_LARGEFILE */)

bool gk_open_plain(struct gk_call *call, const struct gk_open_request *request) {
	if ((request->flags & ~PLAIN_FLAGS) != 0 || request->lookup != 0)
		return false;
	/* A directory of the caller's must not get another name between being asked for its name and the walk. */
	unsigned long settled = gk_mutations_settled(call->supervisor);
	struct gk_path path;
	if (settled == 0 || !find_name(call, request, &path))
		return false;
	struct stat st;
	if (lstat(path.text, &st) < 0) {
		if (errno != ENOENT || gk_is_replaced(&gk_files_of(call)->offered, gk_slice(path.text, path.length)) ||
		    !is_absent(gk_files_of(call), &path) || gk_mutations_settled(call->supervisor) != settled)
			return false;
		gk_answer_error(call, ENOENT);
		return true;
	}
	/* Nothing else may be opened to see what it is: a FIFO has somebody at its other end, a device may act. */
	if (!is_plain(gk_files_of(call), &st) || !may_read(call, &path))
		return false;
	int fd = open_named(gk_files_of(call), &path, request->flags);
	if (fd < 0)
		return false;
	if (gk_mutations_settled(call->supervisor) != settled) {
		close(fd);
		return false;
	}
	atomic_fetch_add_explicit(&call->supervisor->decided, 1, memory_order_relaxed);
	gk_answer_fd(call, fd, (request->flags & O_CLOEXEC) != 0);
	return true;
}

/* The absolute name as policy judges it, if the spelling tells it. */
static bool find_name(struct gk_call *call, const struct gk_open_request *request, struct gk_path *out) {
	out->length = 0;
	out->text[0] = '\0';
	if (request->path.text[0] != '/' && !read_base(call, request->dirfd, out))
		return false;
	if (!append(out, &request->path))
		return false;
	/* Names there are handles, or mean the caller's own. */
	return !starts_with(out, "/proc/") && !starts_with(out, "/dev/");
}

static bool read_base(struct gk_call *call, int dirfd, struct gk_path *out) {
	static const char deleted[] = " (deleted)";
	size_t mark = sizeof deleted - 1;
	char name[48];
	if (dirfd < 0 && dirfd != AT_FDCWD)
		return false;
	gk_fd_name(call->tid, name);
	size_t at = strlen(name);
	if (dirfd == AT_FDCWD) {
		memcpy(name + at, "/cwd", sizeof "/cwd");
	} else {
		memcpy(name + at, "/fd/", 4);
		gk_fd_name(dirfd, name + at + 4);
	}
	ssize_t length = readlinkat(gk_files_of(call)->proc, name, out->text, sizeof out->text);
	if (length <= 0 || (size_t)length >= sizeof out->text || out->text[0] != '/')
		return false;
	out->length = (size_t)length == 1 ? 0 : (size_t)length; /* every component brings its slash */
	return out->length < mark || memcmp(out->text + out->length - mark, deleted, mark) != 0;
}

/* Appends name without its empty components and "."; false when there is more to it: "..", or an end that asks for a directory. */
static bool append(struct gk_path *path, const struct gk_path *name) {
	const char *at = name->text, *end = name->text + name->length;
	if (name->length == 0)
		return false;
	while (at < end) {
		while (at < end && *at == '/')
			at++;
		const char *slash = memchr(at, '/', (size_t)(end - at)), *stop = slash != NULL ? slash : end;
		size_t length = (size_t)(stop - at);
		if (length == 0 || (length == 2 && memcmp(at, "..", 2) == 0) || (length == 1 && *at == '.' && stop == end))
			return false;
		if (length != 1 || *at != '.') {
			if (path->length + 1 + length >= sizeof path->text)
				return false;
			path->text[path->length++] = '/';
			memcpy(path->text + path->length, at, length);
			path->length += length;
		}
		at = stop;
	}
	path->text[path->length] = '\0';
	return path->length > 0;
}

static bool starts_with(const struct gk_path *path, const char *prefix) {
	return strncmp(path->text, prefix, strlen(prefix)) == 0;
}

/* Whether there is nothing, and no link on the way: one to /proc/self would have meant ourselves. */
static bool is_absent(struct gk_files *files, const struct gk_path *path) {
	int fd = gk_openat2(files->root, path->text, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, GK_RESOLVE_NO_SYMLINKS);
	if (fd >= 0)
		close(fd);
	return fd == -ENOENT;
}

/* A directory, or a regular file with no other name; neither makes its opener wait for anybody. */
static bool is_plain(struct gk_files *files, const struct stat *st) {
	return ((S_ISREG(st->st_mode) && st->st_nlink == 1) || S_ISDIR(st->st_mode)) &&
	       gk_fs_kind_known(files, st->st_dev) == GK_FS_LOCAL;
}

static bool may_read(struct gk_call *call, const struct gk_path *path) {
	struct gk_slice name = gk_slice(path->text, path->length);
	if (gk_is_reserved(gk_files_of(call), name))
		return false;
	return gk_path_is_free(call, GK_ACTION_FILE_READ, name); /* a receipt would come too early here */
}

/* The policy allows what bears this name to be read, whatever that is by now; given away is what was plain once it was open. */
static int open_named(struct gk_files *files, const struct gk_path *path, int flags) {
	int offered = (flags & O_DIRECTORY) != 0 ? -ENOTDIR : gk_offered_take(&files->offered, gk_slice(path->text, path->length), flags);
	if (offered >= 0)
		return offered;
	/* With O_NONBLOCK a lease that somebody holds makes the open fail instead of wait. */
	int fd = gk_openat2(files->root, path->text, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, GK_RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	struct stat st;
	if (fstat(fd, &st) == 0 && is_plain(files, &st) && ((flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags) == 0))
		return fd;
	close(fd);
	return -EAGAIN;
}
