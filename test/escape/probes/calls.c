/* call NAME PATH OTHER: one system call in its plainest form, by its number. PATH is what must not be changed, OTHER an ordinary file or a new name. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

static int reader(const char *path) {
	return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
}

/* linux/xattr.h: struct xattr_args of setxattrat(2), Linux 6.13. */
struct attribute {
	uint64_t value;
	uint32_t size, flags;
};

static int call_by_path(const char *name, char *path, char *other) {
	const long uid = syscall(SYS_geteuid), gid = syscall(SYS_getegid);
	const struct timeval times[2] = {{1, 0}, {1, 0}};
	const struct utimbuf moments = {1, 1};
	const struct attribute attribute = {(uint64_t)(uintptr_t) "x", 1, 0};
#define CALL(text, ...)                                                                            \
	if (strcmp(name, text) == 0)                                                               \
	return FAILED(__VA_ARGS__)
	CALL("creat", SYS_creat, path, 0644);
	CALL("rename", SYS_rename, path, other);
	CALL("renameat", SYS_renameat, AT_FDCWD, path, AT_FDCWD, other);
	CALL("renameat2", SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 0);
	CALL("rename-onto", SYS_rename, other, path);
	CALL("renameat-onto", SYS_renameat, AT_FDCWD, other, AT_FDCWD, path);
	CALL("renameat2-onto", SYS_renameat2, AT_FDCWD, other, AT_FDCWD, path, RENAME_NOREPLACE);
	CALL("link-onto", SYS_link, other, path);
	CALL("linkat-onto", SYS_linkat, AT_FDCWD, other, AT_FDCWD, path, 0);
	CALL("symlink", SYS_symlink, other, path);
	CALL("symlinkat", SYS_symlinkat, other, AT_FDCWD, path);
	CALL("unlink", SYS_unlink, path);
	CALL("unlinkat", SYS_unlinkat, AT_FDCWD, path, 0);
	CALL("rmdir", SYS_rmdir, path);
	CALL("unlinkat-directory", SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
	CALL("mkdir", SYS_mkdir, path, 0755);
	CALL("mkdirat", SYS_mkdirat, AT_FDCWD, path, 0755);
	CALL("mknod", SYS_mknod, path, S_IFREG | 0644, 0);
	CALL("mknodat", SYS_mknodat, AT_FDCWD, path, S_IFREG | 0644, 0);
	CALL("truncate", SYS_truncate, path, 0L);
	CALL("chmod", SYS_chmod, path, 0777);
	CALL("fchmodat", SYS_fchmodat, AT_FDCWD, path, 0777);
	CALL("fchmodat2", 452, AT_FDCWD, path, 0777, 0);
	CALL("chown", SYS_chown, path, uid, gid);
	CALL("lchown", SYS_lchown, path, uid, gid);
	CALL("fchownat", SYS_fchownat, AT_FDCWD, path, uid, gid, 0);
	CALL("utime", SYS_utime, path, &moments);
	CALL("utimes", SYS_utimes, path, times);
	CALL("futimesat", SYS_futimesat, AT_FDCWD, path, times);
	CALL("utimensat", SYS_utimensat, AT_FDCWD, path, NULL, 0);
	CALL("setxattr", SYS_setxattr, path, "user.probe", "x", 1, 0);
	CALL("lsetxattr", SYS_lsetxattr, path, "user.probe", "x", 1, 0);
	CALL("setxattrat", 463, AT_FDCWD, path, 0, "user.probe", &attribute, sizeof attribute);
	CALL("removexattr", SYS_removexattr, path, "user.probe");
	CALL("lremovexattr", SYS_lremovexattr, path, "user.probe");
	CALL("removexattrat", 466, AT_FDCWD, path, 0, "user.probe");
	CALL("name-to-handle", SYS_name_to_handle_at, AT_FDCWD, path, other, other, 0);
	CALL("chroot", SYS_chroot, path);
	CALL("mount", SYS_mount, path, path, NULL, MS_BIND, NULL);
	CALL("umount", SYS_umount2, path, 0);
	CALL("pivot-root", SYS_pivot_root, path, path);
	CALL("swapon", SYS_swapon, path, 0);
	CALL("acct", SYS_acct, path);
	CALL("quotactl", SYS_quotactl, 0x800002, path, 0, NULL);
	CALL("fsopen", 430, "tmpfs", 0);
	CALL("fspick", 433, AT_FDCWD, path, 0);
	CALL("move-mount", 429, AT_FDCWD, path, AT_FDCWD, other, 0);
	CALL("mount-setattr", 442, AT_FDCWD, path, 0, NULL, 0);
	CALL("open-tree-clone", 428, AT_FDCWD, path, 1);
	CALL("open-tree-attr", 467, AT_FDCWD, path, 0, NULL, 0);
	CALL("file-setattr", 469, AT_FDCWD, path, NULL, 0, 0);
	CALL("fanotify", SYS_fanotify_init, 0x200, 0);
	CALL("userfaultfd", SYS_userfaultfd, 1);
	CALL("memfd-secret", 447, 0);
	CALL("message-queue", SYS_mq_open, "probe", O_RDONLY, 0, NULL);
	CALL("open-by-handle", SYS_open_by_handle_at, AT_FDCWD, path, O_RDONLY);
	return -1;
}

/* A descriptor for reading is enough for an owner to change these. */
static int call_by_reader(const char *name, int fd) {
	const long uid = syscall(SYS_geteuid), gid = syscall(SYS_getegid);
	long flags = 0;
	CALL("fchmod", SYS_fchmod, fd, 0777);
	CALL("fchown", SYS_fchown, fd, uid, gid);
	CALL("fchownat-empty", SYS_fchownat, fd, "", uid, gid, AT_EMPTY_PATH);
	CALL("fchmodat2-empty", 452, fd, "", 0777, AT_EMPTY_PATH);
	CALL("futimens", SYS_utimensat, fd, NULL, NULL, 0);
	CALL("fsetxattr", SYS_fsetxattr, fd, "user.probe", "x", 1, 0);
	CALL("fremovexattr", SYS_fremovexattr, fd, "user.probe");
	if (strcmp(name, "set-flags") != 0)
		return -1;
	if (syscall(SYS_ioctl, fd, FS_IOC_GETFLAGS, &flags) != 0)
		return errno;
	flags ^= FS_NODUMP_FL;
	return FAILED(SYS_ioctl, fd, FS_IOC_SETFLAGS, &flags);
}

static int by_call(char **argv) {
	char other[PATH_MAX];
	snprintf(other, sizeof other, "%s", argv[2]);
	int error = call_by_path(argv[0], argv[1], other);
	if (error >= 0)
		return error;
	int fd = reader(argv[1]);
	error = fd < 0 ? errno : call_by_reader(argv[0], fd);
	if (error >= 0)
		return error;
	fprintf(stderr, "unknown call %s\n", argv[0]);
	exit(2);
}

const struct technique call_techniques[] = {
	{"call", by_call, 3},
	{NULL, NULL, 0},
};
