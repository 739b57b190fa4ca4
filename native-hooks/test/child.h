/* Children of the C tests: each body runs in a process of its own and says with its exit status what went wrong. */
#ifndef GK_TEST_CHILD_H
#define GK_TEST_CHILD_H

#include <errno.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In a child's body: ends it with the line where something was not so. */
#define EXPECT(condition)                                    \
	do {                                                 \
		if (!(condition)) {                          \
			dprintf(2, "%s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
			_exit(1);                            \
		}                                            \
	} while (0)

/* Wait status of a child that runs body and then exits with 0. */
static inline int run_child(void (*body)(void)) {
	pid_t child = fork();
	int status = -1;
	if (child == 0) {
		body();
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static inline void pause_ms(long ms) {
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

#endif
