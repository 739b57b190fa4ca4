/* library WAY PATH: a program with its C library, which calls itself where nobody can stand between. Exit 0 when the file's text came out. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int by_stream(const char *path) {
	char line[256];
	FILE *file = fopen(path, "r");
	if (file == NULL || fgets(line, sizeof line, file) == NULL)
		return errno;
	return puts(line) < 0 ? EIO : 0;
}

/* What the child says on standard error stands for its errno. */
static int by_popen(const char *path) {
	char command[4096], line[256];
	snprintf(command, sizeof command, "cat %s", path);
	FILE *pipe = popen(command, "r");
	if (pipe != NULL && fgets(line, sizeof line, pipe) != NULL)
		puts(line);
	return pipe == NULL ? errno : pclose(pipe) == 0 ? 0 : -1;
}

static int by_spawn(const char *path) {
	char *command[] = {"cat", (char *)path, NULL}, *nothing[] = {NULL};
	pid_t child;
	int status, error = posix_spawn(&child, "/bin/cat", NULL, NULL, command, nothing);
	if (error != 0)
		return error;
	return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

/* A second copy of the C library, in a name space of its own. */
static int by_second_library(const char *path) {
	char buffer[256];
	void *library = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
	int (*open_again)(const char *, int) = library == NULL ? NULL : (int (*)(const char *, int))dlsym(library, "open");
	int *(*errno_again)(void) = library == NULL ? NULL : (int *(*)(void))dlsym(library, "__errno_location");
	if (open_again == NULL || errno_again == NULL)
		return ENOSYS;
	int fd = open_again(path, O_RDONLY);
	if (fd < 0)
		return *errno_again();
	ssize_t got = read(fd, buffer, sizeof buffer);
	return write(STDOUT_FILENO, buffer, (size_t)got) == got ? 0 : EIO;
}

/* Code that runs while the library is loaded. */
static int by_constructor(const char *path) {
	void *library = dlopen(path, RTLD_NOW);
	if (library == NULL)
		fprintf(stderr, "%s\n", dlerror());
	return library == NULL ? -1 : 0;
}

int main(int argc, char **argv) {
	static const struct {
		const char *name;
		int (*run)(const char *);
	} ways[] = {{"stream", by_stream}, {"popen", by_popen}, {"spawn", by_spawn}, {"second-library", by_second_library}, {"load", by_constructor}};
	for (size_t i = 0; argc == 3 && i < sizeof ways / sizeof ways[0]; i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		int error = ways[i].run(argv[2]);
		if (error > 0)
			fprintf(stderr, "%s\n", strerrorname_np(error));
		return error == 0 ? 0 : 1;
	}
	return 2;
}
