/* What libc does by calls of its own, which no function of ours sees: asked about before it is done, where the hook enforces. */
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"

#include <alloca.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ __attribute__((weak));

/* 0 go on, or -errno. */
static int ask_path(enum gk_action action, const char *path) {
	gk_hook_ready();
	if (GK_LIKELY(!gk_hook.enforces))
		return 0;
	int refused = gk_enforce_path(action, AT_FDCWD, path, false);
	if (refused < 0)
		gk_explain_path(-refused, action, AT_FDCWD, path, false);
	return refused;
}

static int ask_shell(const char *command) {
	char *const argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)command, NULL};
	gk_hook_ready();
	return GK_LIKELY(!gk_hook.enforces) || command == NULL ? 0 : gk_enforce_exec(AT_FDCWD, "/bin/sh", argv, environ, 0);
}

/* The shell gets the environment of the process, in which the hook may be missing: then, and only then, another stands in its place. */
static bool lacks_hook(void) {
	return GK_UNLIKELY(gk_hook.enforces) && !gk_enforce_environment_is_whole(environ);
}

/* Otherwise environ is not written to: another thread may be changing it all the while that the shell runs. */
#define WITH_HOOK(result, work)                                                                                       \
	do {                                                                                                           \
		if (GK_LIKELY(!lacks_hook())) {                                                                        \
			(result) = (work);                                                                             \
		} else {                                                                                               \
			char **before = environ;                                                                       \
			environ = (char **)(uintptr_t)gk_enforce_environment(                                          \
				environ, alloca(gk_enforce_environment_size(environ)));                                \
			(result) = (work);                                                                             \
			environ = before;                                                                              \
		}                                                                                                      \
	} while (0)

GK_EXPORT int system(const char *command) {
	int refused = ask_shell(command), status;
	if (refused < 0)
		return (int)gk_result(refused);
	WITH_HOOK(status, gk_real.system(command));
	return status;
}

GK_EXPORT FILE *popen(const char *command, const char *mode) {
	int refused = ask_shell(command);
	FILE *stream;
	if (refused < 0) {
		errno = -refused;
		return NULL;
	}
	WITH_HOOK(stream, gk_real.popen(command, mode));
	return stream;
}

GK_EXPORT int remove(const char *path) {
	int refused = ask_path(GK_ACTION_FILE_DELETE, path);
	int result = refused < 0 ? (int)gk_result(refused) : gk_real.remove(path);
	if (GK_UNLIKELY(result < 0) && refused == 0)
		gk_explain_path(errno, GK_ACTION_FILE_DELETE, AT_FDCWD, path, false);
	return result;
}

/* Judged by the name that the caller gave, with its X in place of what libc puts there. */
static int make_temporary(char *template, int suffix, int flags) {
	int refused = ask_path(GK_ACTION_FILE_WRITE, template);
	return refused < 0 ? (int)gk_result(refused) : gk_real.mkostemps(template, suffix, flags);
}

#define TEMPORARY(name)                                            \
	GK_EXPORT int name(char *template) {                       \
		return make_temporary(template, 0, 0);             \
	}
#define TEMPORARY_WITH_FLAGS(name)                                 \
	GK_EXPORT int name(char *template, int flags) {            \
		return make_temporary(template, 0, flags);         \
	}
#define TEMPORARY_WITH_SUFFIX(name)                                \
	GK_EXPORT int name(char *template, int suffix) {           \
		return make_temporary(template, suffix, 0);        \
	}
#define TEMPORARY_WITH_BOTH(name)                                  \
	GK_EXPORT int name(char *template, int suffix, int flags) { \
		return make_temporary(template, suffix, flags);    \
	}
TEMPORARY(mkstemp)
TEMPORARY(mkstemp64)
TEMPORARY_WITH_FLAGS(mkostemp)
TEMPORARY_WITH_FLAGS(mkostemp64)
TEMPORARY_WITH_SUFFIX(mkstemps)
TEMPORARY_WITH_SUFFIX(mkstemps64)
TEMPORARY_WITH_BOTH(mkostemps)
TEMPORARY_WITH_BOTH(mkostemps64)

GK_EXPORT char *mkdtemp(char *template) {
	int refused = ask_path(GK_ACTION_FILE_WRITE, template);
	if (refused < 0) {
		errno = -refused;
		return NULL;
	}
	return gk_real.mkdtemp(template);
}

/* The child opens it; what it is relative to is taken to be where the parent is. */
GK_EXPORT int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *restrict actions, int fd, const char *restrict path, int flags,
					       mode_t mode) {
	gk_hook_ready();
	int refused = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_open(AT_FDCWD, path, flags) : 0;
	return refused < 0 ? -refused : gk_real.posix_spawn_file_actions_addopen(actions, fd, path, flags, mode);
}
