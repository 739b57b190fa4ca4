#include "sys/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#define IOCTL_SET_FLAGS SECCOMP_IOW(4, __u64) /* Linux 6.6 */
#define FD_SYNC_WAKE_UP 1UL
#define INSTALL_FLAGS (SECCOMP_FILTER_FLAG_NEW_LISTENER | FLAG_WAIT_KILLABLE_RECV)

static int set_filter(unsigned long flags, const void *argument) {
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, argument);
	return result < 0 ? -errno : (int)result;
}

int gk_notify_probe(void) {
	struct seccomp_notif_sizes sizes;
	uint32_t action = SECCOMP_RET_USER_NOTIF;
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		return -errno;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return -errno;
	if (sizes.seccomp_notif > sizeof(union gk_notification))
		return -E2BIG;
	/* Flags are checked before the program is read: EFAULT says that they are known, EINVAL that they are not. */
	int result = set_filter(INSTALL_FLAGS, NULL);
	return result == -EFAULT ? 0 : result < 0 ? result : -EPROTO;
}

int gk_notify_install(const struct sock_filter *program, size_t length, int *listener) {
	struct sock_fprog filter = {.len = (unsigned short)length, .filter = (struct sock_filter *)program};
	int fd = set_filter(INSTALL_FLAGS, &filter);
	if (fd < 0)
		return fd;
	*listener = fd;
	return 0;
}

void gk_notify_wake_in_turn(int listener) {
	ioctl(listener, IOCTL_SET_FLAGS, FD_SYNC_WAKE_UP);
}

int gk_notify_receive(int listener, union gk_notification *out) {
	memset(out, 0, sizeof(*out)); /* the kernel refuses a buffer that is not zero */
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &out->request) < 0 ? -errno : 0;
}

bool gk_notify_is_live(int listener) {
	struct pollfd poller = {.fd = listener, .events = POLLIN};
	return poll(&poller, 1, 0) >= 0 && (poller.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

bool gk_notify_has_more(int listener) {
	struct pollfd poller = {.fd = listener, .events = POLLIN};
	return poll(&poller, 1, 0) > 0 && (poller.revents & POLLIN) != 0;
}

bool gk_notify_is_pending(int listener, uint64_t id) {
	int result;
	do
		result = ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
	while (result < 0 && errno == EINTR);
	return result == 0;
}

static int respond(int listener, struct seccomp_notif_resp *response) {
	int result;
	do
		result = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response);
	while (result < 0 && errno == EINTR); /* while it waited for its lock, before anything was sent */
	return result < 0 ? -errno : 0;
}

int gk_notify_fail(int listener, uint64_t id, int error) {
	struct seccomp_notif_resp response = {.id = id, .error = -error};
	return respond(listener, &response);
}

int gk_notify_return(int listener, uint64_t id, int64_t value) {
	struct seccomp_notif_resp response = {.id = id, .val = value};
	return respond(listener, &response);
}

int gk_notify_continue(int listener, uint64_t id) {
	struct seccomp_notif_resp response = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	return respond(listener, &response);
}

int gk_notify_give(int listener, uint64_t id, int fd, bool cloexec) {
	struct seccomp_notif_addfd give = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)fd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give) < 0 ? -errno : 0;
}

int gk_notify_place(int listener, uint64_t id, int fd, bool cloexec) {
	struct seccomp_notif_addfd place = {
		.id = id,
		.srcfd = (uint32_t)fd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};
	int number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &place);
	return number < 0 ? -errno : number;
}
