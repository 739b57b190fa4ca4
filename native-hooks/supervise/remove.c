#include "include/gk_dispatch.gen.h"
#include "supervise/creation.h"
#include "supervise/git_config.h"
#include "supervise/git_pointer.h"
#include "supervise/network.h"

#include <errno.h>
#include <fcntl.h>

static void remove_name(struct gk_call *call, int dirfd, uint64_t address, int flags);
static int judge_removal(struct gk_call *call, struct gk_slice path);
static int check_last(const struct gk_place *place, int flags);
static int check_exists(const struct gk_place *place, int flags, struct stat *out);

void gk_do_unlink(struct gk_call *call) {
	remove_name(call, AT_FDCWD, call->args[0], 0);
}

void gk_do_rmdir(struct gk_call *call) {
	remove_name(call, AT_FDCWD, call->args[0], AT_REMOVEDIR);
}

void gk_do_unlinkat(struct gk_call *call) {
	int flags = gk_arg_int(call, 2);
	if (flags & ~AT_REMOVEDIR)
		return gk_answer_error(call, EINVAL);
	remove_name(call, gk_arg_int(call, 0), call->args[1], flags);
}

static void remove_name(struct gk_call *call, int dirfd, uint64_t address, int flags) {
	struct gk_path path;
	int rc = gk_read_path(call, address, &path);
	if (rc < 0)
		return gk_answer_error(call, rc);
	GK_MUTATION_SCOPE(call);
	GK_AUTO_PLACE struct gk_place place;
	struct stat stat;
	rc = gk_resolve_place(call, dirfd, path.text, path.length, 0, &place);
	if (rc == 0)
		rc = check_last(&place, flags);
	if (rc == 0)
		rc = check_exists(&place, flags, &stat);
	if (rc == 0)
		rc = judge_removal(call, gk_slice(place.path, place.length));
	if (rc == 0)
		rc = gk_judge_served(call, &place, &stat);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0) {
		char leaf[GK_SPELLING];
		gk_place_spelling(&place, leaf);
		rc = unlinkat(place.parent.fd, leaf, flags) < 0 ? -errno : 0;
	}
	gk_answer_result(call, rc);
}

/* A working tree that is given up takes its pointers along, and a repository its configuration: a clone that fails does. Without the pointers git finds
 * nothing, or what is guarded beside them; without the configuration it runs no more than with it. */
static int judge_removal(struct gk_call *call, struct gk_slice path) {
	enum gk_pointer pointer = gk_pointer_of(path);
	bool is_pointer = pointer == GK_POINTER_GITDIR || pointer == GK_POINTER_COMMONDIR;
	if (gk_git_config_removable(call, path) ||
	    (is_pointer && gk_only_guards_deny(gk_current_image(call->supervisor), GK_ACTION_FILE_DELETE, path)))
		return gk_judge_past_guards(call, GK_ACTION_FILE_DELETE, path);
	return gk_judge_path(call, GK_ACTION_FILE_DELETE, path);
}

/* do_rmdir() and do_unlinkat() of fs/namei.c */
static int check_last(const struct gk_place *place, int flags) {
	if (place->last == GK_LAST_NAME)
		return 0;
	if (!(flags & AT_REMOVEDIR))
		return -EISDIR;
	switch (place->last) {
	case GK_LAST_DOT:
		return -EINVAL;
	case GK_LAST_DOTDOT:
		return -ENOTEMPTY;
	case GK_LAST_ROOT:
	case GK_LAST_NAME:
		break;
	}
	return -EBUSY;
}

/* A name that is not there is no matter of policy. */
static int check_exists(const struct gk_place *place, int flags, struct stat *out) {
	if (fstatat(place->parent.fd, place->leaf, out, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!place->trailing_slash || S_ISDIR(out->st_mode))
		return 0;
	return flags & AT_REMOVEDIR ? gk_place_refuse(place, -ENOTDIR) : -ENOTDIR;
}
