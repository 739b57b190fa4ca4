/* Changing what must not be changed. argv[0] is the protected path unless said otherwise. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <utime.h>

static int put(int fd) {
	if (fd < 0)
		return errno;
	int error = write(fd, "changed\n", 8) == 8 ? 0 : errno;
	close(fd);
	return error;
}

static int by_write(char **argv) {
	return put((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_WRONLY));
}

static int by_append(char **argv) {
	return put((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_WRONLY | O_APPEND));
}

static int by_create(char **argv) {
	return put((int)syscall(SYS_openat, AT_FDCWD, argv[0], O_WRONLY | O_CREAT, 0644));
}

static int by_creat(char **argv) {
	return put((int)syscall(SYS_creat, argv[0], 0644));
}

/* Reading is allowed here, and O_TRUNC empties the file all the same. */
static int by_read_truncate(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY | O_TRUNC);
	return fd < 0 ? errno : 0;
}

static int by_truncate(char **argv) {
	return FAILED(SYS_truncate, argv[0], 0L);
}

static int by_unlink(char **argv) {
	return FAILED(SYS_unlink, argv[0]);
}

static int by_chmod(char **argv) {
	return FAILED(SYS_chmod, argv[0], 0777);
}

static int by_fchmodat2(char **argv) {
	return FAILED(452, AT_FDCWD, argv[0], 0777, 0);
}

/* A descriptor for reading is enough for an owner to change mode, times and attributes. */
static int by_fchmod_of_reader(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY);
	return fd < 0 ? errno : FAILED(SYS_fchmod, fd, 0777);
}

static int by_futimens_of_reader(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY);
	return fd < 0 ? errno : FAILED(SYS_utimensat, fd, NULL, NULL, 0);
}

static int by_fsetxattr_of_reader(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY);
	return fd < 0 ? errno : FAILED(SYS_fsetxattr, fd, "user.probe", "x", 1, 0);
}

/* A descriptor for reading, opened again for writing by its magic link. */
static int by_descriptor_upgrade(char **argv) {
	char again[64];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY);
	if (fd < 0)
		return errno;
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	return put((int)syscall(SYS_openat, AT_FDCWD, again, O_RDWR));
}

static int by_utimes(char **argv) {
	return FAILED(SYS_utimes, argv[0], NULL);
}

static int by_setxattr(char **argv) {
	return FAILED(SYS_setxattr, argv[0], "user.probe", "x", 1, 0);
}

/* argv: protected name, an ordinary file to be put there */
static int by_rename_onto(char **argv) {
	return FAILED(SYS_rename, argv[1], argv[0]);
}

static int by_link_onto(char **argv) {
	return FAILED(SYS_link, argv[1], argv[0]);
}

static int by_symlink_at(char **argv) {
	return FAILED(SYS_symlink, argv[1], argv[0]);
}

static int by_mkdir(char **argv) {
	return FAILED(SYS_mkdir, argv[0], 0755);
}

static int by_mknod(char **argv) {
	return FAILED(SYS_mknod, argv[0], S_IFREG | 0644, 0);
}

static int by_fifo(char **argv) {
	return FAILED(SYS_mknod, argv[0], S_IFIFO | 0644, 0);
}

static int by_socket(char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(address.sun_path, argv[0], sizeof address.sun_path - 1);
	return fd < 0 ? errno : FAILED(SYS_bind, fd, &address, sizeof address);
}

/* argv: protected name, a directory that may be written. A nameless file, published under the protected name. */
static int by_nameless_file(char **argv) {
	char through[64];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[1], O_TMPFILE | O_RDWR, 0755);
	if (fd < 0)
		return errno;
	snprintf(through, sizeof through, "/proc/self/fd/%d", fd);
	return FAILED(SYS_linkat, AT_FDCWD, through, AT_FDCWD, argv[0], AT_SYMLINK_FOLLOW);
}

/* argv: directory with something protected in it, its new name */
static int by_move_directory(char **argv) {
	return FAILED(SYS_rename, argv[0], argv[1]);
}

/* argv: a prepared directory, the one whose place it takes */
static int by_swap(char **argv) {
	return FAILED(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], 2 /* RENAME_EXCHANGE */);
}

/* argv: directory. BTRFS_IOC_SUBVOL_CREATE; elsewhere it is ENOTTY. */
static int by_snapshot(char **argv) {
	static char argument[4096] = {[8] = 'x'};
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY | O_DIRECTORY);
	return fd < 0 ? errno : FAILED(SYS_ioctl, fd, 0x5000940eL, argument);
}

static int by_device(char **argv) {
	return FAILED(SYS_mknod, argv[0], S_IFCHR | 0666, (1L << 8) | 5);
}

const struct technique change_techniques[] = {
	{"write", by_write, 1},
	{"append", by_append, 1},
	{"create", by_create, 1},
	{"creat", by_creat, 1},
	{"read-truncate", by_read_truncate, 1},
	{"truncate", by_truncate, 1},
	{"unlink", by_unlink, 1},
	{"chmod", by_chmod, 1},
	{"fchmodat2", by_fchmodat2, 1},
	{"fchmod-reader", by_fchmod_of_reader, 1},
	{"futimens-reader", by_futimens_of_reader, 1},
	{"fsetxattr-reader", by_fsetxattr_of_reader, 1},
	{"descriptor-upgrade", by_descriptor_upgrade, 1},
	{"utimes", by_utimes, 1},
	{"setxattr", by_setxattr, 1},
	{"rename-onto", by_rename_onto, 2},
	{"link-onto", by_link_onto, 2},
	{"symlink-at", by_symlink_at, 2},
	{"mkdir", by_mkdir, 1},
	{"mknod", by_mknod, 1},
	{"fifo", by_fifo, 1},
	{"socket", by_socket, 1},
	{"nameless-file", by_nameless_file, 2},
	{"move-directory", by_move_directory, 2},
	{"swap", by_swap, 2},
	{"snapshot", by_snapshot, 1},
	{"device", by_device, 1},
	{NULL, NULL, 0},
};
