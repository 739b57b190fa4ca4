#include "supervise/spawn.h"

#include "supervise/supervisor.h"

#include <errno.h>
#include <sys/stat.h>

/* The user's own permissions bound what the run can write, whatever the policy says. */
static bool user_may_write(uid_t uid, const char *path) {
	struct stat stat;
	if (lstat(path, &stat) != 0)
		return true;
	return stat.st_uid == uid || access(path, W_OK) == 0;
}

enum { LAST_BIT = 63 };

static bool is_canonical(struct gk_slice path) {
	return path.length > 0 && path.length < PATH_MAX && path.at[0] == '/';
}

/* The length of the next name on the way down from the one of that length; beyond the path's own when there is none. */
static size_t next_name(struct gk_slice path, size_t length) {
	for (length++; length < path.length && path.at[length] != '/';)
		length++;
	return length;
}

uint64_t gk_place_may_write(struct gk_supervisor *supervisor, struct gk_slice path) {
	char prefix[PATH_MAX];
	if (!is_canonical(path))
		return UINT64_MAX;
	uint64_t found = 0;
	unsigned bit = 0;
	memcpy(prefix, path.at, path.length);
	prefix[path.length] = '\0';
	for (size_t end = next_name(path, 0); end > 1 && end <= path.length; end = next_name(path, end)) {
		char behind = prefix[end];
		prefix[end] = '\0';
		if (user_may_write(supervisor->uid, prefix))
			found |= (uint64_t)1 << bit;
		prefix[end] = behind;
		bit += bit < LAST_BIT;
	}
	return found;
}

/* Whether the policy lets one of them be written, too. */
static bool is_writable(const struct gk_image *image, struct gk_slice path, uint64_t may_write) {
	if (!is_canonical(path))
		return true;
	unsigned bit = 0;
	for (size_t end = next_name(path, 0); end > 1 && end <= path.length; end = next_name(path, end)) {
		if ((may_write >> bit & 1) != 0 &&
		    gk_decide_path(image, GK_ACTION_FILE_WRITE, gk_slice(path.at, end)).effect != GK_EFFECT_DENY)
			return true;
		bit += bit < LAST_BIT;
	}
	return false;
}

bool gk_place_is_writable(struct gk_supervisor *supervisor, struct gk_slice path) {
	return is_writable(gk_current_image(supervisor), path, gk_place_may_write(supervisor, path));
}

static bool is_by_rule(const struct gk_verdict *verdict) {
	return verdict->source != GK_SOURCE_DEFAULT;
}

/* Of two verdicts on the same command under two names: a rule beats the default, the stricter rule the other. */
static struct gk_verdict combine(struct gk_verdict a, struct gk_verdict b) {
	if (!is_by_rule(&b))
		return a;
	if (!is_by_rule(&a) || b.effect > a.effect)
		return b;
	return a;
}

/* argv[0]'s base name, without the dash of a login shell; empty when it is longer than any program's. */
static struct gk_slice called_name(struct gk_slice arguments) {
	struct gk_slice name = gk_base_name(gk_slice(arguments.at, strnlen((const char *)arguments.at, arguments.length)));
	if (name.length > 0 && name.at[0] == '-')
		name = gk_slice(name.at + 1, name.length - 1);
	return name.length <= NAME_MAX ? name : gk_slice(NULL, 0);
}

struct naming {
	struct gk_supervisor *supervisor;
	const struct gk_image *image;
	const struct gk_command *command;
	struct gk_command_verdict *out;
};

static int decide_as(struct naming *n, struct gk_slice base, struct gk_slice path, bool writable,
		     struct gk_verdict *out) {
	int error = gk_command_text_name(&n->out->base, base);
	if (error == 0)
		error = gk_command_text_name(&n->out->path, path);
	if (error)
		return error;
	*out = gk_decide_command(n->image, gk_command_text_slice(&n->out->base), gk_command_text_slice(&n->out->path),
				 writable);
	return 0;
}

/* Decides under every name that the command goes by: the file's own, that of the link it was called through (python3 for
 * python3.11, npm for npm-cli.js), and argv[0], which programs of many names act upon. Only names that the run cannot forge may
 * loosen; all may tighten. */
static int decide_names(struct naming *n, bool *launcher) {
	const struct gk_command *c = n->command;
	struct gk_slice own = gk_base_name(c->program), alias = gk_base_name(c->alias);
	struct gk_slice called = c->script ? own : called_name(c->arguments);
	n->out->program_may_write = gk_place_may_write(n->supervisor, c->program);
	bool writable = is_writable(n->image, c->program, n->out->program_may_write), alias_writable = writable;
	if (c->alias.length > 0) {
		n->out->alias_may_write = gk_place_may_write(n->supervisor, c->alias);
		alias_writable = writable || is_writable(n->image, c->alias, n->out->alias_may_write);
	}
	bool honest = gk_slice_equal(called, own) || gk_slice_equal(called, alias);
	*launcher = !writable && gk_image_is_launcher(n->image, own);
	n->out->called = honest ? gk_slice(NULL, 0) : called.length > 0 ? called : gk_slice_of("/");

	struct gk_verdict verdict = {0};
	int error = decide_as(n, own, c->program, writable, &verdict);
	n->out->verdict = verdict;
	if (error == 0 && !honest && called.length > 0) {
		error = decide_as(n, called, c->program, true, &verdict);
		if (verdict.effect > GK_EFFECT_SHADOW)
			n->out->verdict = combine(n->out->verdict, verdict);
	}
	if (error == 0 && c->alias.length > 0) {
		error = decide_as(n, alias, c->alias, alias_writable, &verdict);
		if (honest || verdict.effect > GK_EFFECT_SHADOW)
			n->out->verdict = combine(n->out->verdict, verdict);
		*launcher |= honest && !alias_writable && gk_image_is_launcher(n->image, alias);
	}
	if (error == 0)
		error = gk_command_text_name(&n->out->base, c->alias.length > 0 ? alias : own);
	return error;
}

static bool names_this_program(const struct gk_image *image, const struct gk_verdict *verdict) {
	return verdict->effect == GK_EFFECT_ALLOW && is_by_rule(verdict) && verdict->rule != GK_NO_RULE &&
	       !(gk_image_rule(image, verdict->rule).flags & GK_RULE_ANY_PROGRAM);
}

/* Where no rule speaks, who vouches: the command that started it, its nature, or the user's act. */
static void vouch(struct gk_command_verdict *out, const struct gk_command *command, bool launcher) {
	enum gk_source source = command->covered ? GK_SOURCE_INHERITED
				: launcher	 ? GK_SOURCE_LAUNCHER
						 : GK_SOURCE_TYPED;
	if (command->covered || launcher || command->typed)
		out->verdict = (struct gk_verdict){
			.effect = GK_EFFECT_ALLOW, .source = source, .rule = GK_NO_RULE, .pierced = GK_NO_RULE};
	out->covered = command->covered;
}

int gk_command_decide(struct gk_supervisor *supervisor, const struct gk_command *command,
		      struct gk_command_verdict *out) {
	struct naming n = {supervisor, gk_current_image(supervisor), command, out};
	bool launcher = false;
	int error = gk_command_text_open(&out->base, command->arguments);
	if (error == 0)
		error = gk_command_text_open(&out->path, command->arguments);
	if (error == 0)
		error = decide_names(&n, &launcher);
	if (error)
		return error;

	/* A rule for a script says nothing about the loader that its first line names. */
	out->loader = command->loader && (command->script || !names_this_program(n.image, &out->verdict));
	if (is_by_rule(&out->verdict))
		out->covered = out->verdict.effect == GK_EFFECT_ALLOW && !out->verdict.check_children;
	else
		vouch(out, command, launcher);
	out->shown = gk_command_shown(gk_command_text_slice(&out->base), out->shown_bytes);
	return 0;
}

void gk_command_verdict_free(struct gk_command_verdict *verdict) {
	gk_command_text_free(&verdict->base);
	gk_command_text_free(&verdict->path);
}
