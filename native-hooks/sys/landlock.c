#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The same on every architecture; the libc headers of the build machine may be older than the kernel. */
#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_ADD_RULE 445
#define NR_LANDLOCK_RESTRICT_SELF 446
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

struct path_beneath {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

int gk_landlock_abi(void) {
	long abi = syscall(NR_LANDLOCK_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
	return abi < 0 ? -errno : (int)abi;
}

int gk_ruleset_open(const struct gk_restriction *restriction, int *ruleset) {
	long fd = syscall(NR_LANDLOCK_CREATE_RULESET, restriction, sizeof(*restriction), 0);
	if (fd < 0)
		return -errno;
	*ruleset = (int)fd;
	return 0;
}

bool gk_is_out_of_reach(int error) {
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP;
}

int gk_ruleset_allow(int ruleset, const char *path, uint64_t rights) {
	GK_AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return gk_is_out_of_reach(errno) ? 0 : -errno;
	return gk_ruleset_allow_fd(ruleset, fd, rights);
}

int gk_ruleset_allow_fd(int ruleset, int fd, uint64_t rights) {
	struct stat stat;
	if (fstat(fd, &stat) < 0)
		return -errno;
	struct path_beneath rule = {
		.allowed_access = S_ISDIR(stat.st_mode) ? rights : rights & GK_FS_OF_FILES,
		.parent_fd = fd,
	};
	if (rule.allowed_access == 0)
		return 0;
	if (syscall(NR_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0)
		return 0;
	/* A pipe or socket behind /dev/stdin: it lies on a file system that is never mounted, and Landlock does not govern those. */
	return errno == EBADFD ? 0 : -errno;
}

int gk_ruleset_enforce(int ruleset) {
	return syscall(NR_LANDLOCK_RESTRICT_SELF, ruleset, 0) < 0 ? -errno : 0;
}
