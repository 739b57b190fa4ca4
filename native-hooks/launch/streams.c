#include "launch/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int gk_streams_check(char *why, size_t capacity) {
	for (int stream = 0; stream <= 2; stream++) {
		if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_NOCTTY) != stream) {
			snprintf(why, capacity, "standard stream %d is closed and /dev/null cannot take its place (%s)", stream, strerror(errno));
			return -EBADF;
		}
		int type;
		socklen_t length = sizeof(type);
		if (getsockopt(stream, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type != SOCK_STREAM && type != SOCK_SEQPACKET) {
			snprintf(why, capacity, "standard stream %d is a datagram socket, which could send past the policy; use a pipe or a file", stream);
			return -ENOTSUP;
		}
	}
	return 0;
}

void gk_streams_release(void) {
	GK_AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
}
