/* libc spawns on a stack of its own and executes by itself, so only what it answers can be explained. */
#include "hook/ahead.h"
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"
#include "hook/search.h"

#include <alloca.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[],
			   char *const[]);

struct spawned {
	pid_t *pid;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
	char *const *argv, *const *envp;
};

/* path: what will be executed, if it is known. */
static int spawn(spawn_function *real, const char *file, const char *path, struct spawned what) {
	if (GK_UNLIKELY(gk_hook.enforces) && path != NULL) {
		int refused = gk_enforce_exec(AT_FDCWD, path, what.argv, what.envp, 0);
		if (refused < 0) {
			gk_explain_exec(-refused, AT_FDCWD, path, what.argv, 0);
			return -refused;
		}
	}
	if (GK_UNLIKELY(gk_hook.enforces)) {
		size_t room = gk_enforce_environment_size(what.envp);
		if (room > 0)
			what.envp = gk_enforce_environment(what.envp, alloca(room));
	}
	int error = real(what.pid, file, what.actions, what.attributes, what.argv, what.envp);
	if (GK_UNLIKELY(error != 0) && path != NULL)
		gk_explain_exec(error, AT_FDCWD, path, what.argv, 0);
	return error;
}

GK_EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *restrict attributes, char *const argv[restrict], char *const envp[restrict]) {
	gk_hook_ready();
	return spawn(gk_real.posix_spawn, path, path, (struct spawned){pid, actions, attributes, argv, envp});
}

/* Candidates relative to a directory that the child may leave first are libc's to find, unless it is here that they are judged. */
static bool find(const char *file, char *candidate) {
	struct gk_search places = gk_search_begin();
	while (gk_search_next(&places, file, candidate)) {
		if (candidate[0] != '/' && !gk_hook.enforces)
			return false;
		if (gk_raw4(SYS_faccessat2, AT_FDCWD, (long)candidate, X_OK, AT_EACCESS) == 0)
			return true;
	}
	return false;
}

/* libc tries to execute the file in each place of PATH. The place is found first where that is certain; what then does not work is left to
 * libc as it was asked. */
GK_EXPORT int posix_spawnp(pid_t *restrict pid, const char *restrict file, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *restrict attributes, char *const argv[restrict], char *const envp[restrict]) {
	gk_hook_ready();
	struct spawned what = {pid, actions, attributes, argv, envp};
	if (strchr(file, '/') != NULL)
		return spawn(gk_real.posix_spawnp, file, file, what);
	size_t length = strnlen(file, NAME_MAX + 1);
	if (length == 0 || length > NAME_MAX || !(gk_hook.probes || gk_hook.enforces))
		return spawn(gk_real.posix_spawnp, file, NULL, what);
	char *candidate = alloca(gk_search_room(file));
	if (!find(file, candidate))
		return gk_hook.enforces ? ENOENT : spawn(gk_real.posix_spawnp, file, NULL, what);
	if (GK_UNLIKELY(gk_hook.enforces))
		return spawn(gk_real.posix_spawnp, candidate, candidate, what);
	int error = gk_real.posix_spawn(pid, candidate, actions, attributes, argv, envp);
	return error == 0 ? 0 : spawn(gk_real.posix_spawnp, file, candidate, what);
}
