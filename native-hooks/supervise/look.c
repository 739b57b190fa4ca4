/* Calls that only look: they come here in runs from which names are hidden. Each is made on the pinned object, and what it gives is copied
 * into the caller's memory, so the kernel never reads the name again. */
#include "include/gk_dispatch.gen.h"
#include "supervise/files.h"
#include "supervise/hide.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define SYNC_TYPE 0x6000 /* AT_STATX_SYNC_TYPE */
#define ENTRIES_BYTES 32768
#define OLD_NAME_AT 18 /* getdents(2) */
#define NAME_AT 19

static int pin(struct gk_call *call, int dirfd, uint64_t address, unsigned lookup, struct gk_object *out);
static void give_stat(struct gk_call *call, int dirfd, uint64_t address, unsigned lookup, uint64_t out);
static void check_access(struct gk_call *call, int dirfd, uint64_t address, int mode, int flags);
static void read_link(struct gk_call *call, int dirfd, uint64_t address, uint64_t out, int size);
static void list(struct gk_call *call, long number, size_t name_at);

void gk_do_stat(struct gk_call *call) {
	give_stat(call, AT_FDCWD, call->args[0], GK_FOLLOW, call->args[1]);
}

void gk_do_lstat(struct gk_call *call) {
	give_stat(call, AT_FDCWD, call->args[0], 0, call->args[1]);
}

static unsigned lookup_of(int flags) {
	return (flags & AT_SYMLINK_NOFOLLOW ? 0U : GK_FOLLOW) | (flags & AT_EMPTY_PATH ? GK_ALLOW_EMPTY : 0U);
}

void gk_do_newfstatat(struct gk_call *call) {
	int flags = gk_arg_int(call, 3);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | SYNC_TYPE))
		return gk_answer_error(call, EINVAL);
	give_stat(call, gk_arg_int(call, 0), call->args[1], lookup_of(flags), call->args[2]);
}

void gk_do_statx(struct gk_call *call) {
	int flags = gk_arg_int(call, 2);
	if ((flags & SYNC_TYPE) == SYNC_TYPE ||
	    (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | SYNC_TYPE)))
		return gk_answer_error(call, EINVAL);
	GK_AUTO_OBJECT struct gk_object object;
	struct statx result;
	int rc = pin(call, gk_arg_int(call, 0), call->args[1], lookup_of(flags), &object);
	if (rc == 0)
		rc = syscall(SYS_statx, object.fd, "", AT_EMPTY_PATH | (flags & SYNC_TYPE), (unsigned)call->args[3], &result) < 0 ? -errno : 0;
	if (rc == 0)
		rc = gk_write_memory(call, call->args[4], &result, sizeof(result));
	gk_answer_result(call, rc);
}

void gk_do_access(struct gk_call *call) {
	check_access(call, AT_FDCWD, call->args[0], gk_arg_int(call, 1), 0);
}

void gk_do_faccessat(struct gk_call *call) {
	check_access(call, gk_arg_int(call, 0), call->args[1], gk_arg_int(call, 2), 0);
}

void gk_do_faccessat2(struct gk_call *call) {
	check_access(call, gk_arg_int(call, 0), call->args[1], gk_arg_int(call, 2), gk_arg_int(call, 3));
}

void gk_do_readlink(struct gk_call *call) {
	read_link(call, AT_FDCWD, call->args[0], call->args[1], gk_arg_int(call, 2));
}

void gk_do_readlinkat(struct gk_call *call) {
	read_link(call, gk_arg_int(call, 0), call->args[1], call->args[2], gk_arg_int(call, 3));
}

void gk_do_getdents(struct gk_call *call) {
	list(call, SYS_getdents, OLD_NAME_AT);
}

void gk_do_getdents64(struct gk_call *call) {
	list(call, SYS_getdents64, NAME_AT);
}

/* A null pointer with AT_EMPTY_PATH stands for the empty path (kernel 6.11). */
static int pin(struct gk_call *call, int dirfd, uint64_t address, unsigned lookup, struct gk_object *out) {
	out->fd = -1;
	struct gk_path path = {.length = 0, .text = ""};
	int rc = address == 0 && (lookup & GK_ALLOW_EMPTY) ? 0 : gk_read_path(call, address, &path);
	if (rc == 0)
		rc = gk_resolve_object(call, dirfd, path.text, path.length, lookup, out);
	return rc == 0 && gk_is_hidden(call, gk_object_path(out)) ? -ENOENT : rc;
}

static void give_stat(struct gk_call *call, int dirfd, uint64_t address, unsigned lookup, uint64_t out) {
	GK_AUTO_OBJECT struct gk_object object;
	int rc = pin(call, dirfd, address, lookup, &object);
	if (rc == 0)
		rc = gk_write_memory(call, out, &object.stat, sizeof(object.stat));
	gk_answer_result(call, rc);
}

static void check_access(struct gk_call *call, int dirfd, uint64_t address, int mode, int flags) {
	if ((mode & ~(R_OK | W_OK | X_OK)) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return gk_answer_error(call, EINVAL);
	GK_AUTO_OBJECT struct gk_object object;
	int rc = pin(call, dirfd, address, lookup_of(flags), &object);
	if (rc == 0)
		rc = syscall(SYS_faccessat2, object.fd, "", mode, AT_EMPTY_PATH | (flags & AT_EACCESS)) < 0 ? -errno : 0;
	gk_answer_result(call, rc);
}

/* What is no link is EINVAL by its name, and ENOENT when a descriptor alone names it (fs/stat.c). */
static void read_link(struct gk_call *call, int dirfd, uint64_t address, uint64_t out, int size) {
	if (size <= 0)
		return gk_answer_error(call, EINVAL);
	GK_AUTO_OBJECT struct gk_object object;
	object.fd = -1;
	struct gk_path path;
	int rc = gk_read_path(call, address, &path);
	if (rc == 0)
		rc = gk_resolve_object(call, dirfd, path.text, path.length, GK_ALLOW_EMPTY, &object);
	if (rc == 0 && gk_is_hidden(call, gk_object_path(&object)))
		rc = -ENOENT;
	if (rc == 0 && !S_ISLNK(object.stat.st_mode))
		rc = path.length == 0 ? -ENOENT : -EINVAL;
	if (rc < 0)
		return gk_answer_error(call, rc);
	char target[PATH_MAX];
	ssize_t length = readlinkat(object.fd, "", target, (size_t)size < sizeof(target) ? (size_t)size : sizeof(target));
	rc = length < 0 ? -errno : gk_write_memory(call, out, target, (size_t)length);
	if (rc < 0)
		return gk_answer_error(call, rc);
	gk_answer_value(call, length);
}

/* The duplicate shares the caller's position. Entries that are hidden altogether are no end of the directory. */
static void list(struct gk_call *call, long number, size_t name_at) {
	uint64_t room = (uint32_t)call->args[2];
	uint8_t entries[ENTRIES_BYTES];
	int fd;
	int rc = gk_take_descriptor(call, gk_arg_int(call, 0), &fd);
	GK_AUTO_OBJECT struct gk_object directory;
	directory.fd = -1;
	if (rc == 0)
		rc = gk_describe_descriptor(call, fd, &directory);
	if (rc < 0)
		return gk_answer_error(call, rc);
	long length;
	size_t kept;
	do {
		length = syscall(number, directory.fd, entries, room < sizeof(entries) ? (size_t)room : sizeof(entries));
		if (length < 0)
			return gk_answer_error(call, errno);
		kept = call->supervisor->simulate || directory.length == 0
			       ? (size_t)length
			       : gk_hide_entries(call, gk_object_path(&directory), entries, (size_t)length, name_at);
	} while (length > 0 && kept == 0);
	rc = kept == 0 ? 0 : gk_write_memory(call, call->args[1], entries, kept);
	if (rc < 0)
		return gk_answer_error(call, rc);
	gk_answer_value(call, (int64_t)kept);
}
