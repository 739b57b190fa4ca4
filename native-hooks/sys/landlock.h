/* Landlock rulesets: a wall in the kernel beneath the supervisor's decisions. Source: landlock(7), kernel 6.12 (ABI 6). */
#ifndef GK_SYS_LANDLOCK_H
#define GK_SYS_LANDLOCK_H

#include "base/attr.h"

#include <stdbool.h>
#include <stdint.h>

/* The oldest ABI that cuts signals and abstract sockets at the domain's border (Linux 6.12). */
#define GK_LANDLOCK_ABI 6

#define GK_FS_EXECUTE (1ULL << 0)
#define GK_FS_WRITE_FILE (1ULL << 1)
#define GK_FS_READ_FILE (1ULL << 2)
#define GK_FS_READ_DIR (1ULL << 3)
#define GK_FS_REMOVE_DIR (1ULL << 4)
#define GK_FS_REMOVE_FILE (1ULL << 5)
#define GK_FS_MAKE_REG (1ULL << 8)
#define GK_FS_REFER (1ULL << 13)
#define GK_FS_TRUNCATE (1ULL << 14)  /* Linux 6.2 */
#define GK_FS_IOCTL_DEV (1ULL << 15) /* Linux 6.10 */
/* Every file system right of ABI 5 and up. */
#define GK_FS_ALL ((1ULL << 16) - 1)
#define GK_FS_READ (GK_FS_EXECUTE | GK_FS_READ_FILE | GK_FS_READ_DIR)
/* The rights that a rule on something else than a directory may name. */
#define GK_FS_OF_FILES (GK_FS_EXECUTE | GK_FS_WRITE_FILE | GK_FS_READ_FILE | GK_FS_TRUNCATE | GK_FS_IOCTL_DEV)

#define GK_NET_ALL 3ULL   /* bind and connect over TCP, Linux 6.7 */
#define GK_SCOPE_ABSTRACT_UNIX_SOCKET 1ULL /* Linux 6.12 */
#define GK_SCOPE_SIGNAL 2ULL		   /* Linux 6.12 */

/* What a ruleset denies unless a rule allows it (the layout of struct landlock_ruleset_attr since Linux 6.12). */
struct gk_restriction {
	uint64_t fs, net, scoped;
};

/* The running kernel's ABI, or -errno: -ENOSYS not built, -EOPNOTSUPP built but not enabled at boot. */
int gk_landlock_abi(void);

/* *ruleset is owned by the caller. 0 or -errno. */
int gk_ruleset_open(const struct gk_restriction *restriction, int *ruleset) GK_MUST_CHECK;

/* Allows rights on path and beneath; rights that a plain file cannot have are left out for one. A path that the caller cannot reach
 * allows nothing and is no error. 0 or -errno. */
int gk_ruleset_allow(int ruleset, const char *path, uint64_t rights) GK_MUST_CHECK;
/* The same for what fd (O_PATH will do) refers to; fd stays the caller's. */
int gk_ruleset_allow_fd(int ruleset, int fd, uint64_t rights) GK_MUST_CHECK;
/* Whether an open failed with error because there is nothing for the caller. */
bool gk_is_out_of_reach(int error);

/* Restricts the calling thread and what it will create. Needs no_new_privs. 0 or -errno. */
int gk_ruleset_enforce(int ruleset) GK_MUST_CHECK;

#endif
