/*
 * floor_tool CMD…: what the mechanism costs before any policy. Not a sandbox. Every open, execve and connect of CMD is put before a loop that
 * says yes. The path of a read-only open is read from the caller, the file opened here and installed in the caller: the least that any
 * supervisor has to do that does not let the kernel read the path a second time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

static volatile sig_atomic_t child_changed;

static void on_child(int signal_number) {
	(void)signal_number;
	child_changed = 1;
}

static int pass_fd(int socket_fd, int *fd, int sending) {
	char byte = 0;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	if (!sending && recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header == NULL)
		return -1;
	if (!sending) {
		memcpy(fd, CMSG_DATA(header), sizeof *fd);
		return 0;
	}
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), fd, sizeof *fd);
	return sendmsg(socket_fd, &message, 0) == 1 ? 0 : -1;
}

static void run_child(int channel, char **command) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0 || pass_fd(channel, &listener, 1) != 0) {
		perror("floor_tool: listener");
		_exit(125);
	}
	close(listener);
	close(channel);
	execvp(command[0], command);
	_exit(127);
}

/* Opens on the caller's behalf. 1 when it was answered here. */
static int open_for(int listener, const struct seccomp_notif *request) {
	int is_openat = request->data.nr == SYS_openat;
	if (!is_openat && request->data.nr != SYS_open)
		return 0;
	uint64_t address = request->data.args[is_openat ? 1 : 0], flags = request->data.args[is_openat ? 2 : 1];
	static char path[4096], named[4096 + 64];
	size_t want = 4096 - (address & 4095);
	struct iovec local = {.iov_base = path, .iov_len = want};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = want};
	ssize_t got = process_vm_readv((pid_t)request->pid, &local, 1, &remote, 1, 0);
	if (got <= 0 || (flags & (O_CREAT | O_PATH)) || (flags & O_ACCMODE) != O_RDONLY)
		return 0;
	if (memchr(path, '\0', (size_t)got) == NULL) /* goes on in the next page */
		return 0;
	/* A relative name starts where the caller's does. */
	int dirfd = is_openat ? (int)request->data.args[0] : AT_FDCWD;
	if (path[0] == '/')
		strcpy(named, path);
	else if (dirfd == AT_FDCWD)
		snprintf(named, sizeof named, "/proc/%u/cwd/%s", request->pid, path);
	else
		snprintf(named, sizeof named, "/proc/%u/fd/%d/%s", request->pid, dirfd, path);
	int fd = open(named, (int)flags | O_CLOEXEC);
	if (fd < 0) {
		struct seccomp_notif_resp response = {.id = request->id, .error = -errno};
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
		return 1;
	}
	struct seccomp_notif_addfd add = {.id = request->id, .srcfd = (uint32_t)fd, .newfd_flags = (uint32_t)(flags & O_CLOEXEC),
					  .flags = SECCOMP_ADDFD_FLAG_SEND};
	int answered = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0;
	close(fd);
	return answered;
}

int main(int argc, char **argv) {
	int pair[2], listener, status = 0;
	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return 125;
	struct sigaction action = {.sa_handler = on_child};
	sigaction(SIGCHLD, &action, NULL);
	pid_t child = fork();
	if (child == 0)
		run_child(pair[1], argv + 1);
	close(pair[1]);
	if (child < 0 || pass_fd(pair[0], &listener, 0) != 0)
		return 125;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;) {
		if (child_changed) {
			child_changed = 0;
			if (waitpid(child, &status, WNOHANG) == child)
				break;
		}
		struct seccomp_notif request = {0};
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
			continue; /* EINTR: the child changed; ENOENT: the caller is gone */
		if (open_for(listener, &request))
			continue;
		struct seccomp_notif_resp response = {.id = request.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
