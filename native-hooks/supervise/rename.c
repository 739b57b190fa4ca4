#include "include/gk_dispatch.gen.h"
#include "supervise/alias.h"
#include "supervise/mounts.h"
#include "supervise/arrival.h"
#include "supervise/creation.h"
#include "supervise/git_config.h"
#include "supervise/network.h"
#include "supervise/region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>

struct rename_paths {
	struct gk_path old, new;
	int new_error; /* told only when the old directory was found, as the kernel does */
};

/* Both ends of a rename, pinned; new_stat is valid when replaces is set. */
struct ends {
	struct gk_place old, new;
	struct stat old_stat, new_stat;
	bool replaces;
};

static void rename_names(struct gk_call *call, int old_dirfd, uint64_t old_address, int new_dirfd, uint64_t new_address,
			 unsigned flags);
static int rename_pinned(struct gk_call *call, struct ends *ends, unsigned flags);
static int check_ends(struct ends *ends, unsigned flags);
static int check_slashes(const struct ends *ends, unsigned flags);
static int judge_move(struct gk_call *call, const struct gk_place *from, const struct stat *moved, const struct gk_place *to,
		      bool replaces, bool config);
static int judge_directory(struct gk_call *call, const struct gk_place *from, const struct gk_place *to);
static int judge_departure(struct gk_call *call, struct gk_slice source, struct gk_slice destination);
static int rename_now(const struct ends *ends, unsigned flags);
static int replace_config(struct gk_call *call, const struct ends *ends);

void gk_do_rename(struct gk_call *call) {
	rename_names(call, AT_FDCWD, call->args[0], AT_FDCWD, call->args[1], 0);
}

void gk_do_renameat(struct gk_call *call) {
	rename_names(call, gk_arg_int(call, 0), call->args[1], gk_arg_int(call, 2), call->args[3], 0);
}

void gk_do_renameat2(struct gk_call *call) {
	rename_names(call, gk_arg_int(call, 0), call->args[1], gk_arg_int(call, 2), call->args[3],
		     (unsigned)gk_arg_int(call, 4));
}

static void rename_names(struct gk_call *call, int old_dirfd, uint64_t old_address, int new_dirfd, uint64_t new_address,
			 unsigned flags) {
	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return gk_answer_error(call, EINVAL); /* RENAME_WHITEOUT, which would make a device node, included */
	if ((flags & RENAME_NOREPLACE) && (flags & RENAME_EXCHANGE))
		return gk_answer_error(call, EINVAL);
	struct rename_paths paths;
	int rc = gk_read_path(call, old_address, &paths.old);
	if (rc < 0)
		return gk_answer_error(call, rc);
	paths.new_error = gk_read_path(call, new_address, &paths.new);
	GK_MUTATION_SCOPE(call);
	struct ends ends;
	ends.new.parent.fd = -1;
	rc = gk_resolve_place(call, old_dirfd, paths.old.text, paths.old.length, 0, &ends.old);
	if (rc == 0)
		rc = paths.new_error;
	if (rc == 0)
		rc = gk_resolve_place(call, new_dirfd, paths.new.text, paths.new.length, 0, &ends.new);
	if (rc == 0)
		rc = rename_pinned(call, &ends, flags);
	gk_place_release(&ends.old);
	gk_place_release(&ends.new);
	gk_answer_result(call, rc);
}

static int rename_pinned(struct gk_call *call, struct ends *ends, unsigned flags) {
	int rc = check_ends(ends, flags);
	if (rc < 0)
		return rc;
	bool exchange = (flags & RENAME_EXCHANGE) != 0;
	bool config = !exchange && S_ISREG(ends->old_stat.st_mode) &&
		      gk_git_config_guarded(call, gk_slice(ends->new.path, ends->new.length));
	rc = judge_move(call, &ends->old, &ends->old_stat, &ends->new, ends->replaces, config);
	if (rc == 0 && exchange)
		rc = judge_move(call, &ends->new, &ends->new_stat, &ends->old, true, false);
	if (rc == 0)
		rc = gk_judge_served(call, &ends->old, &ends->old_stat);
	if (rc == 0 && ends->replaces)
		rc = gk_judge_served(call, &ends->new, &ends->new_stat);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc < 0)
		return rc;
	return config ? replace_config(call, ends) : rename_now(ends, flags);
}

/* do_renameat2() of fs/namei.c: what is refused before any permission is looked at. */
static int check_ends(struct ends *ends, unsigned flags) {
	if (ends->old.parent.stat.st_dev != ends->new.parent.stat.st_dev)
		return -EXDEV;
	if (ends->old.last != GK_LAST_NAME)
		return -EBUSY;
	if (ends->new.last != GK_LAST_NAME)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (fstatat(ends->old.parent.fd, ends->old.leaf, &ends->old_stat, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	ends->replaces = fstatat(ends->new.parent.fd, ends->new.leaf, &ends->new_stat, AT_SYMLINK_NOFOLLOW) == 0;
	if (!ends->replaces && (errno != ENOENT || !gk_place_takes_names(&ends->new)))
		return -errno;
	if (ends->replaces && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!ends->replaces && (flags & RENAME_EXCHANGE))
		return -ENOENT;
	return check_slashes(ends, flags);
}

static int check_slashes(const struct ends *ends, unsigned flags) {
	bool exchange = (flags & RENAME_EXCHANGE) != 0;
	if (exchange && !S_ISDIR(ends->new_stat.st_mode) && ends->new.trailing_slash)
		return -ENOTDIR;
	if (S_ISDIR(ends->old_stat.st_mode))
		return 0;
	return ends->old.trailing_slash || (!exchange && ends->new.trailing_slash) ? -ENOTDIR : 0;
}

/* A move takes a name away, lets the file be read at a new one, and makes that one. */
static int judge_move(struct gk_call *call, const struct gk_place *from, const struct stat *moved, const struct gk_place *to,
		      bool replaces, bool config) {
	struct gk_slice source = gk_slice(from->path, from->length), destination = gk_slice(to->path, to->length);
	int rc = gk_judge_path(call, GK_ACTION_FILE_DELETE, source);
	if (rc == 0)
		rc = gk_judge_path(call, GK_ACTION_FILE_READ, source);
	if (rc == 0 && !config)
		rc = gk_judge_path(call, GK_ACTION_FILE_WRITE, destination);
	if (rc == 0 && !config && replaces)
		rc = gk_judge_path(call, GK_ACTION_FILE_DELETE, destination);
	if (rc < 0)
		return rc;
	if (S_ISDIR(moved->st_mode))
		return judge_directory(call, from, to);
	if (S_ISLNK(moved->st_mode))
		rc = gk_judge_alias_at(call, destination, from->parent.fd, from->leaf);
	return rc < 0 ? rc : gk_judge_git_link(call, to, GK_ACTION_FILE_WRITE);
}

static int judge_directory(struct gk_call *call, const struct gk_place *from, const struct gk_place *to) {
	struct gk_slice source = gk_slice(from->path, from->length), destination = gk_slice(to->path, to->length);
	const struct gk_mounts *mounts = gk_files_of(call)->mounts;
	char other_source[PATH_MAX], other_destination[PATH_MAX];
	size_t at = 0, source_length, length;
	int rc = judge_departure(call, source, destination);
	while (rc == 0 && gk_mounts_next(mounts, source, &at, other_source, &source_length))
		if (gk_mounts_same(mounts, destination, at, other_destination, &length))
			rc = judge_departure(call, gk_slice(other_source, source_length), gk_slice(other_destination, length));
	return rc < 0 ? rc : gk_judge_arrival(call, from, to);
}

/* Whether names beneath are judged less strictly at the destination. */
static int judge_departure(struct gk_call *call, struct gk_slice source, struct gk_slice destination) {
	const struct gk_image *image = gk_current_image(call->supervisor);
	if (!gk_region_moves(call->supervisor->region, source) && !gk_move_loosens(image, source, destination))
		return 0;
	struct gk_subject subject = {.action = GK_ACTION_FILE_DELETE, .target = source, .target2 = destination};
	bool protects = gk_move_unprotects(image, source, destination);
	return gk_refuse(call, &subject, protects ? GK_REASON_SELF_PROTECTION : GK_REASON_MOVE_LOOSENS);
}

static int rename_now(const struct ends *ends, unsigned flags) {
	char old[GK_SPELLING], new[GK_SPELLING];
	gk_place_spelling(&ends->old, old);
	gk_place_spelling(&ends->new, new);
	return renameat2(ends->old.parent.fd, old, ends->new.parent.fd, new, flags) < 0 ? -errno : 0;
}

/* The verified copy takes the destination's name, and the source goes: to the caller it looks like its rename. */
static int replace_config(struct gk_call *call, const struct ends *ends) {
	char copy[GK_COPY_NAME];
	int rc = gk_git_config_copy(call, &ends->old, &ends->new, copy);
	if (rc < 0)
		return rc;
	if (renameat2(ends->new.parent.fd, copy, ends->new.parent.fd, ends->new.leaf, 0) < 0) {
		rc = -errno;
		unlinkat(ends->new.parent.fd, copy, 0);
		return rc;
	}
	return unlinkat(ends->old.parent.fd, ends->old.leaf, 0) < 0 ? -errno : 0;
}
