/* Programs of the hook's tests: the test runs itself again with the library preloaded, where one actor does what it tests. */
#ifndef GK_TEST_HOOKED_H
#define GK_TEST_HOOKED_H

#include "base/raw.h"
#include "include/gk_hint.gen.h"
#include "test/check.h"
#include "test/child.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TEST_INLINE static inline __attribute__((unused))

struct actor {
	const char *name;
	void (*body)(void);
};

struct hooked_outcome {
	int status; /* as waitpid(2) gives it */
	char error_output[16384];
};

/* The library of this build, which lies beside the directory of the tests. */
TEST_INLINE const char *hooked_library(void) {
	static char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 32);
	if (length < 0)
		abort();
	path[length] = '\0';
	*strrchr(path, '/') = '\0';
	*strrchr(path, '/') = '\0';
	return strcat(path, "/libgk-hook.so");
}

/* hook: the value of GATEKEEPER_HOOK, or NULL. What the actor writes to its error output is kept. */
TEST_INLINE struct hooked_outcome run_hooked(const char *actor, const char *hook) {
	struct hooked_outcome outcome = {.status = -1};
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return outcome;
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], 2);
		setenv("LD_PRELOAD", hooked_library(), 1);
		/* Of the build with sanitizers: it does not like to come second. */
		setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
		if (hook != NULL)
			setenv("GATEKEEPER_HOOK", hook, 1);
		else
			unsetenv("GATEKEEPER_HOOK");
		execl("/proc/self/exe", "hooked", actor, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	size_t used = 0;
	ssize_t n;
	while (used < sizeof(outcome.error_output) - 1 &&
	       (n = read(ends[0], outcome.error_output + used, sizeof(outcome.error_output) - 1 - used)) > 0)
		used += (size_t)n;
	close(ends[0]);
	if (child < 0 || waitpid(child, &outcome.status, 0) != child)
		outcome.status = -1;
	return outcome;
}

/* The actor did what it expects, and said nothing. */
#define CHECK_HOOKED(actor, hook)                                                                                               \
	do {                                                                                                                    \
		const char *given_to_hook = hook;                                                                               \
		struct hooked_outcome ran = run_hooked(actor, given_to_hook);                                                   \
		CHECK(ran.status == 0 && ran.error_output[0] == '\0', "%s with %s: status %#x, said: %s", actor,                \
		      given_to_hook ? given_to_hook : "-", (unsigned)ran.status, ran.error_output);                             \
	} while (0)

/* In main of an actor's process: whether it was one. */
TEST_INLINE bool act(const struct actor *actors, size_t count, const char *name) {
	for (size_t i = 0; i < count; i++)
		if (strcmp(actors[i].name, name) == 0) {
			actors[i].body();
			return true;
		}
	return false;
}

TEST_INLINE void install(const struct sock_filter *code, unsigned short length) {
	struct sock_fprog program = {.len = length, .filter = (struct sock_filter *)(uintptr_t)code};
	EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	/* As no program does: by its own prctl(2) the hook would stand down. */
	EXPECT(gk_raw6(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&program, 0, 0, 0) == 0);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define HIGH_HALF(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]) + 4)
#define LOW_HALF(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]))
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, skip)
#define ANSWER(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)(error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* From here on every hint of this process fails so. */
TEST_INLINE void answer_hints(int error) {
	const struct sock_filter code[] = {LOAD(nr),	 UNLESS_EQUAL(SYS_openat, 3), HIGH_HALF(2), UNLESS_EQUAL(GK_HINT_MAGIC, 1),
					   ANSWER(error), ALLOW};
	install(code, sizeof(code) / sizeof(code[0]));
}

/* Every open that is no hint fails so, but for those with O_CLOEXEC or O_PATH. */
TEST_INLINE void answer_opens(int error) {
	const struct sock_filter code[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
		HIGH_HALF(2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GK_HINT_MAGIC, 5, 0),
		LOW_HALF(2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CLOEXEC | O_PATH, 3, 2),
		UNLESS_EQUAL(SYS_open, 2),
		LOW_HALF(1),
		ANSWER(error),
		ALLOW,
	};
	install(code, sizeof(code) / sizeof(code[0]));
}

TEST_INLINE void answer_call(long nr, int error) {
	const struct sock_filter code[] = {LOAD(nr), UNLESS_EQUAL(nr, 1), ANSWER(error), ALLOW};
	install(code, sizeof(code) / sizeof(code[0]));
}

/* A working directory of its own for each actor; gone with leave_directory. */
TEST_INLINE char *enter_directory(void) {
	static char path[] = "/tmp/gk-hook-XXXXXX";
	EXPECT(mkdtemp(path) != NULL && chdir(path) == 0);
	return path;
}

TEST_INLINE void write_file(const char *path, const char *text) {
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

#endif
