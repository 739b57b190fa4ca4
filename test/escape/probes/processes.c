/* Reaching processes outside of the run, and leaving it. argv[0] is a victim's pid unless said otherwise. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

static pid_t victim(char **argv) {
	return (pid_t)atoi(argv[0]);
}

static int by_kill(char **argv) {
	return FAILED(SYS_kill, victim(argv), SIGCONT);
}

static int by_tgkill(char **argv) {
	return FAILED(SYS_tgkill, victim(argv), victim(argv), SIGCONT);
}

static int by_sigqueue(char **argv) {
	siginfo_t info = {.si_signo = SIGCONT, .si_code = SI_QUEUE};
	return FAILED(SYS_rt_sigqueueinfo, victim(argv), SIGCONT, &info);
}

static int by_pidfd_signal(char **argv) {
	int fd = (int)syscall(SYS_pidfd_open, victim(argv), 0);
	return fd < 0 ? errno : FAILED(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
}

static int by_ptrace(char **argv) {
	return FAILED(SYS_ptrace, PTRACE_SEIZE, victim(argv), NULL, NULL);
}

static int by_vm_read(char **argv) {
	char byte;
	unsigned long start;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/maps", victim(argv));
	FILE *maps = fopen(path, "r");
	if (maps == NULL)
		return errno;
	if (fscanf(maps, "%lx", &start) != 1)
		return EIO;
	struct iovec local = {&byte, 1}, remote = {(void *)start, 1};
	return FAILED(SYS_process_vm_readv, victim(argv), &local, 1, &remote, 1, 0);
}

static int open_proc(char **argv, const char *name, int flags) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", victim(argv), name);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags);
	return fd < 0 ? errno : 0;
}

static int by_proc_mem(char **argv) {
	return open_proc(argv, "mem", O_RDWR);
}

static int by_proc_environ(char **argv) {
	return open_proc(argv, "environ", O_RDONLY);
}

static int by_proc_fd(char **argv) {
	return open_proc(argv, "fd/0", O_RDONLY);
}

static int by_proc_root(char **argv) {
	return open_proc(argv, "root/etc/hostname", O_RDONLY);
}

static int by_pidfd_getfd(char **argv) {
	int fd = (int)syscall(SYS_pidfd_open, victim(argv), 0);
	return fd < 0 ? errno : FAILED(SYS_pidfd_getfd, fd, 0, 0);
}

static int by_prlimit(char **argv) {
	struct rlimit limit = {0, 0};
	return FAILED(SYS_prlimit64, victim(argv), RLIMIT_CORE, &limit, NULL);
}

static int by_affinity(char **argv) {
	uint64_t mask = 1;
	return FAILED(SYS_sched_setaffinity, victim(argv), sizeof mask, &mask);
}

static int by_priority(char **argv) {
	return FAILED(SYS_setpriority, PRIO_PROCESS, victim(argv), 19);
}

static int by_user_namespace(char **argv) {
	(void)argv;
	return FAILED(SYS_unshare, CLONE_NEWUSER);
}

static int by_clone_namespace(char **argv) {
	(void)argv;
	long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid((pid_t)child, NULL, 0);
	return child < 0 ? errno : 0;
}

static int by_clone3_namespace(char **argv) {
	(void)argv;
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	long child = syscall(SYS_clone3, &arguments, sizeof arguments);
	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid((pid_t)child, NULL, 0);
	return child < 0 ? errno : 0;
}

/* Typing into the terminal; the high bits are what a 64-bit comparison would miss. */
static int by_type_ahead(char **argv) {
	(void)argv;
	return FAILED(SYS_ioctl, 0, 0x5412UL | (1UL << 32), "x");
}

static int by_keyring(char **argv) {
	(void)argv;
	return FAILED(SYS_add_key, "user", "probe", "x", 1UL, -4L);
}

static int by_shared_memory(char **argv) {
	(void)argv;
	return FAILED(SYS_shmget, 0x6b6b, 4096UL, 01600);
}

/* argv: program to copy into a nameless file and run, its argument */
static int by_memory_program(char **argv) {
	char buffer[65536];
	ssize_t got;
	int from = open(argv[0], O_RDONLY), to = memfd_create("program", 0);
	if (from < 0 || to < 0)
		return errno;
	while ((got = read(from, buffer, sizeof buffer)) > 0)
		if (write(to, buffer, (size_t)got) != got)
			return EIO;
	char *command[] = {argv[0], argv[1], NULL}, *environment[] = {NULL};
	return FAILED(SYS_execveat, to, "", command, environment, AT_EMPTY_PATH);
}

static struct {
	char *text;
	const char *one, *other;
} flipped;

static int flip_for_ever(void *unused) {
	(void)unused;
	for (;;) {
		memcpy(flipped.text, flipped.other, strlen(flipped.other) + 1);
		memcpy(flipped.text, flipped.one, strlen(flipped.one) + 1);
	}
}

/* argv: path or argument that is allowed, one that is denied, rounds; who flips: a process, by a page
 * of both, or a peer, in the same memory; the program when it is the argument that flips, else "-". What ran prints. */
static int by_exec_race(char **argv) {
	static char stack[65536];
	bool peer = strcmp(argv[3], "peer") == 0;
	char *program = strcmp(argv[4], "-") == 0 ? NULL : argv[4];
	flipped.text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	flipped.one = argv[0];
	flipped.other = argv[1];
	strcpy(flipped.text, argv[0]);
	pid_t flipper = clone(flip_for_ever, stack + sizeof stack, (peer ? CLONE_VM : 0) | SIGCHLD, NULL);
	/* The child of vfork writes to this very stack: it is to find everything ready. */
	char *const path = program != NULL ? program : flipped.text, *const environment[] = {NULL};
	char *const command[] = {program != NULL ? program : argv[0], program != NULL ? flipped.text : NULL, NULL};
	for (long i = atol(argv[2]); i > 0; i--) {
		pid_t child = vfork();
		if (child == 0) {
			syscall(SYS_execve, path, command, environment);
			_exit(126);
		}
		waitpid(child, NULL, 0);
	}
	kill(flipper, SIGKILL);
	waitpid(flipper, NULL, 0);
	return 0;
}

const struct technique process_techniques[] = {
	{"kill", by_kill, 1},
	{"tgkill", by_tgkill, 1},
	{"sigqueue", by_sigqueue, 1},
	{"pidfd-signal", by_pidfd_signal, 1},
	{"ptrace", by_ptrace, 1},
	{"vm-read", by_vm_read, 1},
	{"proc-mem", by_proc_mem, 1},
	{"proc-environ", by_proc_environ, 1},
	{"proc-fd", by_proc_fd, 1},
	{"proc-root-of-other", by_proc_root, 1},
	{"pidfd-getfd", by_pidfd_getfd, 1},
	{"prlimit", by_prlimit, 1},
	{"affinity", by_affinity, 1},
	{"priority", by_priority, 1},
	{"user-namespace", by_user_namespace, 0},
	{"clone-namespace", by_clone_namespace, 0},
	{"clone3-namespace", by_clone3_namespace, 0},
	{"type-ahead", by_type_ahead, 0},
	{"keyring", by_keyring, 0},
	{"shared-memory", by_shared_memory, 0},
	{"memory-program", by_memory_program, 2},
	{"exec-race", by_exec_race, 5},
	{NULL, NULL, 0},
};
