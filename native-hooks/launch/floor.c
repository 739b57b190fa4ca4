#include "launch/floor.h"

#include "supervise/files.h"
#include "supervise/openat2.h"
#include "sys/landlock.h"
#include "wire/door.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

/* The kernel opens what it executes: both rights are needed (the interpreter's file too). */
#define RIGHTS_TO_RUN (GK_FS_EXECUTE | GK_FS_READ_FILE)
/* Journal segments are made, grown and read; the daemon removes them. */
#define RIGHTS_IN_RUN_DIR (GK_FS_READ_FILE | GK_FS_READ_DIR | GK_FS_WRITE_FILE | GK_FS_MAKE_REG | GK_FS_TRUNCATE | GK_FS_REMOVE_FILE)
/* A process's own files there (comm, oom_score_adj …) are the policy's to judge. */
#define RIGHTS_IN_PROC (GK_FS_READ_FILE | GK_FS_READ_DIR | GK_FS_WRITE_FILE | GK_FS_TRUNCATE)

static int build_supervisor(const struct gk_floor_input *input, int *out);
static int build_border(const struct gk_floor_input *input, int *out);
static int build_agent(const struct gk_floor_input *input, int *out);

int gk_floor_build(const struct gk_floor_input *input, struct gk_floor *out) {
	*out = (struct gk_floor){.supervisor = -1, .border = -1, .agent = -1};
	int error = build_supervisor(input, &out->supervisor);
	if (error == 0)
		error = build_border(input, &out->border);
	if (error == 0)
		error = build_agent(input, &out->agent);
	if (error < 0)
		gk_floor_release(out);
	return error;
}

void gk_floor_release(struct gk_floor *floor) {
	int *const ruleset[] = {&floor->supervisor, &floor->border, &floor->agent};
	for (size_t i = 0; i < GK_COUNT(ruleset); i++) {
		if (*ruleset[i] >= 0)
			close(*ruleset[i]);
		*ruleset[i] = -1;
	}
}

uint64_t gk_floor_supervisor_rights(uint32_t access) {
	uint64_t rights = 0;
	if ((access & GK_FLOOR_READ) != 0)
		rights |= GK_FS_READ;
	if ((access & GK_FLOOR_EXECUTE) != 0)
		rights |= RIGHTS_TO_RUN;
	if ((access & GK_FLOOR_WRITE) != 0)
		rights |= GK_FS_ALL;
	return rights;
}

uint64_t gk_floor_agent_rights(uint32_t access) {
	return (access & GK_FLOOR_EXECUTE) != 0 ? RIGHTS_TO_RUN : 0;
}

static bool copy_path(struct gk_slice path, char out[PATH_MAX]) {
	if (path.length >= PATH_MAX)
		return false;
	memcpy(out, path.at, path.length);
	out[path.length] = '\0';
	return true;
}

static int allow_floor(const struct gk_image *image, int ruleset) {
	for (uint32_t i = 0; i < gk_image_floor_count(image); i++) {
		uint32_t access;
		char path[PATH_MAX];
		struct gk_slice entry = gk_image_floor(image, i, &access);
		uint64_t rights = gk_floor_supervisor_rights(access);
		if (rights == 0 || !copy_path(entry, path))
			continue;
		int error = gk_ruleset_allow(ruleset, path, rights);
		if (error < 0)
			return error;
	}
	return 0;
}

static int allow_typed(const struct gk_typed *typed, int ruleset) {
	int error = 0;
	for (size_t i = 0; i < typed->count && error == 0; i++)
		error = gk_ruleset_allow_fd(ruleset, typed->file[i], RIGHTS_TO_RUN);
	return error;
}

/* Names beneath the roots are listed to find other names of denied files; what the files hold stays out of reach. */
static int allow_listing(const struct gk_image *image, int ruleset) {
	static const enum gk_root roots[] = {GK_ROOT_HOME_REAL, GK_ROOT_WORKSPACE_REAL, GK_ROOT_TMP_REAL};
	int error = 0;
	for (size_t i = 0; i < GK_COUNT(roots) && error == 0; i++) {
		struct gk_slice root = gk_image_root(image, roots[i]);
		char path[PATH_MAX];
		if (root.length == 0 || root.length >= sizeof(path))
			continue;
		memcpy(path, root.at, root.length);
		path[root.length] = '\0';
		error = gk_ruleset_allow(ruleset, path, GK_FS_READ_DIR);
	}
	return error;
}

/* The terminal that the run was started on may be a line of the machine, which no policy names. */
static int allow_terminal(int ruleset) {
	int error = 0;
	for (int fd = 0; fd < 3 && error == 0; fd++)
		if (isatty(fd))
			error = gk_ruleset_allow_fd(ruleset, fd, GK_FS_READ_FILE | GK_FS_WRITE_FILE | GK_FS_IOCTL_DEV);
	return error;
}

/* Every domain refuses links and renames between directories unless it says otherwise, whatever it handles (landlock(7)). At the level of
 * the hook the agent makes them itself. */
static int build_border(const struct gk_floor_input *input, int *out) {
	const struct gk_restriction restriction = {.fs = input->by_hook ? GK_FS_REFER : 0, .scoped = GK_SCOPE_SIGNAL};
	int error = gk_ruleset_open(&restriction, out);
	return error == 0 && input->by_hook ? gk_ruleset_allow(*out, "/", GK_FS_REFER) : error;
}

/* What the policy could ever let the run do. */
static int allow_possible(const struct gk_floor_input *input, int ruleset) {
	int error = allow_floor(input->image, ruleset);
	if (error == 0)
		error = allow_typed(input->typed, ruleset);
	if (error == 0)
		error = allow_listing(input->image, ruleset);
	if (error == 0)
		error = allow_terminal(ruleset);
	if (error == 0)
		error = gk_ruleset_allow(ruleset, "/proc", RIGHTS_IN_PROC);
	if (error == 0 && input->simulate)
		error = gk_ruleset_allow(ruleset, "/", GK_FS_ALL);
	return error;
}

static int allow_lent(const struct gk_floor_input *input, int ruleset) {
	int error = input->hooks == NULL ? 0 : gk_ruleset_allow(ruleset, input->hooks, GK_FS_READ_FILE);
	return error < 0 || input->hooks == NULL ? error : gk_ruleset_allow(ruleset, input->image_file, GK_FS_READ_FILE);
}

/* The agent needs no right to it: what it reads there is opened for it. */
static int allow_offered(const struct gk_floor_input *input, int ruleset) {
	return input->offered == NULL ? 0 : gk_ruleset_allow(ruleset, input->offered, GK_FS_READ_FILE);
}

static int build_supervisor(const struct gk_floor_input *input, int *out) {
	int ruleset;
	int error = gk_ruleset_open(&(struct gk_restriction){.fs = GK_FS_ALL}, &ruleset);
	if (error < 0)
		return error;
	*out = ruleset;
	error = allow_possible(input, ruleset);
	if (error == 0)
		error = gk_ruleset_allow(ruleset, input->run_dir, RIGHTS_IN_RUN_DIR);
	if (error == 0)
		error = gk_ruleset_allow(ruleset, input->images, GK_FS_READ_FILE);
	if (error == 0)
		error = allow_lent(input, ruleset);
	if (error == 0)
		error = allow_offered(input, ruleset);
	return error;
}

/* The hook reads what it is made of and what it decides by. Connections are made by the supervisor here too. */
static int allow_hooked(const struct gk_floor_input *input, int ruleset) {
	char generation[PATH_MAX];
	int error = allow_possible(input, ruleset);
	if (error == 0)
		error = gk_ruleset_allow(ruleset, input->images, GK_FS_READ_FILE);
	if (error == 0)
		error = gk_ruleset_allow(ruleset, input->hook, GK_FS_READ_FILE);
	if (error == 0 && snprintf(generation, sizeof(generation), "%s/" GK_DOOR_GENERATION, input->run_dir) < (int)sizeof(generation))
		error = gk_ruleset_allow(ruleset, generation, GK_FS_READ_FILE);
	if (error == 0)
		error = allow_offered(input, ruleset);
	return error;
}

/* What may be executed may be read, as far as the kernel can tell. */
static void note_executed(struct gk_region *region, int fd) {
	char link[GK_FD_PATH], path[PATH_MAX];
	gk_fd_path(fd, link);
	ssize_t length = readlink(link, path, sizeof(path));
	if (region->executed[0] != '\0' || (length > 0 && gk_region_holds(region, gk_slice(path, (size_t)length))))
		return;
	snprintf(region->executed, sizeof(region->executed), "%.*s", length > 0 ? (int)length : 1, length > 0 ? path : "?");
}

/* Looked at and allowed is one and the same, whatever becomes of the name meanwhile. */
static int allow_execution(const struct gk_floor_input *input, int ruleset) {
	for (uint32_t i = 0; i < gk_image_floor_count(input->image); i++) {
		uint32_t access;
		char path[PATH_MAX];
		struct gk_slice entry = gk_image_floor(input->image, i, &access);
		uint64_t rights = gk_floor_agent_rights(access);
		if (rights == 0 || !copy_path(entry, path))
			continue;
		GK_AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
		if (fd < 0 && gk_is_out_of_reach(errno))
			continue;
		if (fd < 0)
			return -errno;
		note_executed(input->region, fd);
		int error = gk_ruleset_allow_fd(ruleset, fd, rights);
		if (error < 0)
			return error;
	}
	for (size_t i = 0; i < input->typed->count; i++)
		note_executed(input->region, input->typed->file[i]);
	return 0;
}

/* What is not there, or a link by now, is no part of what the compiler looked at. */
static int allow_region(const struct gk_floor_input *input, int ruleset) {
	struct gk_region *region = input->region;
	if (region->hints != GK_HINTS_NONE && gk_image_hints_files(input->image) && region->executed[0] == '\0')
		region->hints = GK_HINTS_FILES;
	uint64_t rights = GK_FS_READ_DIR | (region->hints == GK_HINTS_FILES ? GK_FS_READ_FILE : 0);
	for (size_t i = 0; i < region->count; i++) {
		char path[PATH_MAX];
		if (!copy_path(region->path[i], path))
			continue;
		GK_AUTO_CLOSE int fd = gk_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, GK_RESOLVE_NO_SYMLINKS);
		int error = fd < 0 ? 0 : gk_ruleset_allow_fd(ruleset, fd, rights);
		if (error < 0)
			return error;
	}
	return 0;
}

static int build_agent(const struct gk_floor_input *input, int *out) {
	const struct gk_restriction everything = {
		.fs = GK_FS_ALL,
		.net = GK_NET_ALL,
		.scoped = GK_SCOPE_SIGNAL | GK_SCOPE_ABSTRACT_UNIX_SOCKET,
	};
	int ruleset;
	int error = gk_ruleset_open(&everything, &ruleset);
	if (error < 0)
		return error;
	*out = ruleset;
	if (input->by_hook)
		return allow_hooked(input, ruleset);
	error = allow_execution(input, ruleset);
	if (error == 0)
		error = allow_typed(input->typed, ruleset);
	if (error == 0)
		error = allow_lent(input, ruleset);
	if (error == 0)
		error = allow_region(input, ruleset);
	/* A simulated run may execute anything, as nothing of the policy may stop it. */
	if (error == 0 && input->simulate)
		error = gk_ruleset_allow(ruleset, "/", RIGHTS_TO_RUN);
	return error;
}
