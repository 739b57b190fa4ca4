/* Reading what must not be read. argv[0] is the secret's path unless said otherwise. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static int by_open(char **argv) {
	return spill((int)syscall(SYS_open, argv[0], O_RDONLY));
}

static int by_openat(char **argv) {
	return spill((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY));
}

static int by_openat_readwrite(char **argv) {
	return spill((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDWR));
}

static int by_openat2(char **argv) {
	struct open_how how = {.flags = O_RDONLY};
	return spill((int)syscall(SYS_openat2, AT_FDCWD, argv[0], &how, sizeof how));
}

/* The access mode 3 asks for no read and no write, but for ioctl rights; still an open. */
static int by_open_mode_three(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], 3);
	return fd < 0 ? errno : 0;
}

static int by_directory_descriptor(char **argv) {
	char copy[PATH_MAX], name[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", argv[0]);
	snprintf(name, sizeof name, "%s", argv[0]);
	int directory = (int)syscall(SYS_openat, AT_FDCWD, dirname(copy), O_PATH | O_DIRECTORY);
	if (directory < 0)
		return errno;
	return spill((int)syscall(SYS_openat, directory, basename(name), O_RDONLY));
}

/* A path descriptor grants nothing by itself; reopening it through procfs would. */
static int by_path_descriptor(char **argv) {
	char again[64];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_PATH);
	if (fd < 0)
		return errno;
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	return spill((int)syscall(SYS_openat, AT_FDCWD, again, O_RDONLY));
}

static int by_prefix(const char *prefix, const char *path) {
	char joined[PATH_MAX];
	snprintf(joined, sizeof joined, "%s%s", prefix, path);
	return spill((int)syscall(SYS_openat, AT_FDCWD, joined, O_RDONLY));
}

static int by_proc_root(char **argv) {
	return by_prefix("/proc/self/root", argv[0]);
}

static int by_proc_thread_root(char **argv) {
	return by_prefix("/proc/thread-self/root", argv[0]);
}

static int by_proc_task_root(char **argv) {
	char prefix[64];
	snprintf(prefix, sizeof prefix, "/proc/self/task/%ld/root", syscall(SYS_gettid));
	return by_prefix(prefix, argv[0]);
}

/* argv: secret's directory, its name */
static int by_proc_cwd(char **argv) {
	if (chdir(argv[0]) != 0)
		return errno;
	return by_prefix("/proc/self/cwd/", argv[1]);
}

/* argv: secret, new name */
static int by_symlink(char **argv) {
	if (symlink(argv[0], argv[1]) != 0)
		return errno;
	return spill((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
}

static int by_hard_link(char **argv) {
	int error = FAILED(SYS_linkat, AT_FDCWD, argv[0], AT_FDCWD, argv[1], 0);
	return error ? error : spill((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
}

static int by_hard_link_of_descriptor(char **argv) {
	char through[64];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_PATH);
	if (fd < 0)
		return errno;
	snprintf(through, sizeof through, "/proc/self/fd/%d", fd);
	int error = FAILED(SYS_linkat, AT_FDCWD, through, AT_FDCWD, argv[1], AT_SYMLINK_FOLLOW);
	return error ? error : spill((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
}

static int by_hard_link_of_empty_path(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_PATH);
	if (fd < 0)
		return errno;
	int error = FAILED(SYS_linkat, fd, "", AT_FDCWD, argv[1], AT_EMPTY_PATH);
	return error ? error : spill((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
}

/* argv: another name of the secret, the directory of its own name, a mode in octal that keeps searches out */
static int by_closed_directory(char **argv) {
	int error = FAILED(SYS_chmod, argv[1], strtol(argv[2], NULL, 8));
	if (error == 0)
		error = spill((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY));
	syscall(SYS_chmod, argv[1], 0755);
	return error;
}

static int by_rename(char **argv) {
	int error = FAILED(SYS_rename, argv[0], argv[1]);
	return error ? error : spill((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
}

/* argv: secret, an ordinary file */
static int by_exchange(char **argv) {
	int error = FAILED(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE);
	return error ? error : spill((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
}

/* argv: secret's directory, its new name, path of the secret beneath the new name */
static int by_rename_of_parent(char **argv) {
	int error = FAILED(SYS_rename, argv[0], argv[1]);
	return error ? error : spill((int)syscall(SYS_openat, AT_FDCWD, argv[2], O_RDONLY));
}

/* argv: secret. A thread that shares neither descriptors nor directory: number 50 is another thing for it than for its leader. */
static int private_thread_result;
static int private_thread(void *secret) {
	char copy[PATH_MAX], name[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", (char *)secret);
	snprintf(name, sizeof name, "%s", (char *)secret);
	int directory = (int)syscall(SYS_openat, AT_FDCWD, dirname(copy), O_PATH | O_DIRECTORY);
	dup2(directory, 50);
	private_thread_result = spill((int)syscall(SYS_openat, 50, basename(name), O_RDONLY));
	return 0;
}

static int by_private_thread(char **argv) {
	static char stack[1 << 18];
	dup2((int)syscall(SYS_openat, AT_FDCWD, "/tmp", O_PATH | O_DIRECTORY), 50);
	private_thread_result = -1;
	int child = clone(private_thread, stack + sizeof stack, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, argv[0]);
	if (child < 0)
		return errno;
	for (int i = 0; i < 60000 && *(volatile int *)&private_thread_result == -1; i++)
		usleep(1000);
	return private_thread_result == -1 ? ETIMEDOUT : private_thread_result;
}

/* argv: allowed path, secret, rounds. Succeeds when the secret's first byte was ever read. */
static char shared_path[PATH_MAX];
static atomic_int flipping = 1;
static char *flip_from, *flip_to;
static void *flip(void *unused) {
	(void)unused;
	while (atomic_load_explicit(&flipping, memory_order_relaxed)) {
		memcpy(shared_path, flip_to, strlen(flip_to) + 1);
		memcpy(shared_path, flip_from, strlen(flip_from) + 1);
	}
	return NULL;
}

static int by_path_race(char **argv) {
	pthread_t thread;
	long leaked = 0;
	flip_from = argv[0];
	flip_to = argv[1];
	strcpy(shared_path, flip_from);
	if (pthread_create(&thread, NULL, flip, NULL) != 0)
		return EAGAIN;
	for (long i = atol(argv[2]); i > 0 && leaked == 0; i--) {
		char buffer[64];
		int fd = (int)syscall(SYS_openat, AT_FDCWD, shared_path, O_RDONLY);
		if (fd < 0)
			continue;
		ssize_t got = read(fd, buffer, sizeof buffer - 1);
		close(fd);
		if (got > 0 && memmem(buffer, (size_t)got, "SECRET", 6) != NULL)
			leaked++;
	}
	flipping = 0;
	pthread_join(thread, NULL);
	printf("%ld\n", leaked);
	return leaked > 0 ? 0 : EACCES;
}

/* The same with a symbolic link that another process swaps. argv: link, allowed, secret, rounds */
static int by_link_race(char **argv) {
	char temporary[PATH_MAX];
	long leaked = 0;
	snprintf(temporary, sizeof temporary, "%s.new", argv[0]);
	pid_t swapper = fork();
	if (swapper == 0) {
		for (int i = 0;; i++) {
			unlink(temporary);
			if (symlink(argv[1 + i % 2], temporary) == 0)
				rename(temporary, argv[0]);
		}
	}
	for (long i = atol(argv[3]); i > 0 && leaked == 0; i--) {
		char buffer[64];
		int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY);
		ssize_t got = fd < 0 ? 0 : read(fd, buffer, sizeof buffer);
		if (fd >= 0)
			close(fd);
		if (got > 0 && memmem(buffer, (size_t)got, "SECRET", 6) != NULL)
			leaked++;
	}
	kill(swapper, 9);
	waitpid(swapper, NULL, 0);
	printf("%ld\n", leaked);
	return leaked > 0 ? 0 : EACCES;
}

/* One IORING_OP_OPENAT: an open that no system call filter sees. */
static int by_io_uring(char **argv) {
	struct io_uring_params p = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (ring < 0)
		return errno;
	size_t sq_size = p.sq_off.array + p.sq_entries * sizeof(uint32_t);
	size_t cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	char *sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	struct io_uring_sqe *sqe = mmap(NULL, p.sq_entries * sizeof *sqe, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
					ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return errno;
	memset(sqe, 0, sizeof *sqe);
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t)argv[0];
	((uint32_t *)(sq + p.sq_off.array))[0] = 0;
	*(uint32_t *)(sq + p.sq_off.tail) += 1;
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return errno;
	struct io_uring_cqe *cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return cqe->res < 0 ? -cqe->res : spill(cqe->res);
}

/* open by the 32-bit entry: the path has to lie in the lower 4 GiB. */
static int by_int80(char **argv) {
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long result;
	if (low == MAP_FAILED)
		return errno;
	strncpy(low, argv[0], 4095);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(5L), "b"(low), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
	return (int)result < 0 ? -(int)result : spill((int)result);
}

static int by_x32(char **argv) {
	return spill((int)syscall(0x40000000 | SYS_openat, AT_FDCWD, argv[0], O_RDONLY));
}

static int by_open_tree(char **argv) {
	char again[64];
	int fd = (int)syscall(428, AT_FDCWD, argv[0], O_CLOEXEC);
	if (fd < 0)
		return errno;
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	return spill((int)syscall(SYS_openat, AT_FDCWD, again, O_RDONLY));
}

static int by_uselib(char **argv) {
	return FAILED(SYS_uselib, argv[0]);
}

const struct technique file_techniques[] = {
	{"open", by_open, 1},
	{"openat", by_openat, 1},
	{"openat-readwrite", by_openat_readwrite, 1},
	{"openat2", by_openat2, 1},
	{"open-mode-three", by_open_mode_three, 1},
	{"directory-descriptor", by_directory_descriptor, 1},
	{"path-descriptor", by_path_descriptor, 1},
	{"proc-root", by_proc_root, 1},
	{"proc-thread-root", by_proc_thread_root, 1},
	{"proc-task-root", by_proc_task_root, 1},
	{"proc-cwd", by_proc_cwd, 2},
	{"symlink", by_symlink, 2},
	{"hard-link", by_hard_link, 2},
	{"hard-link-descriptor", by_hard_link_of_descriptor, 2},
	{"hard-link-empty-path", by_hard_link_of_empty_path, 2},
	{"closed-directory", by_closed_directory, 3},
	{"rename", by_rename, 2},
	{"exchange", by_exchange, 2},
	{"rename-parent", by_rename_of_parent, 3},
	{"private-thread", by_private_thread, 1},
	{"path-race", by_path_race, 3},
	{"link-race", by_link_race, 4},
	{"io-uring", by_io_uring, 1},
	{"int80", by_int80, 1},
	{"x32", by_x32, 1},
	{"open-tree", by_open_tree, 1},
	{"uselib", by_uselib, 1},
	{NULL, NULL, 0},
};
