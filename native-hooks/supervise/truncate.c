#include "include/gk_dispatch.gen.h"
#include "supervise/creation.h"
#include "supervise/hide.h"
#include "supervise/metadata.h"
#include "supervise/pool.h"

#include <stdlib.h>

struct waiting_truncate {
	int fd;
	off_t length;
};

static int truncate_now(struct gk_call *call, const struct gk_object *object, off_t length);
static void truncate_waiting(struct gk_call *call, void *context);
static void wait_for(struct gk_call *call, struct gk_object *object, off_t length);

void gk_do_truncate(struct gk_call *call) {
	off_t length = (off_t)call->args[1];
	if (length < 0)
		return gk_answer_error(call, EINVAL);
	GK_AUTO_OBJECT struct gk_object object;
	int rc = gk_resolve_object_at(call, AT_FDCWD, call->args[0], GK_FOLLOW, &object);
	if (rc == 0 && S_ISDIR(object.stat.st_mode))
		rc = -EISDIR;
	if (rc == 0 && !S_ISREG(object.stat.st_mode))
		rc = -EINVAL;
	if ((rc == -EISDIR || rc == -EINVAL) && gk_is_hidden(call, gk_object_path(&object)))
		rc = -ENOENT;
	if (rc == 0)
		rc = gk_judge_change(call, &object, EACCES);
	if (rc == 0)
		rc = gk_judge_git_file(call, &object);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0 && gk_fs_kind_of(gk_files_of(call), object.fd, object.stat.st_dev) == GK_FS_SLOW)
		return wait_for(call, &object, length);
	if (rc == 0)
		rc = truncate_now(call, &object, length);
	if (rc == -EWOULDBLOCK)
		return wait_for(call, &object, length);
	gk_answer_result(call, rc);
}

/* truncate(2) asks for the same right as opening for writing, but waits for the holder of a lease; an open can say so. */
static int truncate_now(struct gk_call *call, const struct gk_object *object, off_t length) {
	char name[GK_FD_NAME];
	gk_fd_name(object->fd, name);
	GK_AUTO_CLOSE int fd = openat(gk_files_of(call)->self_fd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return ftruncate(fd, length) < 0 ? -errno : 0;
}

static void truncate_waiting(struct gk_call *call, void *context) {
	struct waiting_truncate *w = context;
	char path[GK_FD_PATH];
	gk_fd_path(w->fd, path);
	int rc;
	do
		rc = truncate(path, w->length) < 0 ? -errno : 0;
	while (rc == -EINTR && gk_call_valid(call));
	gk_answer_result(call, rc);
	close(w->fd);
	free(w);
}

static void wait_for(struct gk_call *call, struct gk_object *object, off_t length) {
	struct waiting_truncate *w = malloc(sizeof *w);
	if (w == NULL)
		return gk_answer_error(call, ENOMEM);
	*w = (struct waiting_truncate){.fd = object->fd, .length = length};
	object->fd = -1;
	if (gk_run_blocking(call, truncate_waiting, w) < 0) {
		close(w->fd);
		free(w);
	}
}
