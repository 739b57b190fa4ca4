/* Runs a command beneath a seccomp user-notification listener that is not gatekeeper's, as some containers do: no second one can be
 * installed there. What it is notified of (uname) goes on. With --without-landlock first, the kernel seems to have none. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_LANDLOCK_CREATE_RULESET 444

static void answer(int listener) {
	struct seccomp_notif request = {0};
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
		_exit(errno == ENOENT ? 0 : 1);
	struct seccomp_notif_resp go_on = {.id = request.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &go_on);
}

int main(int argc, char **argv) {
	int without = argc > 1 && strcmp(argv[1], "--without-landlock") == 0;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, without ? NR_LANDLOCK_CREATE_RULESET : -1U, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
	argv += without;
	argc -= without;
	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 125;
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0) {
		perror("seccomp");
		return 125;
	}
	/* Born beneath the filter, so it must not call what it answers for. */
	pid_t server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
		for (;;)
			answer(listener);
	}
	close(listener);
	pid_t command = fork();
	if (command == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	int status;
	while (waitpid(command, &status, 0) != command)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
