#include "supervise/spawn_chain.h"

#include "supervise/command_text.h"
#include "supervise/files.h"
#include "supervise/task_table.h"

#include <errno.h>
#include <fcntl.h>

static int refuse(struct gk_call *call, const struct gk_object *object, enum gk_reason reason) {
	struct gk_subject subject = {.action = GK_ACTION_SHELL_EXEC, .target = gk_object_path(object)};
	return gk_refuse(call, &subject, reason);
}

/* The kernel opens programs and interpreters itself, so policy is asked here. Only refusals deserve a receipt. */
static int may_read(struct gk_call *call, const struct gk_object *object) {
	const struct gk_image *image = gk_current_image(call->supervisor);
	struct gk_verdict verdict = gk_decide_path(image, GK_ACTION_FILE_READ, gk_object_path(object));
	if (object->stat.st_nlink < 2 && verdict.effect == GK_EFFECT_ALLOW)
		return 0;
	/* What the user typed may start from where no rule speaks; a rule that denies it holds. */
	if (verdict.source == GK_SOURCE_DEFAULT &&
	    gk_task_is_typed(call->supervisor->tasks, call->tgid, gk_object_path(object)))
		return 0;
	return gk_judge_object(call, GK_ACTION_FILE_READ, object);
}

int gk_chain_admit(struct gk_call *call, const struct gk_object *object) {
	if (S_ISLNK(object->stat.st_mode))
		return -ELOOP;
	/* Whoever may execute it, somebody must: the rest is for the kernel to say. */
	if (!object->anonymous && (!S_ISREG(object->stat.st_mode) || (object->stat.st_mode & 0111) == 0))
		return -EACCES;
	/* A program without a name in the tree has no path that a policy could speak of, and passes the kernel's floor. */
	if (object->anonymous)
		return refuse(call, object, GK_REASON_ANONYMOUS_PROGRAM);
	return may_read(call, object);
}

/* Reads what the file is through a descriptor of its own; a pinned regular file cannot block. */
static int examine(struct gk_call *call, const struct gk_object *object, struct gk_program *out) {
	char name[GK_FD_PATH];
	gk_fd_path(object->fd, name);
	GK_AUTO_CLOSE int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* A process that runs an unreadable program hides its memory, and with it every argument of its calls. */
	if (fd < 0 && errno == EACCES) {
		int error = refuse(call, object, GK_REASON_UNREADABLE_MEMORY);
		return error ? error : -EACCES;
	}
	return fd < 0 ? -errno : gk_program_read(fd, call->by_door, out);
}

static int prepend(struct gk_chain *chain, const void *bytes, size_t length) {
	if (chain->prefix_start < length + 1)
		return -ENAMETOOLONG;
	chain->prefix_start -= length + 1;
	memcpy(chain->prefix + chain->prefix_start, bytes, length);
	chain->prefix[chain->prefix_start + length] = '\0';
	return 0;
}

/* Writes the interpreter's part of the command line and resolves it in the caller's view. */
static int enter_interpreter(struct gk_call *call, struct gk_chain *chain) {
	const struct gk_program *program = &chain->program;
	int error = program->argued ? prepend(chain, program->argument, program->argument_length) : 0;
	if (error == 0)
		error = prepend(chain, program->interpreter, program->interpreter_length);
	if (error)
		return error;
	gk_object_release(&chain->next);
	return gk_resolve_object(call, AT_FDCWD, program->interpreter, program->interpreter_length, GK_FOLLOW,
				 &chain->next);
}

static bool is_loader(struct gk_call *call, const struct gk_object *object, const struct gk_program *program) {
	return program->loader || gk_program_is_loader_name(gk_base_name(gk_object_path(object))) ||
	       gk_loaders_have(call->supervisor->tasks, &object->stat);
}

/* A program that is named as the loader of another runs in its place, and no rule for commands would see it. The system's loaders are
 * nobody's command. */
static int judge_as_loader(struct gk_call *call, struct gk_slice path) {
	struct gk_slice base = gk_base_name(path);
	if (gk_program_is_loader_name(base))
		return 0;
	struct gk_verdict verdict = gk_decide_command(gk_current_image(call->supervisor), base, path, true);
	if (verdict.effect == GK_EFFECT_ALLOW || verdict.source == GK_SOURCE_DEFAULT)
		return 0;
	struct gk_subject subject = {.action = GK_ACTION_SHELL_EXEC, .target = path};
	return gk_judge_verdict(call, &subject, &verdict);
}

/* The loader that an ELF program names. */
static int enter_loader(struct gk_call *call, struct gk_chain *chain) {
	struct gk_object *loader = &chain->next;
	gk_object_release(loader);
	int error = gk_resolve_object(call, AT_FDCWD, chain->program.interpreter, chain->program.interpreter_length,
				      GK_FOLLOW, loader);
	if (error == 0)
		error = gk_chain_admit(call, loader);
	if (error == 0)
		error = judge_as_loader(call, gk_object_path(loader));
	if (error == 0)
		gk_loaders_add(call->supervisor->tasks, &loader->stat);
	return error;
}

int gk_chain_follow(struct gk_call *call, const struct gk_object *program, struct gk_slice name,
		    struct gk_chain *chain) {
	chain->next.fd = -1;
	chain->prefix_start = sizeof(chain->prefix);
	const struct gk_object *current = program;
	for (int level = 0;; level++) {
		int error = examine(call, current, &chain->program);
		if (error)
			return error;
		if (chain->program.kind != GK_PROGRAM_SCRIPT)
			break;
		chain->script = true;
		if (level == GK_PROGRAM_LEVELS)
			return -ELOOP;
		if (level == 0)
			error = prepend(chain, name.at, name.length);
		if (error == 0)
			error = enter_interpreter(call, chain);
		if (error == 0)
			error = gk_chain_admit(call, &chain->next);
		if (error)
			return error;
		current = &chain->next;
	}
	/* Formats that the host registered with binfmt_misc would start interpreters that nobody judged. */
	if (chain->program.kind == GK_PROGRAM_UNKNOWN)
		return -ENOEXEC;
	if (chain->program.kind == GK_PROGRAM_FOREIGN) {
		int error = refuse(call, current, GK_REASON_FOREIGN_ABI);
		return error == -EACCES || error == 0 ? -ENOEXEC : error;
	}
	chain->image = current->stat;
	if (chain->script) {
		chain->interpreter_length = current->length;
		memcpy(chain->interpreter, current->path, current->length);
	}
	chain->loader = is_loader(call, current, &chain->program);
	return chain->program.interpreted ? enter_loader(call, chain) : 0;
}
