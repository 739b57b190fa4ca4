#include "include/gk_dispatch.gen.h"
#include "supervise/metadata.h"
#include "supervise/terminals.h"

#include <sys/time.h>
#include <utime.h>

/* The times of a call; both "now" when the caller gave none. */
struct times {
	struct timespec at[2];
};

static int read_timespecs(struct gk_call *call, uint64_t address, struct times *out);
static int read_timevals(struct gk_call *call, uint64_t address, struct times *out);
static int read_utimbuf(struct gk_call *call, uint64_t address, struct times *out);
static void change_times(struct gk_call *call, const struct gk_target *target, const struct times *times);

static const struct times now = {{{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}}};

void gk_do_utime(struct gk_call *call) {
	struct times times;
	int rc = read_utimbuf(call, call->args[1], &times);
	if (rc < 0)
		return gk_answer_error(call, rc);
	struct gk_target target = gk_target_path(AT_FDCWD, call->args[0], GK_FOLLOW);
	change_times(call, &target, &times);
}

void gk_do_utimes(struct gk_call *call) {
	struct times times;
	int rc = read_timevals(call, call->args[1], &times);
	if (rc < 0)
		return gk_answer_error(call, rc);
	struct gk_target target = gk_target_path(AT_FDCWD, call->args[0], GK_FOLLOW);
	change_times(call, &target, &times);
}

/* Without a path both at-forms mean the descriptor. */
static struct gk_target named(int dirfd, uint64_t path, unsigned lookup) {
	return path == 0 && dirfd != AT_FDCWD ? gk_target_descriptor(dirfd) : gk_target_path(dirfd, path, lookup);
}

void gk_do_futimesat(struct gk_call *call) {
	struct times times;
	int rc = read_timevals(call, call->args[2], &times);
	if (rc < 0)
		return gk_answer_error(call, rc);
	struct gk_target target = named(gk_arg_int(call, 0), call->args[1], GK_FOLLOW);
	change_times(call, &target, &times);
}

void gk_do_utimensat(struct gk_call *call) {
	struct times times;
	unsigned lookup;
	int flags = gk_arg_int(call, 3);
	int rc = read_timespecs(call, call->args[2], &times);
	if (rc < 0)
		return gk_answer_error(call, rc);
	/* Nothing to do: the kernel does not even look at the path. */
	if (times.at[0].tv_nsec == UTIME_OMIT && times.at[1].tv_nsec == UTIME_OMIT)
		return gk_answer_value(call, 0);
	struct gk_target target = named(gk_arg_int(call, 0), call->args[1], 0);
	rc = target.by_descriptor && flags != 0 ? -EINVAL : gk_metadata_lookup(flags, &lookup);
	if (rc < 0)
		return gk_answer_error(call, rc);
	target.lookup = lookup;
	change_times(call, &target, &times);
}

static void change_times(struct gk_call *call, const struct gk_target *target, const struct times *times) {
	GK_AUTO_OBJECT struct gk_object object;
	int rc = gk_target_pin(call, target, &object);
	if (rc == 0)
		rc = gk_judge_change(call, &object, EACCES);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0)
		rc = utimensat(object.fd, "", times->at, AT_EMPTY_PATH) < 0 ? -errno : 0;
	if (rc == 0)
		gk_terminal_changed(call, &object);
	gk_answer_result(call, rc);
}

static int read_timespecs(struct gk_call *call, uint64_t address, struct times *out) {
	*out = now;
	return address == 0 ? 0 : gk_read_memory(call, address, out->at, sizeof out->at);
}

static int read_timevals(struct gk_call *call, uint64_t address, struct times *out) {
	struct timeval values[2];
	*out = now;
	if (address == 0)
		return 0;
	int rc = gk_read_memory(call, address, values, sizeof values);
	if (rc < 0)
		return rc;
	for (int i = 0; i < 2; i++) {
		if (values[i].tv_usec < 0 || values[i].tv_usec >= 1000000)
			return -EINVAL;
		out->at[i] = (struct timespec){.tv_sec = values[i].tv_sec, .tv_nsec = values[i].tv_usec * 1000};
	}
	return 0;
}

static int read_utimbuf(struct gk_call *call, uint64_t address, struct times *out) {
	struct utimbuf values;
	*out = now;
	if (address == 0)
		return 0;
	int rc = gk_read_memory(call, address, &values, sizeof values);
	if (rc < 0)
		return rc;
	out->at[0] = (struct timespec){.tv_sec = values.actime};
	out->at[1] = (struct timespec){.tv_sec = values.modtime};
	return 0;
}
