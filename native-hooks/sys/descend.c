#include "sys/descend.h"

#include "base/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_ROUNDS 300
#define ROUND_PAUSE_NS 10000000L
#define MAX_PROCESSES 65536

struct process {
	pid_t pid, parent;
	unsigned long long started; /* tells a process from a later one with the same number */
	bool beneath;
};

struct census {
	struct process *process;
	size_t count, capacity;
};

static bool read_process(pid_t pid, struct process *out) {
	char path[32], text[512];
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	GK_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	/* The name in parentheses may itself hold spaces and parentheses. */
	const char *after = strrchr(text, ')');
	int parent;
	unsigned long long started;
	if (after == NULL || sscanf(after + 1,
				    " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &parent,
				    &started) != 2)
		return false;
	*out = (struct process){.pid = pid, .parent = parent, .started = started};
	return true;
}

static int add(struct census *census, const struct process *process) {
	if (census->count == census->capacity) {
		if (census->capacity >= MAX_PROCESSES)
			return -ENOSPC;
		size_t capacity = census->capacity == 0 ? 256 : census->capacity * 2;
		struct process *grown = reallocarray(census->process, capacity, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		census->process = grown;
		census->capacity = capacity;
	}
	census->process[census->count++] = *process;
	return 0;
}

/* 0, or -errno when it is not complete. */
static int count_processes(struct census *census) {
	DIR *proc = opendir("/proc");
	int error = 0;
	if (proc == NULL)
		return -errno;
	for (struct dirent *entry; error == 0 && (entry = readdir(proc)) != NULL;) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		struct process process;
		if (*end == '\0' && pid > 0 && read_process((pid_t)pid, &process))
			error = add(census, &process);
	}
	closedir(proc);
	return error;
}

static bool is_beneath(const struct census *census, pid_t parent, pid_t self) {
	if (parent == self)
		return true;
	for (size_t i = 0; i < census->count; i++)
		if (census->process[i].pid == parent)
			return census->process[i].beneath;
	return false;
}

static void mark_beneath(struct census *census, pid_t self) {
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < census->count; i++) {
			struct process *process = &census->process[i];
			if (process->beneath || process->pid == self)
				continue;
			process->beneath = is_beneath(census, process->parent, self);
			changed |= process->beneath;
		}
	}
}

static void kill_exactly(const struct process *process) {
	GK_AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	struct process now;
	if (pidfd >= 0 && read_process(process->pid, &now) && now.started == process->started)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

static void kill_once(void) {
	struct census census = {0};
	(void)!count_processes(&census); /* what was counted is killed now, the rest in the next round */
	mark_beneath(&census, getpid());
	for (size_t i = 0; i < census.count; i++)
		if (census.process[i].beneath)
			kill_exactly(&census.process[i]);
	free(census.process);
}

int gk_count_descendants(size_t *out) {
	struct census census = {0};
	int error = count_processes(&census);
	mark_beneath(&census, getpid());
	*out = 0;
	for (size_t i = 0; i < census.count; i++)
		*out += census.process[i].beneath;
	free(census.process);
	return error;
}

/* Reaps what has ended. Whether children are left. */
static bool reap(pid_t watched, int *status) {
	for (;;) {
		int ended;
		pid_t pid = waitpid(-1, &ended, WNOHANG | __WALL);
		if (pid == 0)
			return true;
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return false;
		if (pid == watched && status != NULL)
			*status = ended;
	}
}

int gk_kill_descendants(pid_t watched, int *status) {
	for (int round = 0; round < MAX_ROUNDS; round++) {
		if (!reap(watched, status))
			return 0;
		kill_once();
		if (!reap(watched, status))
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = ROUND_PAUSE_NS}, NULL);
	}
	return -ETIME;
}
