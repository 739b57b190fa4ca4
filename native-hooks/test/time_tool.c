/*
 * time_tool ROUNDS CMD…      runs CMD ROUNDS times, its output thrown away, and prints the wall time of each in nanoseconds
 * time_tool open N PATH      opens and closes PATH N times and prints the nanoseconds of one round
 * time_tool miss N PATH      tries to open PATH, which is not there, N times and prints the nanoseconds of one try
 * time_tool refused N PATH   tries to open PATH, which is refused, N times and prints the nanoseconds of one try
 * time_tool spawn N PROGRAM  spawns PROGRAM N times with vfork and prints the nanoseconds of all
 * The clock runs inside whatever this tool was started under, so that starting that is not measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int spawn_and_wait(char **command, int quiet) {
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status;
	posix_spawn_file_actions_init(&actions);
	if (quiet)
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	int error = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error != 0 || waitpid(child, &status, 0) != child)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int time_open(long count, const char *path) {
	int64_t begin = now();
	for (long i = 0; i < count; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			perror("time_tool: open");
			return 1;
		}
		close(fd);
	}
	printf("%lld\n", (long long)((now() - begin) / count));
	return 0;
}

static int time_failure(long count, const char *path, int expected) {
	int64_t begin = now();
	for (long i = 0; i < count; i++) {
		if (open(path, O_RDONLY | O_CLOEXEC) >= 0 || errno != expected) {
			perror("time_tool: open");
			return 1;
		}
	}
	printf("%lld\n", (long long)((now() - begin) / count));
	return 0;
}

static int time_spawn(long count, char *program) {
	char *command[] = {program, NULL};
	int64_t begin = now();
	for (long i = 0; i < count; i++)
		if (spawn_and_wait(command, 0) != 0)
			return 1;
	printf("%lld\n", (long long)(now() - begin));
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 4 && strcmp(argv[1], "open") == 0)
		return time_open(atol(argv[2]), argv[3]);
	if (argc == 4 && strcmp(argv[1], "miss") == 0)
		return time_failure(atol(argv[2]), argv[3], ENOENT);
	if (argc == 4 && strcmp(argv[1], "refused") == 0)
		return time_failure(atol(argv[2]), argv[3], EACCES);
	if (argc == 4 && strcmp(argv[1], "spawn") == 0)
		return time_spawn(atol(argv[2]), argv[3]);
	if (argc < 3 || atol(argv[1]) < 1) {
		fprintf(stderr, "usage: time_tool ROUNDS CMD… | open N PATH | miss N PATH | refused N PATH | spawn N PROGRAM\n");
		return 2;
	}
	for (long round = atol(argv[1]); round > 0; round--) {
		int64_t begin = now();
		int status = spawn_and_wait(argv + 2, 1);
		if (status != 0) {
			fprintf(stderr, "time_tool: %s exited with %d\n", argv[2], status);
			return 1;
		}
		printf("%lld\n", (long long)(now() - begin));
	}
	return 0;
}
