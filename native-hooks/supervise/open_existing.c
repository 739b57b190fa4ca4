#include "supervise/git_config.h"
#include "supervise/git_draft.h"
#include "supervise/hide.h"
#include "supervise/identity.h"
#include "supervise/open.h"
#include "supervise/pool.h"
#include "supervise/terminals.h"

#include <errno.h>
#include <stdlib.h>

static int check_type(const struct gk_object *object, int flags);
static int judge(struct gk_call *call, struct gk_object *object, int flags, bool draft);
static int judge_device(struct gk_call *call, struct gk_object *object, int flags);
static int judge_access(struct gk_call *call, const struct gk_object *object, int flags);
static bool may_wait(struct gk_call *call, const struct gk_object *object, int flags);
static int reopen(struct gk_files *files, int fd, int flags);
static int reopen_regular(struct gk_files *files, int fd, int flags);
static void finish(struct gk_call *call, const struct gk_object *object, int fd, bool cloexec, bool writes);
static void wait_for(struct gk_call *call, struct gk_object *object, int flags, bool cloexec);

void gk_open_existing(struct gk_call *call, struct gk_object *object, const struct gk_open_request *request) {
	int rc = check_type(object, request->flags);
	if (rc < 0 && gk_is_hidden(call, gk_object_path(object)))
		rc = -ENOENT;
	bool draft = rc == 0 && S_ISREG(object->stat.st_mode) && gk_open_writes(request->flags) && object->length > 0 &&
		     gk_git_draft_needed(call, gk_object_path(object));
	if (rc == 0)
		rc = judge(call, object, request->flags, draft);
	if (rc == 0 && draft)
		rc = gk_git_draft_existing(call, object, request);
	if (rc == -ENOENT && (request->flags & O_CREAT)) /* a hidden name, which cannot be made either */
		rc = -EACCES;
	if (rc < 0)
		return gk_answer_error(call, rc);
	if (draft)
		return;
	bool cloexec = (request->flags & O_CLOEXEC) != 0;
	int drop = O_NOFOLLOW | (request->flags & O_CREAT ? O_CREAT | O_EXCL : 0);
	/* A terminal opened without O_NOCTTY could become the supervisor's own. */
	int flags = (request->flags & ~drop) | O_NOCTTY | O_CLOEXEC;
	if (S_ISREG(object->stat.st_mode) && !gk_open_writes(flags)) {
		int offered = gk_offered_take(&gk_files_of(call)->offered, gk_object_path(object), flags);
		if (offered >= 0)
			return gk_answer_fd(call, offered, cloexec);
	}
	if (may_wait(call, object, flags))
		return wait_for(call, object, flags, cloexec);
	if ((flags & O_TRUNC) && !gk_call_valid(call))
		return gk_answer_error(call, ESRCH);
	bool regular = S_ISREG(object->stat.st_mode);
	int fd = regular ? reopen_regular(gk_files_of(call), object->fd, flags) : reopen(gk_files_of(call), object->fd, flags);
	if (fd == -EWOULDBLOCK && regular && !(flags & O_NONBLOCK))
		return wait_for(call, object, flags, cloexec);
	finish(call, object, fd, cloexec, gk_open_writes(flags));
}

/* do_open() and may_open() of fs/namei.c, in their order: what is refused before any permission is looked at. */
static int check_type(const struct gk_object *object, int flags) {
	mode_t mode = object->stat.st_mode;
	if ((flags & O_CREAT) && S_ISDIR(mode))
		return -EISDIR;
	if ((flags & O_DIRECTORY) && !S_ISDIR(mode))
		return -ENOTDIR;
	if (S_ISLNK(mode))
		return -ELOOP;
	if (S_ISDIR(mode) && gk_open_writes(flags))
		return -EISDIR;
	return 0;
}

static int judge(struct gk_call *call, struct gk_object *object, int flags, bool draft) {
	if (S_ISCHR(object->stat.st_mode) || S_ISBLK(object->stat.st_mode))
		return judge_device(call, object, flags);
	/* Of drafts of other names the guard is judged by their content. */
	if (draft && gk_pointer_of(gk_object_path(object)) != GK_POINTER_LINK) {
		int rc = gk_open_reads(flags) ? gk_judge_object(call, GK_ACTION_FILE_READ, object) : 0;
		return rc < 0 ? rc : gk_judge_past_guards(call, GK_ACTION_FILE_WRITE, gk_object_path(object));
	}
	return judge_access(call, object, flags);
}

/* A run reaches its own terminals without a rule and no other terminal with one. */
static int judge_device(struct gk_call *call, struct gk_object *object, int flags) {
	enum gk_device_kind kind = gk_device_kind_of(&object->stat);
	if (kind == GK_DEVICE_CONTROLLING) {
		struct gk_object terminal;
		int rc = gk_terminal_controlling(call, &terminal);
		if (rc < 0)
			return rc;
		gk_object_release(object);
		*object = terminal;
		return 0;
	}
	if (gk_terminal_is_own(call, &object->stat))
		return 0;
	if (kind == GK_DEVICE_PTY) {
		struct gk_subject subject = {.action = gk_open_writes(flags) ? GK_ACTION_FILE_WRITE : GK_ACTION_FILE_READ,
					     .target = gk_object_path(object)};
		return gk_refuse(call, &subject, GK_REASON_FOREIGN_TERMINAL);
	}
	return judge_access(call, object, flags);
}

static int judge_access(struct gk_call *call, const struct gk_object *object, int flags) {
	int rc = 0;
	if (gk_open_reads(flags))
		rc = gk_judge_object(call, GK_ACTION_FILE_READ, object);
	if (rc == 0 && gk_open_writes(flags))
		rc = gk_judge_object(call, GK_ACTION_FILE_WRITE, object);
	return rc;
}

/* Whether the open itself may wait for somebody: the other end of a FIFO, a line, a server. */
static bool may_wait(struct gk_call *call, const struct gk_object *object, int flags) {
	mode_t mode = object->stat.st_mode;
	if (S_ISFIFO(mode))
		return !(flags & O_NONBLOCK) && (flags & O_ACCMODE) != O_RDWR;
	if (S_ISCHR(mode))
		return gk_device_kind_of(&object->stat) != GK_DEVICE_PLAIN;
	if (S_ISBLK(mode))
		return true;
	return gk_fs_kind_of(gk_files_of(call), object->fd, object->stat.st_dev) == GK_FS_SLOW;
}

static int reopen(struct gk_files *files, int fd, int flags) {
	char name[GK_FD_NAME];
	gk_fd_name(fd, name);
	int opened = openat(files->self_fd, name, flags);
	return opened < 0 ? -errno : opened;
}

/* A lease on the file makes an open wait for its holder, who may be the caller; with O_NONBLOCK it says so instead. */
static int reopen_regular(struct gk_files *files, int fd, int flags) {
	int opened = reopen(files, fd, flags | O_NONBLOCK);
	if (opened < 0 || (flags & O_NONBLOCK))
		return opened;
	if (fcntl(opened, F_SETFL, flags) < 0) {
		int error = -errno;
		close(opened);
		return error;
	}
	return opened;
}

static void finish(struct gk_call *call, const struct gk_object *object, int fd, bool cloexec, bool writes) {
	if (fd < 0)
		return gk_answer_error(call, fd);
	if (gk_device_kind_of(&object->stat) == GK_DEVICE_MULTIPLEXER) {
		int rc = gk_terminal_made(call, fd);
		if (rc < 0) {
			close(fd);
			return gk_answer_error(call, rc);
		}
	}
	gk_answer_fd(call, fd, cloexec);
	call->answer.fd_alone = S_ISREG(object->stat.st_mode) && writes;
}

/* What waits is carried over to a thread that may. */
struct waiting_open {
	struct gk_object object;
	int flags;
	bool cloexec;
};

static void open_waiting(struct gk_call *call, void *context) {
	struct waiting_open *w = context;
	int fd;
	do
		fd = reopen(gk_files_of(call), w->object.fd, w->flags);
	while (fd == -EINTR && gk_call_waits(call));
	finish(call, &w->object, fd, w->cloexec, gk_open_writes(w->flags));
	gk_object_release(&w->object);
	free(w);
}

static void wait_for(struct gk_call *call, struct gk_object *object, int flags, bool cloexec) {
	struct waiting_open *w = malloc(sizeof *w);
	if (w == NULL)
		return gk_answer_error(call, ENOMEM);
	*w = (struct waiting_open){.object = *object, .flags = flags, .cloexec = cloexec};
	object->fd = -1;
	if (gk_run_blocking(call, open_waiting, w) < 0) {
		gk_object_release(&w->object);
		free(w);
	}
}
