/* Running what must not be run. argv[0] is the denied program unless said otherwise; it prints something when it runs. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char *no_environment[] = {NULL};

static int by_relative_execveat(char **argv) {
	char copy[PATH_MAX], name[PATH_MAX], *command[] = {argv[0], NULL};
	snprintf(copy, sizeof copy, "%s", argv[0]);
	snprintf(name, sizeof name, "%s", argv[0]);
	int directory = (int)syscall(SYS_openat, AT_FDCWD, dirname(copy), O_PATH | O_DIRECTORY);
	return directory < 0 ? errno : FAILED(SYS_execveat, directory, basename(name), command, no_environment, 0);
}

static int execute_descriptor(int fd, char **argv) {
	char *command[] = {argv[0], NULL};
	return fd < 0 ? errno : FAILED(SYS_execveat, fd, "", command, no_environment, AT_EMPTY_PATH);
}

static int by_path_descriptor(char **argv) {
	return execute_descriptor((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_PATH), argv);
}

static int by_read_descriptor(char **argv) {
	return execute_descriptor((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY | O_CLOEXEC), argv);
}

static int by_magic_link(char **argv) {
	char through[64], *command[] = {argv[0], NULL};
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_PATH);
	snprintf(through, sizeof through, "/proc/self/fd/%d", fd);
	return fd < 0 ? errno : FAILED(SYS_execve, through, command, no_environment);
}

static int by_no_follow(char **argv) {
	char *command[] = {argv[0], NULL};
	return FAILED(SYS_execveat, AT_FDCWD, argv[0], command, no_environment, AT_SYMLINK_NOFOLLOW);
}

/* Asks whether it may be executed (Linux 6.14): nothing runs. */
static int by_check(char **argv) {
	char *command[] = {argv[0], NULL};
	return FAILED(SYS_execveat, AT_FDCWD, argv[0], command, no_environment, 0x10000 /* AT_EXECVE_CHECK */);
}

static int copy_into(int to, const char *path) {
	char buffer[65536];
	ssize_t got;
	int from = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	if (from < 0 || to < 0)
		return errno;
	while ((got = read(from, buffer, sizeof buffer)) > 0)
		if (write(to, buffer, (size_t)got) != got)
			return EIO;
	close(from);
	return 0;
}

/* A descriptor that was opened for writing cannot be executed (ETXTBSY): it is opened once more by its magic link. */
static int execute_copy(int fd, char **argv) {
	char through[64], *command[] = {argv[0], NULL};
	int error = copy_into(fd, argv[0]);
	if (error != 0 || fchmod(fd, 0755) != 0)
		return error != 0 ? error : errno;
	snprintf(through, sizeof through, "/proc/self/fd/%d", fd);
	int again = (int)syscall(SYS_openat, AT_FDCWD, through, O_PATH);
	if (again < 0)
		return errno;
	close(fd);
	snprintf(through, sizeof through, "/proc/self/fd/%d", again);
	return FAILED(SYS_execve, through, command, no_environment);
}

static int by_memory_link(char **argv) {
	return execute_copy(memfd_create("program", 0), argv);
}

/* argv: program, directory for the nameless file */
static int by_nameless_file(char **argv) {
	return execute_copy((int)syscall(SYS_openat, AT_FDCWD, argv[1], O_TMPFILE | O_RDWR, 0700), argv);
}

/* argv: program, name of a copy that is deleted before it runs */
static int by_deleted_file(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[1], O_CREAT | O_RDWR, 0700);
	if (fd < 0 || unlink(argv[1]) != 0)
		return errno;
	return execute_copy(fd, argv);
}

const struct technique spawn_techniques[] = {
	{"spawn-relative", by_relative_execveat, 1},
	{"spawn-path-descriptor", by_path_descriptor, 1},
	{"spawn-read-descriptor", by_read_descriptor, 1},
	{"spawn-magic-link", by_magic_link, 1},
	{"spawn-no-follow", by_no_follow, 1},
	{"spawn-check", by_check, 1},
	{"spawn-memory-link", by_memory_link, 1},
	{"spawn-nameless", by_nameless_file, 2},
	{"spawn-deleted", by_deleted_file, 2},
	{NULL, NULL, 0},
};
