#include "sys/probe.h"

#include "sys/landlock.h"
#include "sys/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#define NR_OPENAT2 437
#define NR_PIDFD_GETFD 438
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */

static const char *kernel_release(void) {
	static struct utsname name;
	return uname(&name) == 0 ? name.release : "unknown";
}

static int probe_landlock(char *why, size_t capacity) {
	int abi = gk_landlock_abi();
	if (abi >= GK_LANDLOCK_ABI)
		return 0;
	if (abi == -EOPNOTSUPP)
		snprintf(why, capacity, "Landlock is built into kernel %s but not enabled: add landlock to the lsm= boot parameter", kernel_release());
	else if (abi < 0)
		snprintf(why, capacity, "kernel %s offers no Landlock (%s): Linux 6.12 or newer with CONFIG_SECURITY_LANDLOCK is needed", kernel_release(),
			 strerror(-abi));
	else
		snprintf(why, capacity, "kernel %s has Landlock ABI %d, but %d is needed: upgrade to Linux 6.12 or newer", kernel_release(), abi,
			 GK_LANDLOCK_ABI);
	return abi < 0 ? abi : -ENOSYS;
}

static int probe_notify(char *why, size_t capacity) {
	int error = gk_notify_probe();
	if (error < 0)
		snprintf(why, capacity,
			 "kernel %s offers no seccomp user notification with a killable wait (%s): Linux 5.19 or newer is needed, and no outer sandbox that forbids seccomp",
			 kernel_release(), strerror(-error));
	return error;
}

/* Each call fails for its arguments when it exists, so another errno means that something keeps it from us. */
static int probe_call(long result, int expected, const char *name, const char *since, char *why, size_t capacity) {
	int error = result < 0 ? errno : 0;
	if (error == expected)
		return 0;
	snprintf(why, capacity, "kernel %s refuses %s (%s): Linux %s or newer is needed, and no outer sandbox that forbids it", kernel_release(), name,
		 error == 0 ? "unexpected success" : strerror(error), since);
	return error == 0 ? -EPROTO : -error;
}

static int probe_calls(char *why, size_t capacity) {
	int error = probe_call(syscall(NR_OPENAT2, AT_FDCWD, "/", NULL, 0), EINVAL, "openat2", "5.6", why, capacity);
	if (error == 0)
		error = probe_call(syscall(NR_PIDFD_GETFD, -1, 0, 0), EBADF, "pidfd_getfd", "5.6", why, capacity);
	if (error < 0)
		return error;
	GK_AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, getpid(), PIDFD_THREAD);
	if (pidfd >= 0)
		return 0;
	error = -errno;
	snprintf(why, capacity, "kernel %s offers no descriptors for threads (%s): Linux 6.9 or newer is needed", kernel_release(), strerror(-error));
	return error;
}

/* Yama at 2 lets only an administrator read another process's memory, which every decision needs. */
static int probe_yama(char *why, size_t capacity) {
	GK_AUTO_CLOSE int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char level = '0';
	if (fd < 0 || read(fd, &level, 1) != 1 || level < '2')
		return 0;
	snprintf(why, capacity, "kernel.yama.ptrace_scope is %c, which keeps a supervisor from reading its own children: set it to 0 or 1", level);
	return -EPERM;
}

int gk_probe_hook(char *why, size_t capacity) {
	int error = probe_calls(why, capacity);
	return error == 0 ? probe_yama(why, capacity) : error;
}

int gk_probe_requirements(char *why, size_t capacity) {
	int error = probe_landlock(why, capacity);
	if (error == 0)
		error = probe_notify(why, capacity);
	if (error == 0)
		return gk_probe_hook(why, capacity);
	/* Named, never taken: whoever wants less says so. */
	size_t length = strlen(why);
	snprintf(why + length, capacity - length, "; `gatekeeper run --enforce=hook` is a weaker way");
	return error;
}
