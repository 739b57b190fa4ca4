/* execve and execveat: materialised, judged, then continued, since nobody can execute on another's behalf. What the kernel makes
 * of it is verified at the new program's first trapped call (verify.c). */
#include "supervise/spawn.h"

#include "include/gk_dispatch.gen.h"
#include "supervise/judge.h"
#include "supervise/spawn_arguments.h"
#include "supervise/spawn_chain.h"
#include "supervise/supervisor.h"
#include "supervise/task_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define EXECVE_CHECK 0x10000 /* AT_EXECVE_CHECK, Linux 6.14: asks whether it could, executes nothing */

struct spawn {
	int dirfd, flags;
	uint64_t path_address, vector;
	size_t path_length, name_length;
	char path[PATH_MAX];
	char name[GK_SPAWN_NAME_MAX]; /* the path as the kernel passes it to interpreters */
	struct gk_object program;
	struct gk_place place; /* where the name stands, when it is not the program's own */
	struct gk_chain chain;
	struct gk_arguments arguments;
	uint8_t *script_line; /* owned */
	struct gk_slice line; /* what the new program's command line will be */
	struct gk_command command;
	struct gk_command_verdict own, interpreter;
	const struct gk_command_verdict *verdict; /* the one of them that speaks */
	struct gk_expectation expectation;
};

static int judge_spawn(struct gk_call *call, struct spawn *spawn);

static void run_spawn(struct gk_call *call, int dirfd, uint64_t path, uint64_t vector, int flags) {
	struct spawn *spawn = calloc(1, sizeof(*spawn));
	if (spawn == NULL) {
		gk_answer_error(call, ENOMEM);
		return;
	}
	spawn->dirfd = dirfd;
	spawn->flags = flags;
	spawn->path_address = path;
	spawn->vector = vector;
	spawn->program.fd = spawn->place.parent.fd = spawn->chain.next.fd = -1;
	int error = judge_spawn(call, spawn);
	gk_command_verdict_free(&spawn->interpreter);
	gk_command_verdict_free(&spawn->own);
	free(spawn->script_line);
	gk_arguments_free(&spawn->arguments);
	gk_object_release(&spawn->chain.next);
	gk_place_release(&spawn->place);
	gk_object_release(&spawn->program);
	free(spawn);
	if (error == 0)
		gk_answer_continue(call);
	else
		gk_answer_error(call, error);
}

void gk_do_execve(struct gk_call *call) {
	run_spawn(call, AT_FDCWD, call->args[0], call->args[1], 0);
}

void gk_do_execveat(struct gk_call *call) {
	run_spawn(call, gk_arg_int(call, 0), call->args[1], call->args[2], gk_arg_int(call, 4));
}

/* fs/exec.c, alloc_bprm: what the kernel calls a file that it was given by descriptor. */
static void name_for_interpreters(struct spawn *spawn) {
	int length;
	if (spawn->dirfd == AT_FDCWD || spawn->path[0] == '/')
		length = snprintf(spawn->name, sizeof(spawn->name), "%s", spawn->path);
	else if (spawn->path_length == 0)
		length = snprintf(spawn->name, sizeof(spawn->name), "/dev/fd/%d", spawn->dirfd);
	else
		length = snprintf(spawn->name, sizeof(spawn->name), "/dev/fd/%d/%s", spawn->dirfd, spawn->path);
	spawn->name_length = (size_t)length;
}

/* Pins the program and follows its chain. */
static int materialise(struct gk_call *call, struct spawn *spawn) {
	if (spawn->flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | EXECVE_CHECK))
		return -EINVAL;
	unsigned flags = (spawn->flags & AT_SYMLINK_NOFOLLOW ? 0U : GK_FOLLOW) |
			 (spawn->flags & AT_EMPTY_PATH ? GK_ALLOW_EMPTY : 0U);
	int error = gk_read_string(call, spawn->path_address, spawn->path, sizeof(spawn->path), &spawn->path_length);
	if (error == 0)
		error = gk_resolve_object(call, spawn->dirfd, spawn->path, spawn->path_length, flags, &spawn->program);
	if (error == 0)
		error = gk_chain_admit(call, &spawn->program);
	if (error)
		return error;
	name_for_interpreters(spawn);
	error = gk_chain_follow(call, &spawn->program, gk_slice(spawn->name, spawn->name_length), &spawn->chain);
	if (error == 0)
		error = gk_arguments_read(call, spawn->vector, &spawn->arguments);
	return error;
}

/* Finds the directory of the link that the program was called through. Its name matters only when it is another. */
static int find_alias(struct gk_call *call, struct spawn *spawn) {
	struct gk_slice spelled = gk_base_name(gk_slice(spawn->path, spawn->path_length));
	if (spelled.length == 0 || gk_slice_equal(spelled, gk_base_name(gk_object_path(&spawn->program))))
		return 0;
	int error = gk_resolve_place(call, spawn->dirfd, spawn->path, spawn->path_length, 0, &spawn->place);
	if (error)
		return error;
	spawn->command.alias = gk_slice(spawn->place.path, spawn->place.length);
	return 0;
}

/* Whether no component of the spelling can be replaced by the run. A script is found again by its name, by the kernel and by its
 * interpreter, and what it then is cannot be told from outside. */
static bool spelling_is_fixed(struct gk_call *call, const struct spawn *spawn) {
	return spawn->path_length > 0 && spawn->path[0] == '/' && strstr(spawn->path, "/../") == NULL &&
	       !gk_place_is_writable(call->supervisor, gk_slice(spawn->path, spawn->path_length));
}

/* A script that is trusted for where it lies must not be vouched for when it was called by a name that can be turned to another. */
static bool may_cover(struct gk_call *call, const struct spawn *spawn) {
	return !spawn->chain.script || spelling_is_fixed(call, spawn) ||
	       gk_place_is_writable(call->supervisor, gk_object_path(&spawn->program));
}

/* Where the hook enforces, nothing may be executed that would not load it, or make its calls past it: it would be judged by nobody. */
static int keep_hook(struct gk_call *call, const struct spawn *spawn, const struct gk_subject *subject) {
	const struct gk_program *program = &spawn->chain.program;
	struct gk_slice named = gk_base_name(gk_slice(program->interpreter, program->interpreter_length));
	if (program->interpreted && !program->go && gk_slice_equal(named, gk_slice_of("ld-linux-x86-64.so.2")) &&
	    gk_program_is_loader_name(gk_base_name(gk_object_path(&spawn->chain.next))))
		return 0;
	return gk_refuse(call, subject, GK_REASON_UNHOOKED_PROGRAM);
}

static int expect(struct gk_call *call, struct spawn *spawn) {
	struct gk_expectation *e = &spawn->expectation;
	if (call->by_door) {
		call->vouched = spawn->verdict->covered;
		return 0; /* the asker keeps it: nothing that it starts is seen by anyone else */
	}
	e->length = spawn->line.length;
	gk_sha256(spawn->line, e->digest);
	e->tgid = call->tgid;
	e->tid = call->tid;
	e->device = spawn->chain.image.st_dev;
	e->inode = spawn->chain.image.st_ino;
	e->receipts = call->receipts;
	e->covered_before = spawn->command.covered;
	e->covered = spawn->verdict->covered && (spawn->command.covered || may_cover(call, spawn));
	return gk_expectations_add(call->supervisor->tasks->expectations, e);
}

/* Interpreters and the script's name stand where argv[0] stood. */
static int make_line(struct spawn *spawn) {
	struct gk_slice prefix = gk_chain_prefix(&spawn->chain), rest = gk_arguments_slice(&spawn->arguments);
	spawn->line = rest;
	if (!spawn->chain.script)
		return 0;
	size_t first = strnlen((const char *)rest.at, rest.length) + 1;
	rest = gk_slice(rest.at + first, rest.length - first);
	spawn->script_line = malloc(prefix.length + rest.length);
	if (spawn->script_line == NULL)
		return -ENOMEM;
	memcpy(spawn->script_line, prefix.at, prefix.length);
	memcpy(spawn->script_line + prefix.length, rest.at, rest.length);
	spawn->line = gk_slice(spawn->script_line, prefix.length + rest.length);
	return 0;
}

/* A script is judged by its own name, but a stricter rule for what it makes the kernel start holds as well. */
static int decide_interpreter(struct gk_call *call, struct spawn *spawn) {
	struct gk_command interpreter = {
		.program = gk_slice(spawn->chain.interpreter, spawn->chain.interpreter_length),
		.arguments = spawn->line,
		.covered = true,
	};
	int error = gk_command_decide(call->supervisor, &interpreter, &spawn->interpreter);
	if (error == 0 && spawn->interpreter.verdict.effect > spawn->own.verdict.effect)
		spawn->verdict = &spawn->interpreter;
	return error;
}

static int decide(struct gk_call *call, struct spawn *spawn) {
	struct gk_tasks *tasks = call->supervisor->tasks;
	int error = call->by_door ? 0 : gk_birthmark_read(call, &spawn->expectation.before);
	if (error == 0)
		error = find_alias(call, spawn);
	if (error == 0)
		error = make_line(spawn);
	if (error)
		return error;
	struct gk_command *command = &spawn->command;
	command->program = gk_object_path(&spawn->program);
	command->arguments = gk_arguments_slice(&spawn->arguments);
	command->script = spawn->chain.script;
	command->loader = spawn->chain.loader;
	command->covered = call->by_door ? call->vouched : gk_cover_has(tasks->cover, &spawn->expectation.before);
	command->typed = gk_task_is_typed(tasks, call->tgid, command->program);
	spawn->verdict = &spawn->own;
	error = gk_command_decide(call->supervisor, command, &spawn->own);
	return error == 0 && spawn->chain.script ? decide_interpreter(call, spawn) : error;
}

/* What the receipt needs so that the command can be judged again from it. The text is the caller's to free. */
static int describe_naming(const struct spawn *spawn, struct gk_command_text *line, struct gk_naming *out) {
	const struct gk_command_verdict *own = &spawn->own, *interpreter = &spawn->interpreter;
	*out = (struct gk_naming){
		.alias = spawn->command.alias,
		.called = own->called,
		.program_may_write = own->program_may_write,
		.alias_may_write = own->alias_may_write,
	};
	if (!spawn->chain.script)
		return 0;
	int error = gk_command_text_open(line, gk_chain_prefix(&spawn->chain));
	out->interpreter = gk_slice(spawn->chain.interpreter, spawn->chain.interpreter_length);
	out->called = interpreter->called; /* a script's own argv[0] reaches nobody */
	out->line = error ? gk_slice(NULL, 0) : gk_slice(line->bytes + line->start + 1, line->end - line->start - 1); /* a blank is first */
	out->by_interpreter = spawn->verdict == interpreter;
	out->interpreter_may_write = interpreter->program_may_write;
	return error;
}

static int judge_spawn(struct gk_call *call, struct spawn *spawn) {
	int error = materialise(call, spawn);
	if (error == 0)
		error = decide(call, spawn);
	if (error == 0 && !gk_call_valid(call))
		error = -ESRCH;
	struct gk_subject subject = {.action = GK_ACTION_SHELL_EXEC, .target = gk_object_path(&spawn->program)};
	if (error == -EOVERFLOW) {
		error = gk_refuse(call, &subject, GK_REASON_RESOURCES);
		return error ? error : -EACCES;
	}
	if (error)
		return error;

	const struct gk_command_verdict *spoken = spawn->verdict;
	bool loader = spawn->own.loader;
	/* Nothing starts, so there is nothing to record or to expect. */
	if (spawn->flags & EXECVE_CHECK)
		return (spoken->verdict.effect == GK_EFFECT_ALLOW && !loader) || call->supervisor->simulate ? 0 : -EACCES;
	struct gk_command_text line = {0};
	struct gk_naming naming;
	error = describe_naming(spawn, &line, &naming);
	subject.command = spoken->shown;
	subject.naming = &naming;
	if (error == 0 && loader)
		error = gk_refuse(call, &subject, GK_REASON_LOADER_PROGRAM);
	if (error == 0)
		error = gk_judge_verdict(call, &subject, &spoken->verdict);
	if (error == 0 && call->by_door)
		error = keep_hook(call, spawn, &subject);
	gk_command_text_free(&line);
	return error ? error : expect(call, spawn);
}
