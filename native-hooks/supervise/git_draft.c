#include "supervise/git_draft.h"

#include "supervise/creation.h"
#include "supervise/git_config.h"
#include "supervise/git_pointer.h"
#include "supervise/mounts.h"
#include "supervise/openat2.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { DRAFTS_MAX = 16 };

struct draft {
	int memory;    /* what is written, open for reading; -1: the slot is free */
	int directory; /* O_PATH */
	bool made;     /* the name is there for the sake of the draft */
	dev_t device;  /* of what bears the name meanwhile */
	ino_t inode;
	pid_t tid, tgid; /* who opened it, by which call */
	int nr;
	size_t length;
	char path[PATH_MAX];
	const char *leaf; /* in path */
};

struct gk_git_drafts {
	pthread_mutex_t lock; /* taken after the mutation lock */
	atomic_uint count;
	struct draft drafts[DRAFTS_MAX];
};

static int begin(struct gk_call *call, struct draft *draft, struct gk_slice path, int flags, int *writable);
static int keep(struct gk_call *call, struct draft *draft);
static void discard(struct draft *draft);
static int copy_existing(struct gk_call *call, const struct gk_object *object, int memory);
static bool is_written(const struct draft *draft);
static void settle(struct gk_supervisor *supervisor, struct draft *draft);
static int publish(struct gk_call *call, struct draft *draft, const struct stat *written, struct gk_slice content);
static int judge_content(struct gk_call *call, struct gk_slice path, struct gk_slice content);

int gk_git_drafts_open(struct gk_git_drafts **out) {
	struct gk_git_drafts *drafts = calloc(1, sizeof *drafts);
	if (drafts == NULL)
		return -ENOMEM;
	pthread_mutex_init(&drafts->lock, NULL);
	for (size_t i = 0; i < DRAFTS_MAX; i++)
		drafts->drafts[i].memory = drafts->drafts[i].directory = -1;
	*out = drafts;
	return 0;
}

static bool has_other_names(struct gk_call *call, struct gk_slice path) {
	char other[PATH_MAX];
	size_t at = 0, length;
	const struct gk_mounts *mounts = gk_files_of(call)->mounts;
	return mounts != NULL && gk_mounts_next(mounts, path, &at, other, &length);
}

bool gk_git_draft_needed(struct gk_call *call, struct gk_slice path) {
	enum gk_pointer pointer = gk_pointer_of(path);
	if (pointer == GK_POINTER_NONE || pointer == GK_POINTER_LINK)
		return pointer == GK_POINTER_LINK;
	return gk_only_guards_deny(gk_current_image(call->supervisor), GK_ACTION_FILE_WRITE, path) && !has_other_names(call, path);
}

int gk_git_draft_new(struct gk_call *call, const struct gk_place *place, const struct gk_open_request *request) {
	struct gk_files *files = gk_files_of(call);
	struct draft draft;
	GK_AUTO_CLOSE int writable = -1;
	int rc = begin(call, &draft, gk_slice(place->path, place->length), request->flags, &writable);
	if (rc == 0 && gk_fs_kind_of(files, place->parent.fd, place->parent.stat.st_dev) != GK_FS_LOCAL)
		rc = -EACCES;
	if (rc == 0) {
		draft.directory = fcntl(place->parent.fd, F_DUPFD_CLOEXEC, 0);
		rc = draft.directory < 0 ? -errno : gk_assume_umask(call);
	}
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0) {
		GK_AUTO_CLOSE int fd = openat(place->parent.fd, draft.leaf, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, request->mode);
		struct stat st;
		rc = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
		if (rc == 0) {
			draft.made = true;
			draft.device = st.st_dev;
			draft.inode = st.st_ino;
			rc = fchmod(writable, st.st_mode & 0777) < 0 ? -errno : keep(call, &draft);
			if (rc < 0)
				unlinkat(place->parent.fd, draft.leaf, 0);
		}
	}
	if (rc < 0) {
		discard(&draft);
		return rc;
	}
	gk_answer_fd(call, writable, (request->flags & O_CLOEXEC) != 0);
	call->answer.fd_alone = true;
	writable = -1;
	return 0;
}

int gk_git_draft_existing(struct gk_call *call, const struct gk_object *object, const struct gk_open_request *request) {
	struct gk_files *files = gk_files_of(call);
	struct draft draft;
	GK_AUTO_CLOSE int writable = -1;
	GK_MUTATION_SCOPE(call);
	int rc = begin(call, &draft, gk_object_path(object), request->flags, &writable);
	if (rc == 0 && (object->stat.st_nlink != 1 || gk_fs_kind_of(files, object->fd, object->stat.st_dev) != GK_FS_LOCAL))
		rc = -EACCES;
	if (rc == 0) {
		/* Canonical names have no links in them; one that has by now is another's. */
		char directory[PATH_MAX];
		size_t length = (size_t)(draft.leaf - draft.path);
		memcpy(directory, draft.path, length);
		directory[length] = '\0';
		struct stat st;
		draft.directory = gk_openat2(files->root, directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, GK_RESOLVE_NO_SYMLINKS);
		if (draft.directory < 0 || fstatat(draft.directory, draft.leaf, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_dev != object->stat.st_dev || st.st_ino != object->stat.st_ino ||
		    faccessat(draft.directory, draft.leaf, W_OK, AT_EACCESS) < 0 ||
		    faccessat(draft.directory, ".", W_OK | X_OK, AT_EACCESS) < 0)
			rc = -EACCES;
	}
	if (rc == 0 && !(request->flags & O_TRUNC))
		rc = copy_existing(call, object, writable);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0) {
		draft.device = object->stat.st_dev;
		draft.inode = object->stat.st_ino;
		rc = fchmod(writable, object->stat.st_mode & 0777) < 0 ? -errno : keep(call, &draft);
	}
	if (rc < 0) {
		discard(&draft);
		return rc;
	}
	gk_answer_fd(call, writable, (request->flags & O_CLOEXEC) != 0);
	call->answer.fd_alone = true;
	writable = -1;
	return 0;
}

/* Only what can be written to is ever done with. */
static int begin(struct gk_call *call, struct draft *draft, struct gk_slice path, int flags, int *writable) {
	*draft = (struct draft){.memory = -1, .directory = -1, .tid = call->tid, .tgid = call->tgid, .nr = call->nr};
	if (path.length >= sizeof draft->path)
		return -ENAMETOOLONG;
	memcpy(draft->path, path.at, path.length);
	draft->path[path.length] = '\0';
	draft->length = path.length;
	draft->leaf = strrchr(draft->path, '/') + 1;
	if ((flags & O_ACCMODE) == O_RDONLY)
		return -EACCES;
	GK_AUTO_CLOSE int memory = memfd_create("git", MFD_CLOEXEC);
	if (memory < 0)
		return -errno;
	char name[GK_FD_NAME];
	gk_fd_name(memory, name);
	draft->memory = openat(gk_files_of(call)->self_fd, name, O_RDONLY | O_CLOEXEC);
	*writable = openat(gk_files_of(call)->self_fd, name, (flags & (O_ACCMODE | O_APPEND | O_NONBLOCK)) | O_CLOEXEC);
	return draft->memory < 0 || *writable < 0 ? -errno : 0;
}

static int copy_existing(struct gk_call *call, const struct gk_object *object, int memory) {
	char name[GK_FD_NAME], bytes[GK_POINTER_MAX + 1];
	gk_fd_name(object->fd, name);
	GK_AUTO_CLOSE int fd = openat(gk_files_of(call)->self_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, bytes, sizeof bytes);
	if (n < 0 || n == sizeof bytes)
		return n < 0 ? -errno : -EACCES;
	return pwrite(memory, bytes, (size_t)n, 0) == n ? 0 : -EIO;
}

static int keep(struct gk_call *call, struct draft *draft) {
	struct gk_git_drafts *drafts = gk_files_of(call)->drafts;
	int rc = -EMFILE;
	pthread_mutex_lock(&drafts->lock);
	for (size_t i = 0; rc < 0 && i < DRAFTS_MAX; i++) {
		struct draft *slot = &drafts->drafts[i];
		if (slot->memory >= 0)
			continue;
		*slot = *draft;
		slot->leaf = slot->path + (draft->leaf - draft->path);
		atomic_fetch_add(&drafts->count, 1);
		rc = 0;
	}
	pthread_mutex_unlock(&drafts->lock);
	return rc;
}

static void discard(struct draft *draft) {
	if (draft->memory >= 0)
		close(draft->memory);
	if (draft->directory >= 0)
		close(draft->directory);
	draft->memory = draft->directory = -1;
}

/* A lease for reading is given only while nobody has the file open for writing or mapped so (fcntl(2)). Where there are no leases, what is there
 * counts: it may be refused too early, and is never trusted more. */
static bool is_written(const struct draft *draft) {
	if (fcntl(draft->memory, F_SETLEASE, F_RDLCK) < 0)
		return errno != EAGAIN;
	fcntl(draft->memory, F_SETLEASE, F_UNLCK);
	return true;
}

void gk_git_drafts_settle(struct gk_supervisor *supervisor) {
	struct gk_git_drafts *drafts = supervisor->files != NULL ? supervisor->files->drafts : NULL;
	if (drafts == NULL || atomic_load(&drafts->count) == 0)
		return;
	bool written = false;
	pthread_mutex_lock(&drafts->lock);
	for (size_t i = 0; !written && i < DRAFTS_MAX; i++)
		written = drafts->drafts[i].memory >= 0 && is_written(&drafts->drafts[i]);
	pthread_mutex_unlock(&drafts->lock);
	if (!written)
		return;
	struct gk_supervisor *scope __attribute__((cleanup(gk_mutation_end), unused)) = gk_mutation_begin(supervisor);
	pthread_mutex_lock(&drafts->lock);
	for (size_t i = 0; i < DRAFTS_MAX; i++) {
		struct draft *draft = &drafts->drafts[i];
		if (draft->memory < 0 || !is_written(draft))
			continue;
		settle(supervisor, draft);
		discard(draft);
		atomic_fetch_sub(&drafts->count, 1);
	}
	pthread_mutex_unlock(&drafts->lock);
}

/* Whether the name is still where it was, and borne by what bore it. */
static bool is_in_place(struct gk_files *files, const struct draft *draft) {
	char name[GK_FD_NAME], path[PATH_MAX];
	gk_fd_name(draft->directory, name);
	size_t length = (size_t)(draft->leaf - 1 - draft->path);
	ssize_t n = readlinkat(files->self_fd, name, path, sizeof path);
	struct stat st;
	return n == (ssize_t)(length == 0 ? 1 : length) && memcmp(path, length == 0 ? "/" : draft->path, (size_t)n) == 0 &&
	       fstatat(draft->directory, draft->leaf, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == draft->device &&
	       st.st_ino == draft->inode;
}

static void settle(struct gk_supervisor *supervisor, struct draft *draft) {
	struct gk_call call = {.supervisor = supervisor, .tid = draft->tid, .tgid = draft->tgid, .nr = draft->nr, .proc = -1, .listener = -1};
	uint8_t bytes[GK_POINTER_MAX + 1];
	/* An empty file that was moved says nothing there either. */
	if (!is_in_place(supervisor->files, draft))
		return;
	ssize_t n = pread(draft->memory, bytes, sizeof bytes, 0);
	struct stat written;
	int rc = n < 0 || fstat(draft->memory, &written) < 0 ? -EIO : publish(&call, draft, &written, gk_slice(bytes, (size_t)n));
	if (rc < 0 && draft->made)
		unlinkat(draft->directory, draft->leaf, 0);
}

static int publish(struct gk_call *call, struct draft *draft, const struct stat *written, struct gk_slice content) {
	struct gk_slice path = gk_slice(draft->path, draft->length);
	int rc = judge_content(call, path, content);
	if (rc < 0) {
		struct gk_subject subject = {.action = GK_ACTION_FILE_WRITE, .target = path};
		rc = gk_refuse(call, &subject, GK_REASON_GIT_LINK);
	}
	/* A simulated run goes on, with what fits. */
	if (rc < 0 || content.length > GK_POINTER_MAX)
		return -EACCES;
	char copy[GK_COPY_NAME];
	rc = gk_write_copy(gk_files_of(call), draft->directory, content, written->st_mode & 0777, copy);
	if (rc < 0)
		return rc;
	/* Who copies trees sets modes and times before it closes what it copied. */
	if (utimensat(draft->directory, copy, (struct timespec[]){written->st_atim, written->st_mtim}, AT_SYMLINK_NOFOLLOW) < 0 ||
	    renameat2(draft->directory, copy, draft->directory, draft->leaf, 0) < 0) {
		rc = -errno;
		unlinkat(draft->directory, copy, 0);
	}
	return rc;
}

static bool may_write(struct gk_call *call, struct gk_slice directory, const char *name) {
	char path[PATH_MAX];
	int length = snprintf(path, sizeof path, "%.*s%s", (int)directory.length, (const char *)directory.at, name);
	return length < 0 || length >= (int)sizeof path ||
	       gk_decide_path(gk_current_image(call->supervisor), GK_ACTION_FILE_WRITE, gk_slice(path, (size_t)length)).effect == GK_EFFECT_ALLOW;
}

/* What git obeys there is guarded, unless the user's rules open it here as well. */
static bool is_guarded(struct gk_call *call, struct gk_slice target, struct gk_slice link) {
	static const char *const obeyed[] = {"/config", "/config.worktree", "/commondir", "/hooks/pre-commit", "/hooks/post-checkout",
					     "/hooks/reference-transaction"};
	for (size_t i = 0; i < GK_COUNT(obeyed); i++)
		if (may_write(call, target, obeyed[i]) && !may_write(call, link, obeyed[i]))
			return false;
	return true;
}

static bool is_directory(struct gk_call *call, struct gk_slice path) {
	char text[PATH_MAX];
	if (path.length >= sizeof text)
		return false;
	memcpy(text, path.at, path.length);
	text[path.length] = '\0';
	GK_AUTO_CLOSE int fd =
		gk_openat2(gk_files_of(call)->root, text, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, GK_RESOLVE_NO_SYMLINKS);
	return fd >= 0;
}

static int judge_content(struct gk_call *call, struct gk_slice path, struct gk_slice content) {
	enum gk_pointer pointer = gk_pointer_of(path);
	char text[PATH_MAX];
	size_t length;
	int rc = gk_pointer_target(pointer, path, content, text, &length);
	if (rc < 0)
		return rc;
	struct gk_slice target = gk_slice(text, length);
	bool fine = pointer == GK_POINTER_LINK ? may_write(call, path, "") : gk_git_draft_needed(call, path);
	if (pointer == GK_POINTER_LINK)
		fine = fine && may_write(call, target, "/HEAD") && is_guarded(call, target, path) &&
		       is_directory(call, gk_slice(text, gk_pointer_repository(target)));
	if (pointer == GK_POINTER_GITDIR)
		fine = fine && may_write(call, target, "") && is_directory(call, gk_slice(text, length - strlen("/.git")));
	return fine ? 0 : -EACCES;
}
