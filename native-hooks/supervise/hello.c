#include "supervise/hello.h"

#include "supervise/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define WELCOME_MS 5000
#define SEND_TIMEOUT_S 2

static int connect_to(const char *path, int *out);
static int check_peer(int fd);
static int say_hello(int fd, const struct gk_supervisor *supervisor, const struct gk_channel_options *options);
static int await_welcome(int fd);

int gk_hello(struct gk_supervisor *supervisor, const struct gk_channel_options *options, int *out) {
	GK_AUTO_CLOSE int fd = -1;
	int error = connect_to(options->socket, &fd);
	if (error == 0)
		error = check_peer(fd);
	if (error == 0)
		error = say_hello(fd, supervisor, options);
	if (error == 0)
		error = await_welcome(fd);
	if (error == 0)
		*out = gk_take_fd(&fd);
	return error;
}

static int connect_to(const char *path, int *out) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	GK_AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
	/* The timeout also bounds the connect to a daemon whose queue is full. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*out = gk_take_fd(&fd);
	return 0;
}

/* The token goes to nobody but a process of this user. */
static int check_peer(int fd) {
	struct ucred peer;
	socklen_t length = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	return peer.uid == geteuid() ? 0 : -EACCES;
}

static int say_hello(int fd, const struct gk_supervisor *supervisor, const struct gk_channel_options *options) {
	uint8_t buffer[8192];
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_HELLO, 0);
	gk_frame_bytes(&w, GK_FIELD_RUN, gk_slice_of(supervisor->run));
	gk_frame_bytes(&w, GK_FIELD_TOKEN, options->token);
	gk_frame_u64(&w, GK_FIELD_PID, (uint64_t)supervisor->supervisor_pid);
	gk_frame_bytes(&w, GK_FIELD_TEXT, gk_slice_of(GK_VERSION));
	gk_frame_bytes(&w, GK_FIELD_PATH, gk_slice_of(options->run_dir));
	int error = gk_frame_end(&w);
	if (error < 0)
		return error;
	/* The buffer of a fresh socket takes it whole. */
	ssize_t sent = send(fd, w.buffer, w.length, MSG_NOSIGNAL);
	explicit_bzero(buffer, sizeof(buffer));
	return sent < 0 ? -errno : (size_t)sent == w.length ? 0 : -EPIPE;
}

static int await_welcome(int fd) {
	uint8_t buffer[256];
	size_t received = 0;
	uint64_t deadline = gk_clock_ns(CLOCK_BOOTTIME) / 1000000 + WELCOME_MS;
	for (;;) {
		struct gk_frame_view frame;
		size_t used;
		int error = gk_frame_parse(gk_slice(buffer, received), &frame, &used);
		if (error == 0)
			return frame.type == GK_FRAME_WELCOME ? 0 : -EACCES;
		if (error != -EAGAIN || received == sizeof(buffer))
			return -EBADMSG;
		uint64_t now = gk_clock_ns(CLOCK_BOOTTIME) / 1000000;
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		int ready = now < deadline ? poll(&poller, 1, (int)(deadline - now)) : 0;
		if (ready == 0)
			return -ETIMEDOUT;
		/* Not a byte past the header: a frame that follows WELCOME at once is the listening thread's to read. */
		ssize_t length = recv(fd, buffer + received, GK_FRAME_HEADER_BYTES - received % GK_FRAME_HEADER_BYTES, MSG_DONTWAIT);
		if (length == 0)
			return -EACCES;
		if (length > 0)
			received += (size_t)length;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}
