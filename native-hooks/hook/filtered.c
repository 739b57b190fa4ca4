/* A program may put a seccomp(2) filter of its own before what it still has to do. One that ends whoever calls anything else would end the program for
 * calls that are not its own: from here on only those are made that libc would make as well. */
#include "hook/enforce.h"
#include "hook/hook.h"

#include <linux/prctl.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

/* Not where the hook enforces: there the program has to allow what that takes, as with a filter that forbids it to open files. */
static void stand_down(void) {
	gk_hook_ready();
	if (gk_hook.enforces)
		return;
	gk_hook.files = false;
	gk_hook.directories = false;
	gk_hook.probes = false;
	gk_hook.explains = false;
}

GK_EXPORT int prctl(int option, ...);

int prctl(int option, ...) {
	va_list rest;
	va_start(rest, option);
	long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long), d = va_arg(rest, long);
	va_end(rest);
	if (option == PR_SET_SECCOMP)
		stand_down();
	/* The supervisor copies the arguments of a question from the asker's memory, which this would hide (ssh-agent does). As the filter has
	 * it where there is one: it seems to work. */
	if (option == PR_SET_DUMPABLE && a == 0) {
		gk_hook_ready();
		if (gk_hook.enforces)
			return 0;
	}
	return gk_real.prctl != NULL ? gk_real.prctl(option, a, b, c, d) : (int)gk_result(gk_raw6(SYS_prctl, option, a, b, c, d, 0));
}

GK_EXPORT long syscall(long nr, ...);

/* libseccomp and others install theirs by it. Before our own start it is the kernel that is called, not a library. */
long syscall(long nr, ...) {
	va_list rest;
	va_start(rest, nr);
	long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long), d = va_arg(rest, long), e = va_arg(rest, long),
	     f = va_arg(rest, long);
	va_end(rest);
	if (GK_UNLIKELY(nr == SYS_seccomp || (nr == SYS_prctl && (int)a == PR_SET_SECCOMP)))
		stand_down();
	gk_hook_ready();
	if (GK_UNLIKELY(gk_hook.enforces)) {
		if (nr == SYS_execve)
			return execve((const char *)a, (char *const *)b, (char *const *)c);
		if (nr == SYS_execveat)
			return execveat((int)a, (const char *)b, (char *const *)c, (char *const *)d, (int)e);
		int verdict = gk_enforce_call(nr, (const long[5]){a, b, c, d, e});
		if (verdict != 0)
			return verdict == GK_ENFORCE_DONE ? 0 : gk_result(verdict);
	}
	return gk_real.syscall != NULL ? gk_real.syscall(nr, a, b, c, d, e, f) : gk_result(gk_raw6(nr, a, b, c, d, e, f));
}
