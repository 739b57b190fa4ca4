/* The exec family. A child of vfork comes here on its parent's memory: nothing is left behind in it, and the stack is the only room. */
#include "hook/ahead.h"
#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"
#include "hook/next.h"
#include "hook/search.h"
#include "hook/start.h"

#include <alloca.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

extern char **environ __attribute__((weak));

long gk_start(int dirfd, const char *path, char *const argv[], char *const envp[], int flags) {
	if (GK_UNLIKELY(gk_hook.enforces)) {
		int refused = gk_enforce_exec(dirfd, path, argv, envp, flags);
		if (refused < 0)
			return refused;
		size_t room = gk_enforce_environment_size(envp);
		if (room > 0)
			envp = gk_enforce_environment(envp, alloca(room));
	} else if (dirfd == AT_FDCWD) {
		long absent = gk_absent_ahead(path);
		if (absent != GK_UNDECIDED)
			return absent;
	}
	if (dirfd == AT_FDCWD && flags == 0)
		return gk_next_call(&(struct gk_call){GK_NEXT_execve, SYS_execve, {(long)path, (long)argv, (long)envp}});
	return gk_raw6(SYS_execveat, dirfd, (long)path, (long)argv, (long)envp, flags, 0);
}

static int execute(int dirfd, const char *path, char *const argv[], char *const envp[], int flags) {
	gk_hook_ready();
	long answer = gk_start(dirfd, path, argv, envp, flags);
	gk_explain_exec((int)-answer, dirfd, path, argv, flags);
	return (int)gk_result(answer);
}

GK_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) {
	return execute(AT_FDCWD, path, argv, envp, 0);
}

GK_EXPORT int execv(const char *path, char *const argv[]) {
	return execute(AT_FDCWD, path, argv, environ, 0);
}

GK_EXPORT int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags) {
	return execute(dirfd, path, argv, envp, flags);
}

GK_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) {
	return fd < 0 ? (int)gk_result(-EINVAL) : execute(fd, "", argv, envp, AT_EMPTY_PATH);
}

/* What the kernel cannot execute may be a script for the shell that lacks its first line. */
static long start_in_shell(const char *path, char *const argv[], char *const envp[]) {
	size_t count = 0;
	while (argv[count] != NULL)
		count++;
	if (count > INT_MAX / sizeof(char *) - 3)
		return -E2BIG;
	char **shell_argv = alloca((count + 3) * sizeof(char *));
	static const char shell[] = "/bin/sh";
	size_t used = 0;
	shell_argv[used++] = (char *)(uintptr_t)shell;
	shell_argv[used++] = (char *)(uintptr_t)path;
	for (size_t i = 1; i < count; i++)
		shell_argv[used++] = argv[i];
	shell_argv[used] = NULL;
	return gk_start(AT_FDCWD, shell, shell_argv, envp, 0);
}

static long start_or_shell(const char *path, char *const argv[], char *const envp[]) {
	long answer = gk_start(AT_FDCWD, path, argv, envp, 0);
	return answer == -ENOEXEC ? start_in_shell(path, argv, envp) : answer;
}

/* Whether execvp(3) looks on in the next place. */
static bool looks_on(long answer) {
	return answer == -EACCES || answer == -ENOENT || answer == -ESTALE || answer == -ENOTDIR || answer == -ENODEV ||
	       answer == -ETIMEDOUT;
}

static long search(const char *file, char *const argv[], char *const envp[]) {
	size_t length = strnlen(file, NAME_MAX + 1);
	if (length == 0)
		return -ENOENT;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	char *candidate = alloca(gk_search_room(file));
	struct gk_search places = gk_search_begin();
	bool refused = false;
	long answer = -ENOENT;
	while (looks_on(answer) && gk_search_next(&places, file, candidate)) {
		answer = start_or_shell(candidate, argv, envp);
		if (answer == -EACCES && !refused) {
			refused = true;
			gk_explain_exec(EACCES, AT_FDCWD, candidate, argv, 0);
		}
	}
	return refused && looks_on(answer) ? -EACCES : answer;
}

GK_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) {
	gk_hook_ready();
	if (strchr(file, '/') == NULL)
		return (int)gk_result(search(file, argv, envp));
	long answer = start_or_shell(file, argv, envp);
	gk_explain_exec((int)-answer, AT_FDCWD, file, argv, 0);
	return (int)gk_result(answer);
}

GK_EXPORT int execvp(const char *file, char *const argv[]) {
	return execvpe(file, argv, environ);
}

/* Arguments of a call as a vector, on the stack of who calls: a null pointer ends them. rest is then behind that. */
static size_t count_arguments(va_list rest) {
	size_t count = 1;
	while (va_arg(rest, char *) != NULL)
		count++;
	return count;
}

#define VECTOR(first)                                                                   \
	va_list rest;                                                                   \
	va_start(rest, first);                                                          \
	size_t count = count_arguments(rest);                                           \
	va_end(rest);                                                                   \
	if (count >= INT_MAX / sizeof(char *))                                          \
		return (int)gk_result(-E2BIG);                                          \
	char **argv = alloca((count + 1) * sizeof(char *));                             \
	va_start(rest, first);                                                          \
	argv[0] = (char *)(uintptr_t)first;                                             \
	for (size_t i = 1; i <= count; i++)                                             \
		argv[i] = va_arg(rest, char *)

GK_EXPORT int execl(const char *path, const char *first, ...) {
	VECTOR(first);
	va_end(rest);
	return execv(path, argv);
}

GK_EXPORT int execlp(const char *file, const char *first, ...) {
	VECTOR(first);
	va_end(rest);
	return execvp(file, argv);
}

GK_EXPORT int execle(const char *path, const char *first, ...) {
	VECTOR(first);
	char *const *envp = va_arg(rest, char *const *);
	va_end(rest);
	return execve(path, argv, envp);
}
