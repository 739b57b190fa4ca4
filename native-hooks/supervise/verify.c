/* What became of an approved exec: between the verdict and the kernel's own reading, another thread or a process that shares
 * memory may have changed path and arguments. Everything that a program can do to others is a trapped call, so the first one
 * of the new program is early enough to tell. */
#include "supervise/judge.h"
#include "supervise/result.h"
#include "supervise/spawn.h"
#include "supervise/spawn_arguments.h"
#include "supervise/spawn_chain.h"
#include "supervise/supervisor.h"
#include "supervise/task_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Longer ones cannot have been approved; PR_SET_MM is refused, so none is. */
#define COMMAND_LINE_MAX (GK_ARGUMENTS_MAX + GK_SPAWN_PREFIX_MAX)

/* What the caller runs now. */
struct present {
	struct gk_birthmark mark;
	struct stat image;
	char *line; /* its command line, owned */
	size_t line_length;
	struct gk_command command;	   /* filled when it is not what was expected */
	struct gk_command_verdict *judged; /* owned */
	char path[PATH_MAX];
};

static int verify_against(struct gk_call *call, const struct gk_expectation *first, struct present *now);
static int judge_present(struct gk_call *call, const struct gk_expectation *first, struct present *now);

/* What cannot be verified must not go on: it may be anything. */
static void condemn(struct gk_call *call, const struct present *now) {
	struct gk_subject subject = {.action = GK_ACTION_SHELL_EXEC, .target = now->command.program};
	if (now->judged != NULL)
		subject.command = now->judged->shown;
	int refused = gk_refuse(call, &subject, GK_REASON_EXEC_MISMATCH);
	gk_kill_run(call->supervisor, refused == -EACCES
					      ? "a program ran that is not what was approved"
					      : "a program ran that is not what was approved, and no receipt could be written");
}

/* Descriptors or memory of ours have run out. This call fails, and the next one is verified in its place. */
static bool is_shortage(int error) {
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

int gk_verify_exec(struct gk_call *call) {
	struct gk_expectation first;
	if (!gk_expectations_next(call->supervisor->tasks->expectations, call->tgid, 0, &first))
		return 0;
	struct present now;
	now.line = NULL;
	now.line_length = 0;
	now.judged = NULL;
	now.command = (struct gk_command){0};
	int error = verify_against(call, &first, &now);
	if (error != 0 && error != -ESRCH && !is_shortage(error) && gk_call_valid(call))
		condemn(call, &now);
	if (now.judged != NULL)
		gk_command_verdict_free(now.judged);
	free(now.judged);
	free(now.line);
	return error;
}

/* Reads /proc/PID/cmdline whole. */
static int read_command_line(int proc, struct present *now) {
	GK_AUTO_CLOSE int fd = openat(proc, "cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	for (size_t capacity = 1024;; capacity *= 4) {
		char *grown = realloc(now->line, capacity);
		if (grown == NULL)
			return -ENOMEM;
		now->line = grown;
		while (now->line_length < capacity) {
			ssize_t n = read(fd, now->line + now->line_length, capacity - now->line_length);
			if (n < 0)
				return -errno;
			if (n == 0)
				return 0;
			now->line_length += (size_t)n;
		}
		if (capacity > COMMAND_LINE_MAX)
			return -E2BIG;
	}
}

static int read_present(struct gk_call *call, struct present *now) {
	int proc;
	int error = gk_call_proc(call, &proc);
	if (error)
		return error;
	if (fstatat(proc, "exe", &now->image, 0) != 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return read_command_line(proc, now);
}

static bool is_expected(const struct gk_expectation *e, const struct present *now, const uint8_t *digest) {
	return e->device == now->image.st_dev && e->inode == now->image.st_ino && e->length == now->line_length &&
	       memcmp(e->digest, digest, GK_SHA256_BYTES) == 0;
}

/* The new program is what was judged: it gets the standing that goes with it. */
static void adopt(struct gk_call *call, const struct gk_birthmark *mark, bool covered) {
	struct gk_tasks *tasks = call->supervisor->tasks;
	if (covered)
		gk_cover_add(tasks->cover, mark, call->tgid);
	if (call->tgid == tasks->typed_process)
		atomic_store(&tasks->typed_open, false);
	gk_expectations_drop(tasks->expectations, call->tgid, 0);
}

/* Of the execs of a process that has become what one of them asked for the others have failed: their threads are gone. */
static void tell(struct gk_call *call, const struct gk_expectation *became) {
	struct gk_expectation e = {0};
	while (gk_expectations_next(call->supervisor->tasks->expectations, call->tgid, e.serial, &e))
		gk_result_record(call->supervisor, &e.receipts, e.serial == became->serial ? 0 : GK_RESULT_UNTOLD);
}

/* Those of this thread, whose exec has failed. */
static void tell_failure(struct gk_call *call) {
	struct gk_expectation e = {0};
	while (gk_expectations_next(call->supervisor->tasks->expectations, call->tgid, e.serial, &e))
		if (e.tid == call->tid)
			gk_result_record(call->supervisor, &e.receipts, GK_RESULT_UNTOLD);
}

static int match(struct gk_call *call, const struct gk_expectation *first, struct present *now) {
	int error = read_present(call, now);
	if (error)
		return error;
	uint8_t digest[GK_SHA256_BYTES];
	gk_sha256(gk_slice(now->line, now->line_length), digest);
	struct gk_expectation e = *first;
	do {
		if (is_expected(&e, now, digest)) {
			tell(call, &e);
			adopt(call, &now->mark, e.covered);
			return 0;
		}
	} while (gk_expectations_next(call->supervisor->tasks->expectations, call->tgid, e.serial, &e));
	return judge_present(call, first, now);
}

static int verify_against(struct gk_call *call, const struct gk_expectation *first, struct present *now) {
	int error = gk_birthmark_read(call, &now->mark);
	if (error)
		return error;
	if (!gk_birthmark_equal(&now->mark, &first->before))
		return match(call, first, now);
	/* Still the old program: this thread's exec failed; another thread's may yet happen. */
	tell_failure(call);
	gk_expectations_drop(call->supervisor->tasks->expectations, call->tgid, call->tid);
	return 0;
}

/* The path of what runs, as policy judges it. */
static int name_image(struct gk_call *call, struct present *now) {
	int proc;
	int error = gk_call_proc(call, &proc);
	if (error)
		return error;
	ssize_t n = readlinkat(proc, "exe", now->path, sizeof(now->path));
	if (n < 0)
		return -errno;
	/* A deleted or anonymous file has no name that a policy could speak of. */
	if (n == 0 || (size_t)n >= sizeof(now->path) || now->path[0] != '/' || now->image.st_nlink == 0)
		return -EACCES;
	now->command.program = gk_slice(now->path, (size_t)n);
	return 0;
}

/* Not what was approved: an innocent race, or an attempt. What runs is judged as if it had been asked for. */
static int judge_present(struct gk_call *call, const struct gk_expectation *first, struct present *now) {
	struct gk_supervisor *supervisor = call->supervisor;
	int error = name_image(call, now);
	if (error)
		return error;
	now->judged = calloc(1, sizeof(*now->judged));
	if (now->judged == NULL)
		return -ENOMEM;
	struct gk_command *command = &now->command;
	command->arguments = now->line_length > 0 ? gk_slice(now->line, now->line_length) : gk_slice("", 1);
	command->loader = gk_program_is_loader_name(gk_base_name(command->program)) ||
			  gk_loaders_have(supervisor->tasks, &now->image);
	command->covered = first->covered_before;
	error = gk_command_decide(supervisor, command, now->judged);
	if (error)
		return error;

	bool readable = gk_decide_path(gk_current_image(supervisor), GK_ACTION_FILE_READ, command->program).effect ==
			GK_EFFECT_ALLOW;
	bool allowed = readable && !now->judged->loader && now->judged->verdict.effect == GK_EFFECT_ALLOW;
	if (!allowed && !supervisor->simulate)
		return -EACCES;
	gk_note(call, gk_reason_codes[GK_REASON_EXEC_MISMATCH], now->judged->shown);
	adopt(call, &now->mark, allowed && now->judged->covered);
	return 0;
}
