/* The hook where programs start others: the exec family, spawning, children of vfork, threads that are cancelled. */
#include "test/hooked.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>

extern char **environ;

static int wait_for(pid_t child) {
	int status = -1;
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define STARTED(call)                               \
	({                                          \
		pid_t started = vfork();            \
		if (started == 0) {                 \
			(void)(call);               \
			_exit(errno == ENOENT ? 101 : errno == EACCES ? 102 : errno == ENOTDIR ? 103 : 104); \
		}                                   \
		wait_for(started);                  \
	})

/* `sh -c SCRIPT name a b` exits with 7 when it has exactly these words and variables. */
#define WORDS "test \"$0 $1 $2 $# $GIVEN\" = \"name a b 2 yes\" && exit 7"
#define VECTOR(...) ((char *const *)(uintptr_t)(const char *const[]){__VA_ARGS__, NULL})
#define words VECTOR("sh", "-c", WORDS, "name", "a", "b")
#define given VECTOR("GIVEN=yes", "PATH=/bin:/usr/bin")

static void every_call_passes_words_and_environment_on(void) {
	EXPECT(STARTED(execve("/bin/sh", words, given)) == 7);
	EXPECT(STARTED(execle("/bin/sh", "sh", "-c", WORDS, "name", "a", "b", (char *)NULL, given)) == 7);
	EXPECT(STARTED(execvpe("sh", words, given)) == 7);
	int fd = open("/bin/sh", O_PATH | O_CLOEXEC);
	EXPECT(STARTED(fexecve(fd, words, given)) == 7);
	EXPECT(STARTED(execveat(fd, "", words, given, AT_EMPTY_PATH)) == 7);
	setenv("GIVEN", "yes", 1);
	EXPECT(STARTED(execv("/bin/sh", words)) == 7 && STARTED(execvp("sh", words)) == 7 && STARTED(execvp("/bin/sh", words)) == 7);
	EXPECT(STARTED(execl("/bin/sh", "sh", "-c", WORDS, "name", "a", "b", (char *)NULL)) == 7);
	EXPECT(STARTED(execlp("sh", "sh", "-c", WORDS, "name", "a", "b", (char *)NULL)) == 7);
	pid_t child;
	EXPECT(posix_spawn(&child, "/bin/sh", NULL, NULL, words, environ) == 0 && wait_for(child) == 7);
	EXPECT(posix_spawnp(&child, "sh", NULL, NULL, words, given) == 0 && wait_for(child) == 7);
	EXPECT(system("exit 9") >> 8 == 9);
	FILE *pipe = popen("echo x", "r");
	EXPECT(pipe != NULL && fgetc(pipe) == 'x' && pclose(pipe) == 0);
}

static void places_are_searched_in_order(void) {
	char *directory = enter_directory(), path[256];
	EXPECT(mkdir("one", 0755) == 0 && mkdir("two", 0755) == 0 && mkdir("three", 0755) == 0);
	write_file("one/tool", "not for execution");
	write_file("two/tool", "test \"$0 $1\" = \"$PWD/two/tool arg\" && exit 5");
	write_file("three/tool", "#!/bin/sh\nexit 6\n");
	EXPECT(chmod("two/tool", 0755) == 0 && chmod("three/tool", 0755) == 0);
	snprintf(path, sizeof(path), "%s/none:%s/one:%s/two:%s/three", directory, directory, directory, directory);
	EXPECT(setenv("PATH", path, 1) == 0 && setenv("PWD", directory, 1) == 0);
	char *const *argv = VECTOR("tool", "arg");
	/* What cannot be executed is passed over; what has no first line is for the shell. */
	EXPECT(STARTED(execvp("tool", argv)) == 5 && STARTED(execlp("tool", "tool", "arg", (char *)NULL)) == 5);
	pid_t child;
	EXPECT(posix_spawnp(&child, "tool", NULL, NULL, argv, environ) == ENOEXEC);
	snprintf(path, sizeof(path), "%s/none:%s/one:%s/three", directory, directory, directory);
	EXPECT(setenv("PATH", path, 1) == 0);
	EXPECT(posix_spawnp(&child, "tool", NULL, NULL, argv, environ) == 0 && wait_for(child) == 6);
	snprintf(path, sizeof(path), "%s/one:%s/none", directory, directory);
	EXPECT(setenv("PATH", path, 1) == 0);
	EXPECT(STARTED(execvp("tool", argv)) == 102 && STARTED(execvp("other", argv)) == 101 && STARTED(execvp("", argv)) == 101);
	EXPECT(posix_spawnp(&child, "tool", NULL, NULL, argv, environ) == EACCES);
	EXPECT(posix_spawnp(&child, "other", NULL, NULL, argv, environ) == ENOENT);
	/* An empty place is the working directory. */
	EXPECT(chdir("three") == 0 && setenv("PATH", ":/nonexistent", 1) == 0 && STARTED(execvp("tool", argv)) == 6);
	EXPECT(posix_spawnp(&child, "tool", NULL, NULL, argv, environ) == 0 && wait_for(child) == 6);
	EXPECT(unsetenv("PATH") == 0);
	EXPECT(STARTED(execvp("true", VECTOR("true"))) == 0);
	EXPECT(STARTED(execv("/etc/passwd/x", argv)) == 103 && STARTED(execv("/etc/passwd", argv)) == 102 && STARTED(execv("none", argv)) == 101);
	EXPECT(chdir(directory) == 0 && unlink("one/tool") == 0 && unlink("two/tool") == 0 && unlink("three/tool") == 0);
	EXPECT(rmdir("one") == 0 && rmdir("two") == 0 && rmdir("three") == 0 && chdir("/") == 0 && rmdir(directory) == 0);
}

static int opened_in_handler;

static void open_in_handler(int signal) {
	(void)signal;
	int fd = open("/etc/passwd", O_RDONLY);
	opened_in_handler += fd >= 0 && close(fd) == 0;
	(void)open("/nonexistent", O_RDONLY);
}

/* On the smallest stack that a handler may have. */
static void handlers_may_open(void) {
	static char stack[8192];
	stack_t small = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = open_in_handler, .sa_flags = SA_ONSTACK};
	EXPECT(sigaltstack(&small, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	errno = 77;
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
	EXPECT(opened_in_handler == 100);
}

static void *open_often(void *unused) {
	(void)unused;
	for (int i = 0; i < 2000; i++) {
		int fd = open(i % 3 ? "/etc/passwd" : "/nonexistent", O_RDONLY | O_CLOEXEC);
		if ((fd >= 0) != (i % 3 != 0) || (fd < 0 && errno != ENOENT))
			return NULL;
		if (fd >= 0)
			close(fd);
		FILE *stream = fopen("/etc/passwd", "re");
		if (stream == NULL || fclose(stream) != 0)
			return NULL;
	}
	return &opened_in_handler;
}

static void threads_open_at_once(void) {
	pthread_t threads[8];
	for (unsigned i = 0; i < 8; i++)
		EXPECT(pthread_create(&threads[i], NULL, open_often, NULL) == 0);
	/* Their children are as good. */
	for (unsigned i = 0; i < 50; i++) {
		pid_t child = fork();
		if (child == 0) {
			int fd = open("/etc/passwd", O_RDONLY);
			_exit(fd >= 0 ? 0 : 1);
		}
		EXPECT(wait_for(child) == 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		void *result;
		EXPECT(pthread_join(threads[i], &result) == 0 && result != NULL);
	}
}

static const char *fifo;
static int cleaned;

static void clean(void *unused) {
	(void)unused;
	cleaned++;
}

static void *open_fifo(void *unused) {
	(void)unused;
	pthread_cleanup_push(clean, NULL);
	(void)open(fifo, O_WRONLY); /* nobody ever reads */
	pthread_cleanup_pop(0);
	return NULL;
}

/* libc unwinds the thread's stack, our frame among the others. */
static void a_waiting_open_can_be_cancelled(void) {
	char *directory = enter_directory();
	pthread_t thread;
	void *result;
	fifo = "fifo";
	EXPECT(mkfifo(fifo, 0600) == 0 && pthread_create(&thread, NULL, open_fifo, NULL) == 0);
	EXPECT(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED && cleaned == 1);
	EXPECT(unlink(fifo) == 0 && chdir("/") == 0 && rmdir(directory) == 0);
}

static const struct actor actors[] = {
	{"words", every_call_passes_words_and_environment_on},
	{"places", places_are_searched_in_order},
	{"handlers", handlers_may_open},
	{"threads", threads_open_at_once},
	{"cancelled", a_waiting_open_can_be_cancelled},
};

int main(int argc, char **argv) {
	if (argc == 2)
		return act(actors, sizeof(actors) / sizeof(*actors), argv[1]) ? 0 : 2;
	static const char *const values[] = {"fd:/none", ":/none", "h:/none", NULL};
	for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++)
		for (unsigned a = 0; a < sizeof(actors) / sizeof(*actors); a++)
			CHECK_HOOKED(actors[a].name, values[i]);
	return gk_check_status();
}
