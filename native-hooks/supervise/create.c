#include "include/gk_dispatch.gen.h"
#include "supervise/alias.h"
#include "supervise/creation.h"

#include <errno.h>
#include <fcntl.h>

static void make_directory(struct gk_call *call, int dirfd, uint64_t address, mode_t mode);
static void make_node(struct gk_call *call, int dirfd, uint64_t address, mode_t mode);
static void make_symlink(struct gk_call *call, uint64_t target_address, int dirfd, uint64_t address);
static int check_node_type(mode_t mode);
static int judge_place(struct gk_call *call, const struct gk_place *place, bool directory);

void gk_do_mkdir(struct gk_call *call) {
	make_directory(call, AT_FDCWD, call->args[0], (mode_t)call->args[1]);
}

void gk_do_mkdirat(struct gk_call *call) {
	make_directory(call, gk_arg_int(call, 0), call->args[1], (mode_t)call->args[2]);
}

void gk_do_mknod(struct gk_call *call) {
	make_node(call, AT_FDCWD, call->args[0], (mode_t)call->args[1]);
}

void gk_do_mknodat(struct gk_call *call) {
	make_node(call, gk_arg_int(call, 0), call->args[1], (mode_t)call->args[2]);
}

void gk_do_symlink(struct gk_call *call) {
	make_symlink(call, call->args[0], AT_FDCWD, call->args[1]);
}

void gk_do_symlinkat(struct gk_call *call) {
	make_symlink(call, call->args[0], gk_arg_int(call, 1), call->args[2]);
}

static void make_directory(struct gk_call *call, int dirfd, uint64_t address, mode_t mode) {
	struct gk_path path;
	int rc = gk_read_path(call, address, &path);
	if (rc < 0)
		return gk_answer_error(call, rc);
	GK_MUTATION_SCOPE(call);
	GK_AUTO_PLACE struct gk_place place;
	rc = gk_resolve_place(call, dirfd, path.text, path.length, 0, &place);
	if (rc == 0)
		rc = gk_place_is_free(&place);
	if (rc == 0)
		rc = judge_place(call, &place, true);
	if (rc == 0)
		rc = gk_assume_umask(call);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	char leaf[GK_SPELLING];
	if (rc == 0) {
		gk_place_spelling(&place, leaf);
		rc = mkdirat(place.parent.fd, leaf, mode & 01777) < 0 ? -errno : 0;
	}
	gk_answer_result(call, rc);
}

static void make_node(struct gk_call *call, int dirfd, uint64_t address, mode_t mode) {
	struct gk_path path;
	int rc = check_node_type(mode);
	if (rc == 0)
		rc = gk_read_path(call, address, &path);
	if (rc < 0)
		return gk_answer_error(call, rc);
	GK_MUTATION_SCOPE(call);
	GK_AUTO_PLACE struct gk_place place;
	rc = gk_resolve_place(call, dirfd, path.text, path.length, 0, &place);
	if (rc == 0)
		rc = gk_place_is_free(&place);
	if (rc == 0 && place.trailing_slash)
		rc = -ENOENT;
	if (rc == 0 && (S_ISCHR(mode) || S_ISBLK(mode)))
		rc = gk_place_refuse(&place, -EPERM); /* a device node reaches hardware past every name that the policy knows */
	if (rc == 0)
		rc = judge_place(call, &place, false);
	if (rc == 0)
		rc = gk_judge_mode(call, gk_slice(place.path, place.length), mode, false);
	if (rc == 0)
		rc = gk_assume_umask(call);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0)
		rc = mknodat(place.parent.fd, place.leaf, mode, 0) < 0 ? -errno : 0;
	gk_answer_result(call, rc);
}

/* may_mknod() of fs/namei.c */
static int check_node_type(mode_t mode) {
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

/* What a link says is hardly limited: every use of it by the run is resolved and judged where it leads. */
static void make_symlink(struct gk_call *call, uint64_t target_address, int dirfd, uint64_t address) {
	struct gk_path target, path;
	int rc = gk_read_path(call, target_address, &target);
	if (rc == 0 && target.length == 0)
		rc = -ENOENT;
	if (rc == 0)
		rc = gk_read_path(call, address, &path);
	if (rc < 0)
		return gk_answer_error(call, rc);
	GK_MUTATION_SCOPE(call);
	GK_AUTO_PLACE struct gk_place place;
	rc = gk_resolve_place(call, dirfd, path.text, path.length, 0, &place);
	if (rc == 0)
		rc = gk_place_is_free(&place);
	if (rc == 0 && place.trailing_slash)
		rc = -ENOENT;
	if (rc == 0)
		rc = judge_place(call, &place, false);
	if (rc == 0)
		rc = gk_judge_alias(call, gk_slice(place.path, place.length), gk_slice(target.text, target.length));
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0)
		rc = symlinkat(target.text, place.parent.fd, place.leaf) < 0 ? -errno : 0;
	gk_answer_result(call, rc);
}

static int judge_place(struct gk_call *call, const struct gk_place *place, bool directory) {
	int rc = gk_judge_path(call, GK_ACTION_FILE_WRITE, gk_slice(place->path, place->length));
	return rc < 0 || directory ? rc : gk_judge_git_link(call, place, GK_ACTION_FILE_WRITE);
}
