#include "supervise/channel.h"

#include "supervise/hello.h"
#include "supervise/take_image.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 5000
/* A kick that the daemon has not answered for this long is sent again. */
#define KICK_AGAIN_MS 1000

struct gk_channel {
	struct gk_supervisor *supervisor;
	struct gk_channel_options options;
	pthread_mutex_t sending; /* held while fd is written to or changed */
	int fd;			 /* -1: no daemon now */
	int wake;		 /* eventfd: the journal has grown */
	atomic_bool kicked;	 /* a kick is outstanding, or about to be sent */
	size_t received;
	uint8_t buffer[GK_FRAME_MAX_BYTES];
};

static void *listen_to_daemon(void *argument);
static void reconnect(struct gk_channel *channel);
static bool wait_for_work(struct gk_channel *channel);
static bool receive(struct gk_channel *channel);
static void obey(struct gk_channel *channel, const struct gk_frame_view *frame);
static void take_image(struct gk_channel *channel, const struct gk_frame_view *frame);
static void kick(struct gk_channel *channel);
static void kick_for_more(struct gk_channel *channel, const struct gk_frame_view *drained);
static void disconnect(struct gk_channel *channel);

int gk_channel_open(struct gk_supervisor *supervisor, const struct gk_channel_options *options, struct gk_channel **out) {
	struct gk_channel *channel = calloc(1, sizeof(*channel));
	if (channel == NULL)
		return -ENOMEM;
	*channel = (struct gk_channel){.supervisor = supervisor, .options = *options, .sending = PTHREAD_MUTEX_INITIALIZER, .fd = -1};
	channel->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int error = channel->wake < 0 ? -errno : gk_hello(supervisor, options, &channel->fd);
	if (error < 0) {
		if (channel->wake >= 0)
			close(channel->wake);
		free(channel);
		return error;
	}
	*out = channel;
	return 0;
}

int gk_channel_start(struct gk_channel *channel) {
	pthread_t thread;
	int error = pthread_create(&thread, NULL, listen_to_daemon, channel);
	if (error == 0)
		pthread_detach(thread);
	return -error;
}

void gk_channel_kick(struct gk_channel *channel) {
	if (!atomic_exchange(&channel->kicked, true))
		eventfd_write(channel->wake, 1);
}

int gk_channel_send(struct gk_channel *channel, struct gk_slice frame) {
	int result = 0;
	pthread_mutex_lock(&channel->sending);
	if (channel->fd < 0)
		result = -EPIPE;
	for (size_t sent = 0; result == 0 && sent < frame.length;) {
		ssize_t part = send(channel->fd, frame.at + sent, frame.length - sent, MSG_NOSIGNAL);
		if (part > 0) {
			sent += (size_t)part;
		} else if (part == 0 || errno != EINTR) {
			/* Half a frame would garble all that follows; the listening thread sees the end and connects anew. */
			shutdown(channel->fd, SHUT_RDWR);
			result = -EPIPE;
		}
	}
	pthread_mutex_unlock(&channel->sending);
	return result;
}

void gk_channel_end(struct gk_channel *channel, int status) {
	uint8_t buffer[64];
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_ENDED, 0);
	gk_frame_u64(&w, GK_FIELD_STATUS, (uint64_t)(unsigned)status);
	/* Without a daemon the journal tells the same: its last record is the run's end. */
	if (gk_frame_end(&w) == 0)
		(void)!gk_channel_send(channel, gk_slice(w.buffer, w.length));
}

static void *listen_to_daemon(void *argument) {
	struct gk_channel *channel = argument;
	sigset_t signals;
	sigfillset(&signals);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	for (;;) {
		if (channel->fd < 0)
			reconnect(channel);
		if (!wait_for_work(channel))
			disconnect(channel);
	}
	return NULL;
}

static void reconnect(struct gk_channel *channel) {
	for (int pause = RETRY_FIRST_MS;; pause = pause * 2 < RETRY_LAST_MS ? pause * 2 : RETRY_LAST_MS) {
		poll(NULL, 0, pause);
		int fd;
		if (gk_hello(channel->supervisor, &channel->options, &fd) < 0)
			continue;
		pthread_mutex_lock(&channel->sending);
		channel->fd = fd;
		pthread_mutex_unlock(&channel->sending);
		channel->received = 0;
		kick(channel); /* whatever was recorded meanwhile */
		return;
	}
}

/* False when the connection broke. */
static bool wait_for_work(struct gk_channel *channel) {
	struct pollfd poller[] = {{.fd = channel->fd, .events = POLLIN}, {.fd = channel->wake, .events = POLLIN}};
	bool waits = atomic_load(&channel->kicked) || gk_unrecorded_pending(channel->supervisor);
	int ready = poll(poller, GK_COUNT(poller), waits ? KICK_AGAIN_MS : -1);
	if (ready == 0)
		kick(channel);
	if (ready <= 0)
		return true;
	if ((poller[1].revents & POLLIN) != 0) {
		eventfd_t count;
		eventfd_read(channel->wake, &count);
		kick(channel);
	}
	return poller[0].revents == 0 || receive(channel);
}

static bool receive(struct gk_channel *channel) {
	ssize_t length = recv(channel->fd, channel->buffer + channel->received, sizeof(channel->buffer) - channel->received, MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (length <= 0)
		return false;
	channel->received += (size_t)length;
	size_t used = 0;
	for (;;) {
		struct gk_frame_view frame;
		size_t size;
		int error = gk_frame_parse(gk_slice(channel->buffer + used, channel->received - used), &frame, &size);
		if (error == -EAGAIN)
			break;
		if (error < 0)
			return false;
		obey(channel, &frame);
		used += size;
	}
	memmove(channel->buffer, channel->buffer + used, channel->received - used);
	channel->received -= used;
	return channel->received < sizeof(channel->buffer);
}

static void obey(struct gk_channel *channel, const struct gk_frame_view *frame) {
	if (frame->type == GK_FRAME_DRAINED)
		kick_for_more(channel, frame);
	else if (frame->type == GK_FRAME_IMAGE)
		take_image(channel, frame);
	else if (frame->type == GK_FRAME_KILL)
		gk_kill_run(channel->supervisor, "ended on request");
}

static void take_image(struct gk_channel *channel, const struct gk_frame_view *frame) {
	struct gk_slice digest = frame->field[GK_FIELD_IMAGE_DIGEST];
	int error = gk_image_take(channel->supervisor, channel->options.images, frame->field[GK_FIELD_PATH], digest);
	uint8_t buffer[256];
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_IMAGE_TAKEN, 0);
	gk_frame_bytes(&w, GK_FIELD_IMAGE_DIGEST, digest);
	gk_frame_u64(&w, GK_FIELD_ERRNO, (uint64_t)-error);
	/* An answer that is lost leaves the daemon to send the image again after the reconnect. */
	if (gk_frame_end(&w) == 0)
		(void)!gk_channel_send(channel, gk_slice(w.buffer, w.length));
}

static void kick(struct gk_channel *channel) {
	uint8_t buffer[64];
	struct gk_frame_writer w;
	uint32_t segment;
	uint64_t offset;
	atomic_store(&channel->kicked, true);
	gk_unrecorded_tend(channel->supervisor);
	gk_journal_position(channel->supervisor->journal, &segment, &offset);
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_KICK, 0);
	gk_frame_u64(&w, GK_FIELD_SEGMENT, segment);
	gk_frame_u64(&w, GK_FIELD_OFFSET, offset);
	if (gk_frame_end(&w) == 0)
		(void)!gk_channel_send(channel, gk_slice(w.buffer, w.length)); /* a broken channel kicks when it is back */
}

/* The flag falls before the position is read: a record that its writer did not announce is then seen here. */
static void kick_for_more(struct gk_channel *channel, const struct gk_frame_view *drained) {
	uint32_t segment;
	uint64_t offset;
	atomic_store(&channel->kicked, false);
	gk_journal_position(channel->supervisor->journal, &segment, &offset);
	uint64_t to_segment = gk_frame_number(drained, GK_FIELD_SEGMENT, 0), to_offset = gk_frame_number(drained, GK_FIELD_OFFSET, 0);
	if (segment > to_segment || (segment == to_segment && offset > to_offset))
		kick(channel);
}

static void disconnect(struct gk_channel *channel) {
	pthread_mutex_lock(&channel->sending);
	close(channel->fd);
	channel->fd = -1;
	pthread_mutex_unlock(&channel->sending);
}
