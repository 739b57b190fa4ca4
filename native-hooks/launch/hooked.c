#include "launch/hooked.h"

#include "launch/complain.h"
#include "wire/door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define LIBRARY "libgk-hook.so"

/* The first library that is loaded into everything must be ours: what comes before it would act unseen. */
static int find_library(char hook[PATH_MAX]) {
	const char *preload = getenv("LD_PRELOAD");
	size_t length = preload == NULL ? 0 : strcspn(preload, ": ");
	size_t name = sizeof("/" LIBRARY) - 1;
	if (length <= name || length >= PATH_MAX || preload[0] != '/' || strncmp(preload + length - name, "/" LIBRARY, name) != 0)
		return -ENOENT;
	memcpy(hook, preload, length);
	hook[length] = '\0';
	if (access(hook, R_OK) < 0)
		return -errno;
	hook[length - name] = '\0';
	return 0;
}

/* glibc's own resolver sends datagrams by calls that no wrapper sees, and nothing at this level stops: over TCP it meets Landlock (resolv.conf(5)). */
static int ask_names_over_tcp(void) {
	char value[1024];
	const char *given = getenv("RES_OPTIONS");
	int length = snprintf(value, sizeof(value), "%s%suse-vc", given == NULL ? "" : given, given == NULL ? "" : " ");
	return setenv("RES_OPTIONS", length < (int)sizeof(value) ? value : "use-vc", 1) < 0 ? -errno : 0;
}

int gk_hooked_prepare(const struct gk_options *options, char hook[PATH_MAX]) {
	char value[PATH_MAX + 8];
	int error = find_library(hook);
	if (error < 0) {
		gk_complain("cannot enforce by the hook: its library is not in the environment (%s); see `gatekeeper doctor`", strerror(-error));
		return error;
	}
	/* Of the daemon's letters one stays: hints mean nothing where no filter looks at them. */
	const char *given = getenv("GATEKEEPER_HOOK");
	bool quiet = given != NULL && given[strcspn(given, "q:")] == 'q';
	if (snprintf(value, sizeof(value), quiet ? "eq:%s" : "e:%s", options->image) >= (int)sizeof(value))
		return -ENAMETOOLONG;
	if (setenv("GATEKEEPER_HOOK", value, 1) < 0 || setenv("GATEKEEPER_REPORT", options->run_dir, 1) < 0)
		return -errno;
	return ask_names_over_tcp();
}

void gk_hooked_warn(const struct gk_options *options) {
	if (options->bounds.processes != 0)
		gk_complain("the policy's limit of processes does not hold with --enforce=hook: nothing counts them");
}

int gk_hooked_ask(const char *run_dir, const char *path, char *const *argv) {
	static struct gk_door_request request = {.version = GK_DOOR_VERSION, .kind = GK_DOOR_CALL, .nr = SYS_execve};
	struct gk_door_answer answer;
	request.args[0] = (uint64_t)(uintptr_t)path;
	request.args[1] = (uint64_t)(uintptr_t)argv;
	int error = gk_door_ask(run_dir, &request, gk_slice(NULL, 0), gk_slice(NULL, 0), &answer);
	if (error < 0 || answer.error != 0)
		return error < 0 || answer.error > 0 ? -EACCES : answer.error;
	if (!answer.vouched)
		return 0;
	/* The letter that says so stands before the colon. */
	const char *hook = getenv("GATEKEEPER_HOOK");
	char value[PATH_MAX + 8];
	if (hook == NULL || snprintf(value, sizeof(value), "c%s", hook) >= (int)sizeof(value) || setenv("GATEKEEPER_HOOK", value, 1) < 0)
		return -ENOMEM;
	return 0;
}
