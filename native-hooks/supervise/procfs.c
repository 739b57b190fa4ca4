#include "supervise/procfs.h"

#include "supervise/task.h"

#include <errno.h>
#include <stdio.h>

static bool starts_with(struct gk_slice text, const char *prefix);
static struct gk_slice after(struct gk_slice text, size_t count);
static size_t parse_number(struct gk_slice text, pid_t *out);
static bool is_own(struct gk_call *call, pid_t pid);
static bool is_public(struct gk_slice rest);
static struct gk_slice past_thread(struct gk_slice rest);
static bool is_traced_by_caller(struct gk_call *call, struct gk_slice path);
static int refuse(struct gk_call *call, const struct gk_object *object, enum gk_reason reason);
static int name_own(struct gk_object *object, struct gk_slice rest);

int gk_procfs_admit(struct gk_call *call, struct gk_object *object) {
	struct gk_slice rest;
	switch (gk_procfs_owner_of(call, gk_object_path(object), &rest)) {
	case GK_PROCFS_GLOBAL:
		return 0;
	case GK_PROCFS_OWN:
		return name_own(object, rest);
	case GK_PROCFS_RUN:
		/* Rules speak of /proc/self: what they say of one process of the run, they say of all. */
		if (is_public(rest) || gk_slice_equal(past_thread(rest), gk_slice_of("fd")) ||
		    is_traced_by_caller(call, gk_object_path(object)))
			return name_own(object, rest);
		return -EACCES;
	case GK_PROCFS_FOREIGN:
		/* ps and its kin ask everything of every process there is: refused, and not worth a receipt each. */
		return is_public(rest) ? -EACCES : refuse(call, object, GK_REASON_FOREIGN_PROCESS);
	case GK_PROCFS_ELSEWHERE:
		break;
	}
	return refuse(call, object, GK_REASON_FOREIGN_MOUNT);
}

enum gk_procfs_owner gk_procfs_owner_of(struct gk_call *call, struct gk_slice path, struct gk_slice *rest) {
	*rest = gk_slice(NULL, 0);
	if (gk_slice_equal(path, gk_slice_of("/proc")))
		return GK_PROCFS_GLOBAL;
	if (!starts_with(path, "/proc/"))
		return GK_PROCFS_ELSEWHERE;
	struct gk_slice name = after(path, strlen("/proc/"));
	pid_t pid;
	size_t digits = parse_number(name, &pid);
	if (digits == 0)
		return GK_PROCFS_GLOBAL;
	*rest = after(name, digits < name.length ? digits + 1 : digits);
	if (is_own(call, pid))
		return GK_PROCFS_OWN;
	struct gk_supervisor *s = call->supervisor;
	return pid != s->supervisor_pid && gk_task_in_run(s, pid) ? GK_PROCFS_RUN : GK_PROCFS_FOREIGN;
}

bool gk_procfs_in_process(struct gk_slice path) {
	pid_t pid;
	return starts_with(path, "/proc/") && parse_number(after(path, strlen("/proc/")), &pid) > 0;
}

static bool starts_with(struct gk_slice text, const char *prefix) {
	size_t length = strlen(prefix);
	return text.length >= length && memcmp(text.at, prefix, length) == 0;
}

static struct gk_slice after(struct gk_slice text, size_t count) {
	return gk_slice(text.at + count, text.length - count);
}

/* The number that makes up the whole first component, and its length; 0 when that is no number. */
static size_t parse_number(struct gk_slice text, pid_t *out) {
	size_t i = 0;
	int64_t value = 0;
	for (; i < text.length && text.at[i] >= '0' && text.at[i] <= '9' && i < 10; i++)
		value = value * 10 + (text.at[i] - '0');
	if (i == 0 || (i < text.length && text.at[i] != '/') || value > INT32_MAX)
		return 0;
	*out = (pid_t)value;
	return i;
}

static bool is_own(struct gk_call *call, pid_t pid) {
	if (pid == call->tgid || pid == call->tid)
		return true;
	char name[64];
	snprintf(name, sizeof name, "%d/task/%d", call->tgid, pid);
	struct stat st;
	return fstatat(gk_files_of(call)->proc, name, &st, 0) == 0;
}

/* What is shown to everybody about a process. A list of what is known to be harmless: memory, environment, maps, stacks and
 * every link into another process stay out, also those that a later kernel adds. */
static bool is_public(struct gk_slice rest) {
	static const char *const names[] = {
		"",	     "stat",   "statm",	   "status",	    "cmdline",	 "comm",      "cgroup",	 "limits", "wchan",
		"oom_score", "sched",  "schedstat", "loginuid",	    "sessionid", "mountinfo", "mounts",	 "task",   "children",
		"oom_adj",   "uid_map", "gid_map", "oom_score_adj", "net",	 "cpuset",
	};
	rest = past_thread(rest);
	if (starts_with(rest, "net/"))
		return true;
	for (size_t i = 0; i < GK_COUNT(names); i++)
		if (gk_slice_equal(rest, gk_slice_of(names[i])))
			return true;
	return false;
}

/* What follows task/<tid>/, which says of a thread what the same names say of its process. */
static struct gk_slice past_thread(struct gk_slice rest) {
	pid_t tid;
	if (!starts_with(rest, "task/"))
		return rest;
	struct gk_slice thread = after(rest, strlen("task/"));
	size_t digits = parse_number(thread, &tid);
	return digits == 0 ? rest : after(thread, digits < thread.length ? digits + 1 : digits);
}

/* A debugger writes its tracee's memory through /proc. That the caller traces it is the kernel's own word that it may, given when it
 * attached, and for the caller's own Landlock domain: a program that the run confined further cannot get here. The pinned name stays
 * that process's even when the number passes on. */
static bool is_traced_by_caller(struct gk_call *call, struct gk_slice path) {
	pid_t pid;
	if (parse_number(after(path, strlen("/proc/")), &pid) == 0)
		return false;
	pid_t tracer = gk_task_tracer(pid);
	return tracer > 0 && is_own(call, tracer);
}

static int refuse(struct gk_call *call, const struct gk_object *object, enum gk_reason reason) {
	struct gk_subject subject = {.action = GK_ACTION_FILE_READ, .target = gk_object_path(object)};
	int rc = gk_refuse(call, &subject, reason);
	return rc < 0 ? rc : -EACCES; /* other processes are no matter of policy: a simulated run is not let in either */
}

static int name_own(struct gk_object *object, struct gk_slice rest) {
	static const char prefix[] = "/proc/self/";
	char text[PATH_MAX];
	size_t length = sizeof prefix - 1 + rest.length;
	if (length >= sizeof text)
		return -ENAMETOOLONG;
	memcpy(text, prefix, sizeof prefix - 1);
	if (rest.length > 0)
		memcpy(text + sizeof prefix - 1, rest.at, rest.length);
	else
		length--; /* the process directory itself, without the slash */
	memcpy(object->path, text, length);
	object->path[length] = '\0';
	object->length = length;
	return 0;
}
