/* Hiding from the supervisor, or taking its place. argv[0] is a denied file unless said otherwise. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static int read_denied(const char *path) {
	return spill((int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
}

/* A process that nobody may look into: what it asks for cannot be read, so it must not be let through. */
static int by_hiding(char **argv) {
	int error = FAILED(SYS_prctl, PR_SET_DUMPABLE | (1L << 32), 0, 0, 0, 0);
	return error ? error : read_denied(argv[0]);
}

static int install(const struct sock_filter *code, size_t count, unsigned flags) {
	const struct sock_fprog program = {.len = (unsigned short)count, .filter = (struct sock_filter *)code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return errno;
	int result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return result < 0 ? errno : 0;
}

/* A listener of one's own, to answer for oneself. */
static int by_own_listener(char **argv) {
	const struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	(void)argv;
	return install(allow, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

/* A filter of one's own that allows everything. */
static int by_own_filter(char **argv) {
	const struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	int error = install(allow, 1, SECCOMP_FILTER_FLAG_TSYNC);
	return error ? error : read_denied(argv[0]);
}

/* The child asks for nothing but its number; by_tracer makes an open of it. */
static void ask_for_number(bool by_filter, const char *path) {
	const struct sock_filter trace[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || (by_filter && install(trace, 4, 0) != 0))
		_exit(EIO);
	raise(SIGSTOP);
	long fd = syscall(SYS_getppid, AT_FDCWD, path, O_RDONLY, 0);
	_exit(fd < 0 ? errno : spill((int)fd));
}

/* A tracer puts another call in the place of a harmless one, after it was looked at or before. argv: denied file, who stops the child */
static int by_tracer(char **argv) {
	bool by_filter = strcmp(argv[1], "filter") == 0;
	int status;
	pid_t child = fork();
	if (child == 0)
		ask_for_number(by_filter, argv[0]);
	waitpid(child, &status, 0);
	if (ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) != 0)
		return errno;
	while (!WIFEXITED(status) && !WIFSIGNALED(status)) {
		struct user_regs_struct registers;
		if (ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0 && registers.orig_rax == SYS_getppid &&
		    registers.rax == (unsigned long long)-ENOSYS) {
			registers.orig_rax = SYS_openat;
			ptrace(PTRACE_SETREGS, child, NULL, &registers);
		}
		if (ptrace(by_filter ? PTRACE_CONT : PTRACE_SYSCALL, child, NULL, NULL) != 0)
			return errno;
		waitpid(child, &status, 0);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* Takes back what makes the run the first to go when memory runs out. argv: file of /proc/self, value */
static int by_standing(char **argv) {
	char path[64];
	snprintf(path, sizeof path, "/proc/self/%s", argv[0]);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY);
	return fd < 0 ? errno : FAILED(SYS_write, fd, argv[1], strlen(argv[1]));
}

const struct technique blinding_techniques[] = {
	{"hiding", by_hiding, 1},
	{"own-listener", by_own_listener, 0},
	{"own-filter", by_own_filter, 1},
	{"tracer", by_tracer, 2},
	{"standing", by_standing, 2},
	{NULL, NULL, 0},
};
