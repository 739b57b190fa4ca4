#include "wire/door.h"

#include "base/decimal.h"
#include "base/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

static int reach(int socket, const char *directory);
static int exchange(int socket, const struct msghdr *message, struct gk_door_answer *out);

int gk_door_ask(const char *directory, const struct gk_door_request *request, struct gk_slice first, struct gk_slice second,
		struct gk_door_answer *out) {
	struct iovec parts[] = {
		{.iov_base = (void *)(uintptr_t)request, .iov_len = sizeof(*request)},
		{.iov_base = (void *)(uintptr_t)first.at, .iov_len = request->first},
		{.iov_base = (void *)(uintptr_t)second.at, .iov_len = request->second},
	};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = GK_COUNT(parts)};
	if (request->first != first.length || request->second != second.length)
		return -EINVAL;
	long socket = gk_raw4(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0);
	if (socket < 0)
		return (int)socket;
	int error = reach((int)socket, directory);
	if (error == 0)
		error = exchange((int)socket, &message, out);
	gk_raw4(SYS_close, socket, 0, 0, 0);
	return error;
}

/* A directory's path may be longer than an address holds. */
static int reach(int socket, const char *directory) {
	static const char prefix[] = "/proc/self/fd/", name[] = "/" GK_DOOR_SOCKET;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	long fd = gk_raw4(SYS_openat, AT_FDCWD, (long)directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	char *at = address.sun_path;
	memcpy(at, prefix, sizeof(prefix) - 1);
	at += sizeof(prefix) - 1;
	at += gk_put_decimal(at, fd);
	memcpy(at, name, sizeof(name));
	long result;
	do
		result = gk_raw4(SYS_connect, socket, (long)&address, sizeof(address), 0);
	while (result == -EINTR);
	gk_raw4(SYS_close, fd, 0, 0, 0);
	return (int)result;
}

static int exchange(int socket, const struct msghdr *message, struct gk_door_answer *out) {
	long result;
	do
		result = gk_raw4(SYS_sendmsg, socket, (long)message, MSG_NOSIGNAL, 0);
	while (result == -EINTR);
	if (result < 0)
		return (int)result;
	do
		result = gk_raw6(SYS_recvfrom, socket, (long)out, sizeof(*out), 0, 0, 0);
	while (result == -EINTR);
	if (result < 0)
		return (int)result;
	return result == sizeof(*out) ? 0 : -EPIPE;
}
