#include "supervise/open.h"

#include "include/gk_dispatch.gen.h"
#include "supervise/openat2.h"

#include <errno.h>

static void open_with(struct gk_call *call, int dirfd, uint64_t path, int flags, mode_t mode);
static void open_request(struct gk_call *call, struct gk_open_request *request, uint64_t path);
static bool leads_to_slash(struct gk_call *call, const struct gk_open_request *request);
static int check_flags(const struct gk_open_request *request);
static int read_how(struct gk_call *call, struct gk_open_how *out);
static int check_how(const struct gk_open_how *how);
static unsigned lookup_of(uint64_t resolve);

#define TMPFILE_BIT 020000000 /* the kernel's __O_TMPFILE; glibc's O_TMPFILE has O_DIRECTORY in it as well */
/* include/linux/fcntl.h, VALID_OPEN_FLAGS */
#define KNOWN_FLAGS                                                                                                              \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT |      \
	 0100000 /* O_LARGEFILE */ | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | TMPFILE_BIT)
#define MODE_BITS 07777U

void gk_do_open(struct gk_call *call) {
	open_with(call, AT_FDCWD, call->args[0], gk_arg_int(call, 1), (mode_t)call->args[2]);
}

void gk_do_creat(struct gk_call *call) {
	open_with(call, AT_FDCWD, call->args[0], O_CREAT | O_WRONLY | O_TRUNC, (mode_t)call->args[1]);
}

void gk_do_openat(struct gk_call *call) {
	open_with(call, gk_arg_int(call, 0), call->args[1], gk_arg_int(call, 2), (mode_t)call->args[3]);
}

/* open and openat ignore what they do not know, openat2 refuses it. */
static void open_with(struct gk_call *call, int dirfd, uint64_t path, int flags, mode_t mode) {
	struct gk_open_request request;
	request.dirfd = dirfd;
	request.flags = flags & KNOWN_FLAGS;
	request.mode = flags & (O_CREAT | TMPFILE_BIT) ? mode & MODE_BITS : 0;
	request.lookup = 0;
	open_request(call, &request, path);
}

void gk_do_openat2(struct gk_call *call) {
	struct gk_open_how how;
	int rc = read_how(call, &how);
	if (rc == 0)
		rc = check_how(&how);
	if (rc < 0)
		return gk_answer_error(call, rc);
	struct gk_open_request request;
	request.dirfd = gk_arg_int(call, 0);
	request.flags = (int)how.flags;
	request.mode = (mode_t)how.mode;
	request.lookup = lookup_of(how.resolve);
	rc = check_flags(&request);
	if (rc < 0)
		return gk_answer_error(call, rc);
	/* An O_PATH descriptor cannot be installed in another process. openat with O_PATH is not trapped: callers fall back. */
	if (request.flags & O_PATH)
		return gk_answer_error(call, ENOSYS);
	/* Nothing is promised to be cached: the answer that such a caller must expect. */
	if (how.resolve & GK_RESOLVE_CACHED)
		return gk_answer_error(call, EAGAIN);
	open_request(call, &request, call->args[1]);
}

static void open_request(struct gk_call *call, struct gk_open_request *request, uint64_t path) {
	int rc = check_flags(request);
	if (rc < 0)
		return gk_answer_error(call, rc);
	rc = gk_copy_string(call, path, request->path.text, sizeof request->path.text, &request->path.length);
	if (rc == 0 && gk_open_plain(call, request))
		return;
	if (!gk_call_valid(call))
		rc = -ESRCH;
	if (rc < 0)
		return gk_answer_error(call, rc);
	if (request->flags & O_PATH)
		return gk_answer_error(call, ENOSYS);
	if (request->flags & TMPFILE_BIT)
		return gk_open_nameless(call, request);
	bool create = (request->flags & O_CREAT) != 0;
	bool exclusive = create && (request->flags & O_EXCL);
	bool slash = request->path.length > 0 && request->path.text[request->path.length - 1] == '/';
	unsigned follow = request->flags & O_NOFOLLOW ? 0 : GK_FOLLOW;
	for (int restarts = 0; restarts < GK_RESTARTS_MAX; restarts++) {
		if (!exclusive && !(create && slash)) {
			struct gk_object object;
			rc = gk_resolve_object(call, request->dirfd, request->path.text, request->path.length,
					       follow | request->lookup, &object);
			if (rc == 0 && create) {
				rc = gk_sticky_check(call, &object);
				if (rc < 0)
					gk_object_release(&object);
				if (rc == -EAGAIN)
					continue;
				if (rc < 0)
					return gk_answer_error(call, rc);
			}
			if (rc == 0) {
				gk_open_existing(call, &object, request);
				return gk_object_release(&object);
			}
			if (rc == -ENOENT && gk_open_offered_alone(call, request))
				return;
			if (rc != -ENOENT || !create)
				return gk_answer_error(call, create && leads_to_slash(call, request) ? EISDIR : rc);
		}
		rc = gk_open_new(call, request);
		if (rc != -EAGAIN)
			return;
	}
	gk_answer_error(call, EAGAIN);
}

/* Whether an open that would create failed at a link that says "name/": to the kernel that asks for a directory to be made,
 * whatever is there. */
static bool leads_to_slash(struct gk_call *call, const struct gk_open_request *request) {
	if (request->flags & O_NOFOLLOW)
		return false;
	GK_AUTO_PLACE struct gk_place place;
	return gk_resolve_place(call, request->dirfd, request->path.text, request->path.length, GK_FOLLOW | request->lookup,
				&place) == 0 &&
	       place.trailing_slash;
}

/* build_open_flags() of fs/open.c: combinations that the kernel refuses before it looks at the path. */
static int check_flags(const struct gk_open_request *request) {
	int flags = request->flags;
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY) && !(flags & O_PATH))
		return -EINVAL;
	if ((flags & TMPFILE_BIT) && !(flags & O_PATH)) {
		if (!(flags & O_DIRECTORY) || (flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	return 0;
}

/* One copy of the structure: a second look could show other flags. */
static int read_how(struct gk_call *call, struct gk_open_how *out) {
	enum { PAGE = 4096, FIRST_VERSION = 24 };
	uint64_t size = call->args[3];
	if (size < FIRST_VERSION)
		return -EINVAL;
	if (size > PAGE)
		return -E2BIG;
	uint8_t bytes[PAGE];
	int rc = gk_read_memory(call, call->args[2], bytes, (size_t)size);
	if (rc < 0)
		return rc;
	for (size_t i = FIRST_VERSION; i < size; i++)
		if (bytes[i] != 0)
			return -E2BIG;
	memcpy(out, bytes, sizeof *out);
	return 0;
}

static int check_how(const struct gk_open_how *how) {
	bool creates = (how->flags & (O_CREAT | TMPFILE_BIT)) != 0;
	if ((how->flags & ~(uint64_t)KNOWN_FLAGS) || (how->resolve & ~(uint64_t)GK_RESOLVE_ALL))
		return -EINVAL;
	if ((how->resolve & GK_RESOLVE_BENEATH) && (how->resolve & GK_RESOLVE_IN_ROOT))
		return -EINVAL;
	if (creates ? (how->mode & ~(uint64_t)MODE_BITS) != 0 : how->mode != 0)
		return -EINVAL;
	int beside_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((how->flags & O_PATH) && (how->flags & ~(uint64_t)beside_path))
		return -EINVAL;
	return 0;
}

static unsigned lookup_of(uint64_t resolve) {
	return (resolve & GK_RESOLVE_NO_XDEV ? GK_NO_XDEV : 0U) | (resolve & GK_RESOLVE_NO_MAGICLINKS ? GK_NO_MAGICLINKS : 0U) |
	       (resolve & GK_RESOLVE_NO_SYMLINKS ? GK_NO_SYMLINKS : 0U) | (resolve & GK_RESOLVE_BENEATH ? GK_BENEATH : 0U) |
	       (resolve & GK_RESOLVE_IN_ROOT ? GK_IN_ROOT : 0U);
}
