#include "include/gk_dispatch.gen.h"
#include "supervise/creation.h"
#include "supervise/git_config.h"
#include "supervise/metadata.h"
#include "supervise/terminals.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

static void change_mode(struct gk_call *call, const struct gk_target *target, mode_t mode);
static int judge_mode_change(struct gk_call *call, const struct gk_object *object);
static void change_owner(struct gk_call *call, const struct gk_target *target, uid_t uid, gid_t gid);

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* kernel 6.6 */
#endif

void gk_do_chmod(struct gk_call *call) {
	struct gk_target target = gk_target_path(AT_FDCWD, call->args[0], GK_FOLLOW);
	change_mode(call, &target, (mode_t)call->args[1]);
}

void gk_do_fchmod(struct gk_call *call) {
	struct gk_target target = gk_target_descriptor(gk_arg_int(call, 0));
	change_mode(call, &target, (mode_t)call->args[1]);
}

void gk_do_fchmodat(struct gk_call *call) {
	struct gk_target target = gk_target_path(gk_arg_int(call, 0), call->args[1], GK_FOLLOW);
	change_mode(call, &target, (mode_t)call->args[2]);
}

void gk_do_fchmodat2(struct gk_call *call) {
	unsigned lookup;
	int rc = gk_metadata_lookup(gk_arg_int(call, 3), &lookup);
	if (rc < 0)
		return gk_answer_error(call, rc);
	struct gk_target target = gk_target_path(gk_arg_int(call, 0), call->args[1], lookup);
	change_mode(call, &target, (mode_t)call->args[2]);
}

void gk_do_chown(struct gk_call *call) {
	struct gk_target target = gk_target_path(AT_FDCWD, call->args[0], GK_FOLLOW);
	change_owner(call, &target, (uid_t)call->args[1], (gid_t)call->args[2]);
}

void gk_do_lchown(struct gk_call *call) {
	struct gk_target target = gk_target_path(AT_FDCWD, call->args[0], 0);
	change_owner(call, &target, (uid_t)call->args[1], (gid_t)call->args[2]);
}

void gk_do_fchown(struct gk_call *call) {
	struct gk_target target = gk_target_descriptor(gk_arg_int(call, 0));
	change_owner(call, &target, (uid_t)call->args[1], (gid_t)call->args[2]);
}

void gk_do_fchownat(struct gk_call *call) {
	unsigned lookup;
	int rc = gk_metadata_lookup(gk_arg_int(call, 4), &lookup);
	if (rc < 0)
		return gk_answer_error(call, rc);
	struct gk_target target = gk_target_path(gk_arg_int(call, 0), call->args[1], lookup);
	change_owner(call, &target, (uid_t)call->args[2], (gid_t)call->args[3]);
}

static void change_mode(struct gk_call *call, const struct gk_target *target, mode_t mode) {
	GK_AUTO_OBJECT struct gk_object object;
	int rc = gk_target_pin(call, target, &object);
	if (rc == 0 && S_ISLNK(object.stat.st_mode))
		rc = -EOPNOTSUPP;
	if (rc == 0)
		rc = judge_mode_change(call, &object);
	if (rc == 0)
		rc = gk_judge_mode(call, gk_object_path(&object), mode, S_ISDIR(object.stat.st_mode));
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0)
		rc = syscall(SYS_fchmodat2, object.fd, "", mode, AT_EMPTY_PATH) < 0 ? -errno : 0;
	if (rc == 0)
		gk_terminal_changed(call, &object);
	gk_answer_result(call, rc);
}

static int judge_mode_change(struct gk_call *call, const struct gk_object *object) {
	bool plain = S_ISREG(object->stat.st_mode) && object->stat.st_nlink == 1;
	if (plain && gk_git_config_guarded(call, gk_object_path(object)))
		return gk_git_config_judge_mode(call, gk_object_path(object));
	return gk_judge_change(call, object, EPERM);
}

static void change_owner(struct gk_call *call, const struct gk_target *target, uid_t uid, gid_t gid) {
	GK_AUTO_OBJECT struct gk_object object;
	int rc = gk_target_pin(call, target, &object);
	if (rc == 0)
		rc = gk_judge_change(call, &object, EPERM);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0)
		rc = fchownat(object.fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
	if (rc == 0)
		gk_terminal_changed(call, &object);
	gk_answer_result(call, rc);
}

/* A duplicate of the caller's own descriptor keeps its mode: one opened with O_PATH is EBADF here as it is there. */
int gk_target_pin(struct gk_call *call, const struct gk_target *target, struct gk_object *out) {
	out->fd = -1;
	struct gk_path path = {.length = 0};
	int rc = target->by_descriptor || (target->descriptor_if_empty && target->path == 0)
			 ? 0
			 : gk_read_path(call, target->path, &path);
	if (rc < 0)
		return rc;
	/* Removing an attribute knows no working directory without a path, setting one does (fs/xattr.c, kernel 6.13). */
	bool by_descriptor = target->by_descriptor || (target->descriptor_if_empty && path.length == 0 &&
						       (target->dirfd >= 0 || call->nr == GK_NR_removexattrat));
	if (!by_descriptor)
		return gk_resolve_object(call, target->dirfd, path.text, path.length, target->lookup, out);
	int fd;
	rc = gk_take_descriptor(call, target->dirfd, &fd);
	if (rc < 0)
		return rc;
	int mode = fcntl(fd, F_GETFL);
	if (mode < 0 || (mode & O_PATH)) {
		close(fd);
		return -EBADF;
	}
	return gk_describe_descriptor(call, fd, out);
}

/* Terminals of the run are its own to change; programs that hand one over set its mode. */
int gk_judge_change(struct gk_call *call, const struct gk_object *object, int refusal) {
	if (S_ISCHR(object->stat.st_mode) && gk_terminal_is_own(call, &object->stat))
		return 0;
	int rc = gk_judge_object(call, GK_ACTION_FILE_WRITE, object);
	return rc == -EACCES ? -refusal : rc;
}
