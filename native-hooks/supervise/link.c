#include "include/gk_dispatch.gen.h"
#include "supervise/alias.h"
#include "supervise/creation.h"
#include "supervise/identity.h"

#include <errno.h>
#include <fcntl.h>

struct link_paths {
	struct gk_path old, new;
	int new_error; /* told only when the old name was found, as the kernel does */
};

static void make_link(struct gk_call *call, int old_dirfd, uint64_t old_address, int new_dirfd, uint64_t new_address,
		      int flags);
static int link_locked(struct gk_call *call, int old_dirfd, int new_dirfd, const struct link_paths *paths, int flags);
static int judge_link(struct gk_call *call, const struct gk_object *source, const struct gk_place *place);

void gk_do_link(struct gk_call *call) {
	make_link(call, AT_FDCWD, call->args[0], AT_FDCWD, call->args[1], 0);
}

void gk_do_linkat(struct gk_call *call) {
	make_link(call, gk_arg_int(call, 0), call->args[1], gk_arg_int(call, 2), call->args[3], gk_arg_int(call, 4));
}

static void make_link(struct gk_call *call, int old_dirfd, uint64_t old_address, int new_dirfd, uint64_t new_address,
		      int flags) {
	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return gk_answer_error(call, EINVAL);
	struct link_paths paths;
	int rc = gk_read_path(call, old_address, &paths.old);
	paths.new_error = gk_read_path(call, new_address, &paths.new);
	if (rc == 0)
		rc = link_locked(call, old_dirfd, new_dirfd, &paths, flags);
	gk_answer_result(call, rc);
}

static int link_locked(struct gk_call *call, int old_dirfd, int new_dirfd, const struct link_paths *paths, int flags) {
	unsigned lookup = (flags & AT_SYMLINK_FOLLOW ? GK_FOLLOW : 0U) | (flags & AT_EMPTY_PATH ? GK_ALLOW_EMPTY : 0U);
	GK_MUTATION_SCOPE(call);
	GK_AUTO_OBJECT struct gk_object source;
	int rc = gk_resolve_object(call, old_dirfd, paths->old.text, paths->old.length, lookup, &source);
	if (rc < 0)
		return rc;
	if (paths->new_error < 0)
		return paths->new_error;
	GK_AUTO_PLACE struct gk_place place;
	rc = gk_resolve_place(call, new_dirfd, paths->new.text, paths->new.length, 0, &place);
	if (rc == 0)
		rc = gk_place_is_free(&place);
	if (rc == 0 && place.trailing_slash)
		rc = -ENOENT;
	if (rc == 0 && source.stat.st_dev != place.parent.stat.st_dev)
		rc = -EXDEV;
	if (rc == 0 && S_ISDIR(source.stat.st_mode))
		rc = gk_place_refuse(&place, -EPERM);
	if (rc == 0)
		rc = judge_link(call, &source, &place);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc < 0)
		return rc;
	/* Through our descriptor, so that the object linked is the object judged. A pinned symbolic link is itself the end. */
	char name[GK_FD_NAME];
	gk_fd_name(source.fd, name);
	if (linkat(gk_files_of(call)->self_fd, name, place.parent.fd, place.leaf, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	gk_identity_linked(call, &source);
	return 0;
}

/* A second name carries everything the first one allowed, so it takes the rights to read and to write the file. */
static int judge_link(struct gk_call *call, const struct gk_object *source, const struct gk_place *place) {
	int rc = gk_judge_object(call, GK_ACTION_FILE_READ, source);
	if (rc == 0)
		rc = gk_judge_object(call, GK_ACTION_FILE_WRITE, source);
	if (rc == 0)
		rc = gk_judge_git_file(call, source);
	if (rc == 0)
		rc = gk_judge_path(call, GK_ACTION_FILE_WRITE, gk_slice(place->path, place->length));
	if (rc == 0 && S_ISLNK(source->stat.st_mode))
		rc = gk_judge_alias_at(call, gk_slice(place->path, place->length), source->fd, "");
	return rc < 0 ? rc : gk_judge_git_link(call, place, GK_ACTION_FILE_WRITE);
}
