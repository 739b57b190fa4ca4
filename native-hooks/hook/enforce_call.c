/* syscall(2), by which runtimes make calls that libc has no function for, and some that it has. */
#include "hook/enforce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>

#define NR_IO_URING_SETUP 425
#define NR_OPENAT2 437
#define NR_FCHMODAT2 452

static const char *text(long value) {
	return (const char *)value;
}

static bool follows(long flags) {
	return (flags & AT_SYMLINK_NOFOLLOW) == 0;
}

static int made(long dirfd, long path) {
	return gk_enforce_path(GK_ACTION_FILE_WRITE, (int)dirfd, text(path), false);
}

static int removed(long dirfd, long path) {
	return gk_enforce_path(GK_ACTION_FILE_DELETE, (int)dirfd, text(path), false);
}

static int written(long dirfd, long path, bool follow) {
	return gk_enforce_path(GK_ACTION_FILE_WRITE, (int)dirfd, text(path), follow);
}

static int by_name(long nr, const long a[5]) {
	switch (nr) {
	case SYS_open: return gk_enforce_open(AT_FDCWD, text(a[0]), (int)a[1]);
	case SYS_creat: return gk_enforce_open(AT_FDCWD, text(a[0]), O_CREAT | O_WRONLY | O_TRUNC);
	case SYS_openat: return gk_enforce_open((int)a[0], text(a[1]), (int)a[2]);
	/* struct open_how begins with the flags. */
	case NR_OPENAT2: return a[2] == 0 ? -EFAULT : gk_enforce_open((int)a[0], text(a[1]), (int)*(const uint64_t *)a[2]);
	case SYS_unlink:
	case SYS_rmdir: return removed(AT_FDCWD, a[0]);
	case SYS_unlinkat: return removed(a[0], a[1]);
	case SYS_mkdir:
	case SYS_mknod: return made(AT_FDCWD, a[0]);
	case SYS_mkdirat:
	case SYS_mknodat: return made(a[0], a[1]);
	case SYS_symlink: return made(AT_FDCWD, a[1]);
	case SYS_symlinkat: return made(a[1], a[2]);
	case SYS_truncate:
	case SYS_chmod:
	case SYS_chown:
	case SYS_utime:
	case SYS_utimes: return written(AT_FDCWD, a[0], true);
	case SYS_lchown: return written(AT_FDCWD, a[0], false);
	case SYS_fchmodat: return written(a[0], a[1], true);
	case NR_FCHMODAT2:
	case SYS_utimensat: return written(a[0], a[1], follows(a[3]));
	case SYS_fchownat: return written(a[0], a[1], follows(a[4]));
	case SYS_fchmod:
	case SYS_fchown:
	case SYS_fsetxattr:
	case SYS_fremovexattr: return written(a[0], (long)"", true);
	case SYS_rename: return gk_enforce_rename(AT_FDCWD, text(a[0]), AT_FDCWD, text(a[1]));
	case SYS_renameat:
	case SYS_renameat2: return gk_enforce_rename((int)a[0], text(a[1]), (int)a[2], text(a[3]));
	case SYS_link: return gk_enforce_link(AT_FDCWD, text(a[0]), AT_FDCWD, text(a[1]), 0);
	case SYS_linkat: return gk_enforce_link((int)a[0], text(a[1]), (int)a[2], text(a[3]), (int)a[4]);
	default: return 0;
	}
}

int gk_enforce_call(long nr, const long a[5]) {
	switch (nr) {
	case SYS_connect: return gk_enforce_connect((int)a[0], (const struct sockaddr *)a[1], (socklen_t)a[2]);
	case SYS_bind: return gk_enforce_bind((int)a[0], (const struct sockaddr *)a[1], (socklen_t)a[2]);
	case SYS_listen: return gk_enforce_listen((int)a[0], (int)a[1]);
	/* Its calls are nobody's to see. As the filter has it where there is one. */
	case NR_IO_URING_SETUP: return -ENOSYS;
	default: return by_name(nr, a);
	}
}
