#include "supervise/task_table.h"

#include "supervise/command_text.h"
#include "supervise/supervisor.h"
#include "supervise/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* Generations that are walked from a process to the supervisor before it counts as a stranger. */
#define GENERATIONS_MAX 4096
#define SECCOMP_FILTERED 2 /* the Seccomp: line of a process that a filter holds */

struct process_status {
	pid_t process, parent, tracer; /* tracer: 0 when nobody traces it */
	int seccomp;
};

int gk_tasks_open(struct gk_supervisor *supervisor) {
	struct gk_tasks *tasks = calloc(1, sizeof(*tasks));
	if (tasks == NULL)
		return -ENOMEM;
	pthread_mutex_init(&tasks->loaders_lock, NULL);
	int error = gk_expectations_open(&tasks->expectations);
	if (error == 0)
		error = gk_cover_open(&tasks->cover);
	if (error) {
		gk_expectations_close(tasks->expectations);
		free(tasks);
		return error;
	}
	struct stat loader;
	if (stat("/lib64/ld-linux-x86-64.so.2", &loader) == 0)
		gk_loaders_add(tasks, &loader);
	supervisor->tasks = tasks;
	return 0;
}

void gk_tasks_typed(struct gk_supervisor *supervisor, pid_t first, const char *program) {
	struct gk_tasks *tasks = supervisor->tasks;
	if (strlen(program) >= sizeof(tasks->typed_path))
		return;
	strcpy(tasks->typed_path, program);
	tasks->typed_process = first;
	atomic_store(&tasks->typed_open, true);
}

bool gk_task_is_typed(struct gk_tasks *tasks, pid_t process, struct gk_slice program) {
	if (!atomic_load(&tasks->typed_open) || process != tasks->typed_process)
		return false;
	struct gk_slice typed = gk_slice_of(tasks->typed_path);
	return gk_slice_equal(typed, program) || gk_slice_equal(typed, gk_base_name(program));
}

/* Whether a thread of that process has this tid just now. */
static bool is_thread_of(pid_t process, pid_t tid) {
	return syscall(SYS_tgkill, process, tid, 0) == 0 || errno == EPERM;
}

static int read_status(pid_t tid, struct process_status *out) {
	char path[64], text[4096];
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	GK_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	const char *process = strstr(text, "\nTgid:\t"), *parent = strstr(text, "\nPPid:\t"),
		   *tracer = strstr(text, "\nTracerPid:\t"), *seccomp = strstr(text, "\nSeccomp:\t");
	if (process == NULL || parent == NULL)
		return -ESRCH;
	out->tracer = tracer != NULL ? (pid_t)strtol(tracer + 12, NULL, 10) : 0;
	out->process = (pid_t)strtol(process + 7, NULL, 10);
	out->parent = (pid_t)strtol(parent + 7, NULL, 10);
	out->seccomp = seccomp != NULL ? (int)strtol(seccomp + 10, NULL, 10) : -1;
	return 0;
}

/* The process of a calling thread. Most threads that call lead their group, which one cheap question tells. */
static int process_of(struct gk_tasks *tasks, pid_t tid, pid_t *out) {
	*out = tid;
	if (is_thread_of(tid, tid))
		return 0;
	_Atomic uint64_t *cached = &tasks->threads[(unsigned)tid % GK_THREADS_CACHED];
	uint64_t known = atomic_load_explicit(cached, memory_order_relaxed);
	*out = (pid_t)(uint32_t)known;
	if ((pid_t)(known >> 32) == tid && is_thread_of(*out, tid))
		return 0;
	struct process_status status;
	int error = read_status(tid, &status);
	if (error)
		return error;
	*out = status.process;
	uint64_t entry = (uint64_t)(uint32_t)tid << 32 | (uint32_t)status.process;
	atomic_store_explicit(cached, entry, memory_order_relaxed);
	return 0;
}

int gk_task_identify(struct gk_call *call) {
	return process_of(call->supervisor->tasks, call->tid, &call->tgid);
}

int gk_task_arrive(struct gk_call *call) {
	int error = call->tgid == 0 ? gk_task_identify(call) : 0;
	return error ? error : gk_verify_exec(call);
}

bool gk_task_in_run(struct gk_supervisor *supervisor, pid_t pid) {
	struct process_status status;
	/* The supervisor's own helpers are children of it as well, but no filter holds them. */
	if (pid <= 1 || read_status(pid, &status) != 0 || status.process == supervisor->supervisor_pid ||
	    (status.seccomp != SECCOMP_FILTERED && !supervisor->by_hook))
		return false;
	for (int i = 0; i < GENERATIONS_MAX && status.parent > 1; i++) {
		if (status.parent == supervisor->supervisor_pid)
			return true;
		if (read_status(status.parent, &status) != 0)
			return false;
	}
	return false;
}

pid_t gk_task_tracer(pid_t pid) {
	struct process_status status;
	return read_status(pid, &status) == 0 ? status.tracer : 0;
}

void gk_loaders_add(struct gk_tasks *tasks, const struct stat *loader) {
	if (gk_loaders_have(tasks, loader))
		return;
	pthread_mutex_lock(&tasks->loaders_lock);
	/* The system's own, which comes first, is never forgotten for the sake of one that the run made up. */
	size_t number = tasks->loaders_next++, slot = number == 0 ? 0 : 1 + (number - 1) % (GK_LOADERS_KEPT - 1);
	tasks->loaders[slot].device = loader->st_dev;
	tasks->loaders[slot].inode = loader->st_ino;
	pthread_mutex_unlock(&tasks->loaders_lock);
}

bool gk_loaders_have(struct gk_tasks *tasks, const struct stat *file) {
	bool found = false;
	pthread_mutex_lock(&tasks->loaders_lock);
	for (size_t i = 0; i < GK_LOADERS_KEPT; i++)
		found |= tasks->loaders[i].inode == file->st_ino && tasks->loaders[i].device == file->st_dev;
	pthread_mutex_unlock(&tasks->loaders_lock);
	return found;
}
