#include "supervise/creation.h"
#include "supervise/git_config.h"
#include "supervise/git_draft.h"
#include "supervise/open.h"

#include <errno.h>
#include <stdio.h>

static int create_at(struct gk_call *call, const struct gk_place *place, const struct gk_open_request *request);
static int judge_new(struct gk_call *call, struct gk_slice path, const struct gk_open_request *request, bool draft);

int gk_open_new(struct gk_call *call, const struct gk_open_request *request) {
	bool exclusive = (request->flags & O_EXCL) != 0;
	bool slash = request->path.length > 0 && request->path.text[request->path.length - 1] == '/';
	unsigned follow = exclusive || slash || (request->flags & O_NOFOLLOW) ? 0 : GK_FOLLOW;
	GK_MUTATION_SCOPE(call);
	GK_AUTO_PLACE struct gk_place place;
	int rc = gk_resolve_place(call, request->dirfd, request->path.text, request->path.length, follow | request->lookup,
				  &place);
	if (rc == 0 && place.last != GK_LAST_NAME)
		rc = exclusive ? -EEXIST : -EISDIR;
	if (rc == 0 && place.trailing_slash)
		rc = -EISDIR;
	if (rc == 0) {
		rc = gk_place_is_free(&place);
		if (rc == -EEXIST && !exclusive)
			return -EAGAIN;
	}
	struct gk_slice path = gk_slice(place.path, place.length);
	bool draft = rc == 0 && gk_git_draft_needed(call, path);
	if (rc == 0)
		rc = judge_new(call, path, request, draft);
	if (rc == 0)
		rc = draft ? gk_git_draft_new(call, &place, request) : create_at(call, &place, request);
	if (rc == -EEXIST && !exclusive)
		return -EAGAIN;
	if (rc < 0)
		gk_answer_error(call, rc == -EAGAIN ? -EIO : rc);
	return 0;
}

/* Always exclusive: what exists by now was not judged, and is opened as existing in the next round. */
static int create_at(struct gk_call *call, const struct gk_place *place, const struct gk_open_request *request) {
	int rc = gk_assume_umask(call);
	if (rc < 0)
		return rc;
	if (!gk_call_valid(call))
		return -ESRCH;
	int flags = request->flags | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC;
	int fd = openat(place->parent.fd, place->leaf, flags, request->mode);
	if (fd < 0)
		return -errno;
	gk_answer_fd(call, fd, (request->flags & O_CLOEXEC) != 0);
	call->answer.fd_alone = gk_open_writes(request->flags);
	return 0;
}

/* What git's own guard says of a draft depends on its content. The file is empty, but whoever fills it later must not be read by a descriptor that the policy would not have given. */
static int judge_new(struct gk_call *call, struct gk_slice path, const struct gk_open_request *request, bool draft) {
	bool guarded = draft && gk_pointer_of(path) != GK_POINTER_LINK;
	int rc = guarded ? gk_judge_past_guards(call, GK_ACTION_FILE_WRITE, path) : gk_judge_path(call, GK_ACTION_FILE_WRITE, path);
	if (rc == 0 && gk_open_reads(request->flags))
		rc = gk_judge_path(call, GK_ACTION_FILE_READ, path);
	return rc < 0 ? rc : gk_judge_mode(call, path, request->mode, false);
}

void gk_open_nameless(struct gk_call *call, const struct gk_open_request *request) {
	GK_AUTO_OBJECT struct gk_object directory;
	unsigned follow = request->flags & O_NOFOLLOW ? 0 : GK_FOLLOW;
	int rc = gk_resolve_object(call, request->dirfd, request->path.text, request->path.length, follow | request->lookup,
				   &directory);
	if (rc == 0 && !S_ISDIR(directory.stat.st_mode))
		rc = -ENOTDIR;
	/* The kernel calls such a file #<inode> in its directory. */
	char path[PATH_MAX + 8];
	int length = 0;
	if (rc == 0) {
		length = snprintf(path, sizeof path, "%s/#0", directory.length == 1 ? "" : directory.path);
		if (length >= PATH_MAX)
			rc = -ENAMETOOLONG;
	}
	if (rc == 0)
		rc = judge_new(call, gk_slice(path, (size_t)length), request, false);
	if (rc == 0)
		rc = gk_assume_umask(call);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc < 0)
		return gk_answer_error(call, rc);
	char name[GK_FD_NAME];
	gk_fd_name(directory.fd, name);
	int flags = (request->flags & ~O_NOFOLLOW) | O_CLOEXEC | O_NOCTTY;
	int fd = openat(gk_files_of(call)->self_fd, name, flags, request->mode);
	if (fd < 0)
		return gk_answer_error(call, errno);
	gk_answer_fd(call, fd, (request->flags & O_CLOEXEC) != 0);
	call->answer.fd_alone = gk_open_writes(request->flags);
}
