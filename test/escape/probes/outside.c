/* What all processes of a user share, and what only root may do. argv[0] is a victim's pid unless said otherwise. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>

static pid_t victim(char **argv) {
	return (pid_t)atoi(argv[0]);
}

/* A signal that a socket or pipe sends to whom it was told to. argv: file with the victim's pid, how it is told. Ends the victim. */
static int by_owner(char **argv) {
	char text[16] = "";
	int pair[2], from = open(argv[0], O_RDONLY), error = 0;
	if (from < 0 || read(from, text, sizeof text - 1) <= 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return errno;
	int pid = atoi(text);
	const struct f_owner_ex owner = {.type = F_OWNER_PID, .pid = pid};
	if (strcmp(argv[1], "number") == 0)
		error = FAILED(SYS_fcntl, pair[0], F_SETOWN, pid);
	else if (strcmp(argv[1], "structure") == 0)
		error = FAILED(SYS_fcntl, pair[0], F_SETOWN_EX, &owner);
	else
		error = FAILED(SYS_ioctl, pair[0], FIOSETOWN, &pid);
	if (error == 0)
		error = FAILED(SYS_fcntl, pair[0], F_SETSIG, SIGKILL);
	if (error == 0)
		error = FAILED(SYS_fcntl, pair[0], F_SETFL, O_ASYNC | O_NONBLOCK);
	if (error)
		return error;
	/* Nobody has to have waited for it yet: a dead process is readable. */
	struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	if (end.fd < 0 || write(pair[1], "x", 1) != 1)
		return errno;
	return poll(&end, 1, 1000) == 1 ? 0 : EPERM;
}

static int by_group(char **argv) {
	pid_t group = getpgid(victim(argv));
	return group < 0 ? errno : FAILED(SYS_kill, -group, SIGCONT);
}

/* argv: victim, call */
static int by_schedule(char **argv) {
	pid_t pid = victim(argv);
	const struct sched_param none = {0};
	const struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attributes = {.size = 48, .nice = 19};
	if (strcmp(argv[1], "policy") == 0)
		return FAILED(SYS_sched_setscheduler, pid, SCHED_OTHER, &none);
	if (strcmp(argv[1], "parameter") == 0)
		return FAILED(SYS_sched_setparam, pid, &none);
	if (strcmp(argv[1], "attributes") == 0)
		return FAILED(SYS_sched_setattr, pid, &attributes, 0);
	if (strcmp(argv[1], "disk") == 0)
		return FAILED(SYS_ioprio_set, 1, pid, 2 << 13 | 4);
	if (strcmp(argv[1], "disk-group") == 0)
		return FAILED(SYS_ioprio_set, 2, getpgid(pid), 2 << 13 | 4);
	if (strcmp(argv[1], "group") == 0)
		return FAILED(SYS_setpriority, PRIO_PGRP, getpgid(pid), 19);
	return FAILED(SYS_setpriority, PRIO_PROCESS | (1L << 32), pid | (1L << 32), 19);
}

/* argv: victim, file of its, text */
static int by_proc_write(char **argv) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", victim(argv), argv[1]);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY);
	return fd < 0 ? errno : FAILED(SYS_write, fd, argv[2], strlen(argv[2]));
}

static int by_advice(char **argv) {
	int fd = (int)syscall(SYS_pidfd_open, victim(argv), 0);
	unsigned long start;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/maps", victim(argv));
	FILE *maps = fopen(path, "r"); /* inside nothing is learned; the call is refused for any address */
	if (maps == NULL || fscanf(maps, "%lx", &start) != 1)
		start = 0x400000;
	struct iovec page = {(void *)start, 4096};
	return fd < 0 ? errno : FAILED(SYS_process_madvise, fd, &page, 1, 20 /* MADV_COLD */, 0);
}

static int by_comparison(char **argv) {
	return FAILED(SYS_kcmp, getpid(), victim(argv), 0, 1, 1);
}

static int by_robust_list(char **argv) {
	void *head;
	size_t length;
	return FAILED(SYS_get_robust_list, victim(argv), &head, &length);
}

static int by_page_moves(char **argv) {
	return FAILED(SYS_move_pages, victim(argv), 0, NULL, NULL, NULL, 0);
}

/* Message queues, semaphores and keys: whatever of them a process outside might share. */
static int by_shared_objects(char **argv) {
	(void)argv;
	const unsigned long calls[][5] = {
		{SYS_msgget, 0x6b6b, 01600},
		{SYS_semget, 0x6b6b, 1, 01600},
		{SYS_shmget, 0x6b6b, 4096, 01600},
		{SYS_mq_open, (unsigned long)"gk-escape", O_CREAT | O_RDWR, 0600, 0},
		{SYS_mq_unlink, (unsigned long)"gk-escape"},
		{SYS_keyctl, 0, (unsigned long)-4, 1},
		{SYS_request_key, (unsigned long)"user", (unsigned long)"gk-escape", 0, 0},
	};
	int worked = 0, last = 0;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		int error = FAILED(calls[i][0], calls[i][1], calls[i][2], calls[i][3], calls[i][4]);
		worked += error != ENOSYS;
		last = error;
	}
	syscall(SYS_msgctl, syscall(SYS_msgget, 0x6b6b, 0), 0, NULL);
	syscall(SYS_semctl, syscall(SYS_semget, 0x6b6b, 0, 0), 0, 0, NULL);
	return worked > 0 ? 0 : last;
}

static int clone_with(unsigned long flags) {
	long child = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid((pid_t)child, NULL, 0);
	return child < 0 ? errno : 0;
}

/* Every kind of namespace, by every call that makes one, also with junk in the upper half. */
static int by_any_namespace(char **argv) {
	static const unsigned long kinds[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET};
	(void)argv;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (clone_with(kinds[i]) == 0 || clone_with(kinds[i] | 1UL << 40) == 0 || FAILED(SYS_unshare, kinds[i] | 1UL << 40) == 0)
			return 0;
	return FAILED(SYS_unshare, 0x80 /* CLONE_NEWTIME */);
}

/* argv: pid whose namespace is entered, name */
static int by_entering(char **argv) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%s/ns/%s", argv[0], argv[1]);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	return fd < 0 ? errno : FAILED(SYS_setns, fd, 0);
}

static int by_entering_process(char **argv) {
	int fd = (int)syscall(SYS_pidfd_open, victim(argv), 0);
	return fd < 0 ? errno : FAILED(SYS_setns, fd, CLONE_NEWUTS);
}

/* What root may: argv: which, a directory */
static int by_root(char **argv) {
	const union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	char name[128] = "", path[4096];
	snprintf(path, sizeof path, "%s/node", argv[1]);
	if (strcmp(argv[0], "mount") == 0)
		return mount("tmpfs", argv[1], "tmpfs", MS_RDONLY, NULL) != 0 || umount(argv[1]) != 0 ? errno : 0;
	if (strcmp(argv[0], "bpf") == 0)
		return FAILED(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map);
	if (strcmp(argv[0], "chroot") == 0)
		return FAILED(SYS_chroot, argv[1]);
	if (strcmp(argv[0], "name") == 0)
		return gethostname(name, sizeof name - 1) != 0 ? errno : FAILED(SYS_sethostname, name, strlen(name));
	if (strcmp(argv[0], "device") == 0)
		return mknod(path, S_IFCHR | 0600, makedev(1, 1)) != 0 || unlink(path) != 0 ? errno : 0;
	if (strcmp(argv[0], "owner") == 0)
		return FAILED(SYS_fchownat, AT_FDCWD, argv[1], 65534, 65534, 0);
	if (strcmp(argv[0], "user") == 0)
		return FAILED(SYS_setuid, 65534);
	if (strcmp(argv[0], "clock") == 0)
		return FAILED(SYS_settimeofday, NULL, &(int[2]){0, 0});
	if (strcmp(argv[0], "events") == 0)
		return FAILED(SYS_perf_event_open, &(uint64_t[16]){1 | (128UL << 32)}, 0, -1, -1, 0);
	return EINVAL;
}

/* Whether any capability is left, or can come back by executing something. */
static int by_capabilities(char **argv) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	(void)argv;
	if (syscall(SYS_capget, &header, data) != 0)
		return errno;
	for (int i = 0; i < 2; i++)
		if (data[i].permitted | data[i].effective | data[i].inheritable)
			return 0;
	for (unsigned long i = 0; i <= 40; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) > 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) > 0)
			return 0;
	return EPERM;
}

/* A core file, which the kernel writes by itself. argv: directory */
static int by_core(char **argv) {
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	pid_t child = fork();
	if (child == 0) {
		if (chdir(argv[0]) != 0 || setrlimit(RLIMIT_CORE, &all) != 0)
			_exit(1);
		abort();
	}
	int status;
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && WCOREDUMP(status) ? 0 : EPERM;
}

/* Makes calls by number with nothing in their arguments, and says which give something else than they should. argv: file of NUMBER:ERRNO */
static int by_numbers(char **argv) {
	FILE *list = fopen(argv[0], "r");
	unsigned long number;
	char wanted[32];
	if (list == NULL)
		return errno;
	while (fscanf(list, "%lu:%31s", &number, wanted) == 2) {
		int error = FAILED(number, 0, 0, 0, 0, 0, 0);
		if (error == 0 || strcmp(strerrorname_np(error), wanted) != 0)
			printf("%lu: %s instead of %s\n", number, error == 0 ? "it worked" : strerrorname_np(error), wanted);
	}
	return EPERM;
}

const struct technique outside_techniques[] = {
	{"owner-signal", by_owner, 2},
	{"kill-group", by_group, 1},
	{"schedule", by_schedule, 2},
	{"proc-write", by_proc_write, 3},
	{"advice", by_advice, 1},
	{"comparison", by_comparison, 1},
	{"robust-list", by_robust_list, 1},
	{"page-moves", by_page_moves, 1},
	{"shared-objects", by_shared_objects, 0},
	{"any-namespace", by_any_namespace, 0},
	{"entering", by_entering, 2},
	{"entering-process", by_entering_process, 1},
	{"root", by_root, 2},
	{"capabilities", by_capabilities, 0},
	{"core", by_core, 1},
	{"numbers", by_numbers, 1},
	{NULL, NULL, 0},
};
