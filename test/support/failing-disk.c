/* Preloaded: as often as the file FAIL_SYNC is there, a write that was put off has failed on the disk, which the kernel tells once (fsync(2), EIO). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int fdatasync(int fd) {
	const char *failing = getenv("FAIL_SYNC");
	if (failing != NULL && unlink(failing) == 0) {
		errno = EIO;
		return -1;
	}
	int (*own)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	return own(fd);
}
