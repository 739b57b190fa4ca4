/* A native module: its constructor prints the file that PROBE_SECRET names, or the errno that stopped it, and ends the program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((constructor)) static void begin(void) {
	char buffer[256];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("PROBE_SECRET"), O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, buffer, sizeof buffer);
	if (got < 0)
		fprintf(stderr, "%s\n", strerrorname_np(errno));
	_exit(got >= 0 && write(STDOUT_FILENO, buffer, (size_t)got) == got ? 0 : 1);
}
