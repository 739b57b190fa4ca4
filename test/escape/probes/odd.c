/* Reading what must not be read by odd ways: junk in registers, memory that comes and goes, names that read like something else, the links of procfs.
 * argv[0] is the secret's path unless said otherwise. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The kernel looks at the lower half of a descriptor, flags and mode; a comparison of 64 bits would not. */
#define JUNK (0x5a5a5a5aL << 32)

static int by_wide_openat(char **argv) {
	return spill((int)syscall(SYS_openat, JUNK | (unsigned)AT_FDCWD, argv[0], JUNK | O_RDONLY, JUNK));
}

static int by_wide_open_for_writing(char **argv) {
	return spill((int)syscall(SYS_open, argv[0], JUNK | O_RDWR, JUNK));
}

static int by_wide_rename(char **argv) {
	return FAILED(SYS_renameat2, JUNK | (unsigned)AT_FDCWD, argv[0], JUNK | (unsigned)AT_FDCWD, argv[1], JUNK);
}

static int by_wide_socket(char **argv) {
	(void)argv;
	return FAILED(SYS_socket, JUNK | 2, JUNK | 2, JUNK);
}

static long read_secret(const char *path) {
	char buffer[64];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, buffer, sizeof buffer);
	if (fd >= 0)
		close(fd);
	return got > 0 && memmem(buffer, (size_t)got, "SECRET", 6) != NULL;
}

static int verdict(long leaked) {
	return leaked > 0 ? 0 : EACCES;
}

/* The page of the path is there and not there by turns: who cannot read it might let the kernel try. argv: secret, rounds */
static char *page;
static atomic_int going = 1;
static char *page_text;
static void *come_and_go(void *unused) {
	(void)unused;
	while (atomic_load_explicit(&going, memory_order_relaxed)) {
		mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		strcpy(page, page_text);
		sched_yield();
		mprotect(page, 4096, PROT_NONE);
	}
	return NULL;
}

static int by_page_race(char **argv) {
	pthread_t thread;
	long leaked = 0;
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page_text = argv[0];
	if (page == MAP_FAILED || pthread_create(&thread, NULL, come_and_go, NULL) != 0)
		return EAGAIN;
	for (long i = atol(argv[1]); i > 0 && leaked == 0; i--)
		leaked = read_secret(page);
	going = 0;
	pthread_join(thread, NULL);
	return verdict(leaked);
}

/* A path without an end, which gets one now and then. argv: secret, rounds */
static char endless[2 * PATH_MAX];
static void *end_now_and_then(void *end) {
	while (atomic_load_explicit(&going, memory_order_relaxed)) {
		*(volatile char *)end = '\0';
		sched_yield();
		*(volatile char *)end = '/';
	}
	return NULL;
}

static int by_length_race(char **argv) {
	pthread_t thread;
	long leaked = 0;
	memset(endless, '/', sizeof endless - 1);
	memcpy(endless, argv[0], strlen(argv[0]));
	if (pthread_create(&thread, NULL, end_now_and_then, endless + strlen(argv[0])) != 0)
		return EAGAIN;
	for (long i = atol(argv[1]); i > 0 && leaked == 0; i--)
		leaked = read_secret(endless);
	going = 0;
	pthread_join(thread, NULL);
	return verdict(leaked);
}

/* Another process, which shares the page of the path and nothing else. argv: allowed, secret, rounds */
static int by_shared_page_race(char **argv) {
	char *shared = mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long leaked = 0;
	if (shared == MAP_FAILED)
		return errno;
	strcpy(shared, argv[0]);
	pid_t flipper = fork();
	if (flipper == 0)
		for (;;) {
			strcpy(shared, argv[1]);
			strcpy(shared, argv[0]);
		}
	for (long i = atol(argv[2]); i > 0 && leaked == 0; i--)
		leaked = read_secret(shared);
	kill(flipper, SIGKILL);
	waitpid(flipper, NULL, 0);
	return verdict(leaked);
}

/* argv: directory of one's own, a file in it called like the secret's last part, secret's directory, rounds. d/f while d is a directory and a link. */
static int by_parent_race(char **argv) {
	char name[PATH_MAX], spare[PATH_MAX];
	long leaked = 0;
	snprintf(name, sizeof name, "%s/%s", argv[0], argv[1]);
	snprintf(spare, sizeof spare, "%s.spare", argv[0]);
	if (symlink(argv[2], spare) != 0)
		return errno;
	pid_t swapper = fork();
	if (swapper == 0)
		for (;;)
			syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, spare, 2 /* RENAME_EXCHANGE */);
	for (long i = atol(argv[3]); i > 0 && leaked == 0; i--)
		leaked = read_secret(name);
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	return verdict(leaked);
}

/* argv: directory to work in, name of a new directory there, name of the secret to make and read. */
static int by_odd_directory(char **argv) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", argv[0], argv[1]);
	if (mkdir(path, 0755) != 0 || chdir(path) != 0)
		return errno;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[2], O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, "SECRET\n", 7) != 7)
		return errno;
	close(fd);
	return spill((int)syscall(SYS_openat, AT_FDCWD, argv[2], O_RDONLY));
}

/* Deeper than the kernel can say. argv: directory to work in, name of the secret to make and read. */
static int by_deep_directory(char **argv) {
	char name[201];
	memset(name, 'd', 200);
	name[200] = '\0';
	if (chdir(argv[0]) != 0)
		return errno;
	for (int i = 0; i < 25; i++)
		if (mkdir(name, 0755) != 0 || chdir(name) != 0)
			return errno;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[1], O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, "SECRET\n", 7) != 7)
		return errno;
	close(fd);
	return spill((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_RDONLY));
}

/* argv: symbolic link to make (any bytes), secret */
static int by_bytes(char **argv) {
	char name[PATH_MAX];
	snprintf(name, sizeof name, "%s/\xff\xfe", argv[0]);
	if (symlink(argv[1], name) != 0)
		return errno;
	return spill((int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY));
}

/* A thread with a working directory of its own writes to a name that is harmless in its leader's. argv: directory, name, leader's directory */
static int own_directory_result;
static int own_directory(void *argument) {
	char **argv = argument;
	int fd = chdir(argv[0]) == 0 ? (int)syscall(SYS_openat, AT_FDCWD, argv[1], O_WRONLY | O_APPEND) : -1;
	own_directory_result = fd < 0 ? errno : write(fd, "changed\n", 8) == 8 ? 0 : errno;
	return 0;
}

static int by_own_directory(char **argv) {
	static char stack[1 << 18];
	if (chdir(argv[2]) != 0)
		return errno;
	own_directory_result = -1;
	if (clone(own_directory, stack + sizeof stack, CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, argv) < 0)
		return errno;
	for (int i = 0; i < 60000 && *(volatile int *)&own_directory_result == -1; i++)
		usleep(1000);
	return own_directory_result == -1 ? ETIMEDOUT : own_directory_result;
}

/* Whose procfs is it? Success: the links of procfs lead to somebody else than who follows them. argv: a name for a link of one's own. */
static int leads_elsewhere(const char *path, long wanted) {
	char text[64] = "";
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return 0;
	close(fd);
	return atol(text) != wanted;
}

static int others_procfs(char **argv) {
	char descriptor[64];
	const long pid = syscall(SYS_getpid), tid = syscall(SYS_gettid);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY);
	snprintf(descriptor, sizeof descriptor, "/dev/fd/%d/stat", fd);
	return leads_elsewhere("/proc/self/stat", pid) || leads_elsewhere("/proc/thread-self/stat", tid) ||
	       leads_elsewhere("/proc/self/task/../stat", pid) || leads_elsewhere("/proc/../proc/self/stat", pid) ||
	       leads_elsewhere("/proc/self/root/proc/self/stat", pid) || leads_elsewhere(argv[0], pid) || leads_elsewhere(descriptor, pid);
}

static char **others_argv;
static int others_found;
static void *look_as_thread(void *unused) {
	(void)unused;
	others_found = others_procfs(others_argv);
	return NULL;
}

static int by_others_procfs(char **argv) {
	pthread_t thread;
	int status = 0;
	others_argv = argv;
	if (symlink("/proc/self/stat", argv[0]) != 0)
		return errno;
	if (pthread_create(&thread, NULL, look_as_thread, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return EAGAIN;
	pid_t child = fork();
	if (child == 0)
		_exit(others_procfs(argv));
	waitpid(child, &status, 0);
	return others_found || status != 0 || others_procfs(argv) ? 0 : ESRCH;
}

/* The parent is the supervisor inside. argv: a name in its directory of procfs, the flags of open */
static int by_parent(char **argv) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "/proc/%d/%s", getppid(), argv[0]);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, atoi(argv[1]));
	return fd < 0 ? errno : 0;
}

/* A directory's descriptor, and a path through its magic link. */
static int by_beneath_descriptor(char **argv) {
	char copy[PATH_MAX], name[PATH_MAX], through[PATH_MAX + 64];
	snprintf(copy, sizeof copy, "%s", argv[0]);
	snprintf(name, sizeof name, "%s", argv[0]);
	int directory = (int)syscall(SYS_openat, AT_FDCWD, dirname(copy), O_PATH | O_DIRECTORY);
	if (directory < 0)
		return errno;
	snprintf(through, sizeof through, "/dev/fd/%d/%s", directory, basename(name));
	return spill((int)syscall(SYS_openat, AT_FDCWD, through, O_RDONLY));
}

/* The kernel writes core dumps without a system call. */
static int by_core_limit(char **argv) {
	(void)argv;
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	return FAILED(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
}

/* Numbers that no kernel had when this was written; anything but ENOSYS means that one got through. */
static int by_new_calls(char **argv) {
	(void)argv;
	for (long number = 470; number < 1024; number++)
		if (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != ENOSYS)
			return 0;
	return ENOSYS;
}

/* A file of another user, whose mode lets nobody else read it: only a capability would. */
static int by_open_only(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], (int)strtol(argv[1], NULL, 0));
	return fd < 0 ? errno : 0;
}

static int by_new_user(char **argv) {
	return FAILED(SYS_setresuid, atol(argv[0]), atol(argv[0]), atol(argv[0]));
}

const struct technique odd_techniques[] = {
	{"wide-openat", by_wide_openat, 1},
	{"wide-open", by_wide_open_for_writing, 1},
	{"wide-rename", by_wide_rename, 2},
	{"wide-socket", by_wide_socket, 0},
	{"page-race", by_page_race, 2},
	{"length-race", by_length_race, 2},
	{"shared-page-race", by_shared_page_race, 3},
	{"parent-race", by_parent_race, 4},
	{"odd-directory", by_odd_directory, 3},
	{"deep-directory", by_deep_directory, 2},
	{"bytes", by_bytes, 2},
	{"own-directory", by_own_directory, 3},
	{"others-procfs", by_others_procfs, 1},
	{"parent", by_parent, 2},
	{"beneath-descriptor", by_beneath_descriptor, 1},
	{"core-limit", by_core_limit, 0},
	{"new-calls", by_new_calls, 0},
	{"open-only", by_open_only, 2},
	{"new-user", by_new_user, 1},
	{NULL, NULL, 0},
};
