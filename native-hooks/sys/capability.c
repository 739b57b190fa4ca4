#include "sys/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Numbers past the kernel's last capability are answered with EINVAL, which ends the loop. */
#define CAPABILITY_NUMBERS 64

struct sets {
	struct __user_cap_data_struct half[2];
};

static int get_sets(struct sets *out) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &header, out->half) < 0 ? -errno : 0;
}

static int set_sets(const struct sets *sets) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capset, &header, sets->half) < 0 ? -errno : 0;
}

static uint32_t any(const struct sets *sets) {
	uint32_t bits = 0;
	for (int i = 0; i < 2; i++)
		bits |= sets->half[i].permitted | sets->half[i].effective | sets->half[i].inheritable;
	return bits;
}

/* Both need CAP_SETPCAP; without it no_new_privs alone keeps exec from giving anything back, so EPERM is no failure. */
static int lock_what_exec_may_give(void) {
	for (unsigned long number = 0; number < CAPABILITY_NUMBERS; number++) {
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0) {
			if (errno == EINVAL || errno == EPERM)
				break;
			return -errno;
		}
	}
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
				   SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 && errno != EPERM)
		return -errno;
	return 0;
}

int gk_drop_capabilities(bool *had) {
	struct sets sets;
	int error = get_sets(&sets);
	if (error < 0)
		return error;
	*had = any(&sets) != 0;
	if (!*had)
		return 0;
	error = lock_what_exec_may_give();
	if (error < 0)
		return error;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	error = set_sets(&(struct sets){0});
	if (error == 0)
		error = get_sets(&sets);
	if (error < 0)
		return error;
	return any(&sets) == 0 ? 0 : -EPERM;
}
