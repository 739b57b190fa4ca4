/* Who takes the place of a socket file is whom other programs talk to next. So a file at which somebody outside of the run has a socket may be
 * neither removed nor renamed by it. The kernel says which sockets there are: sock_diag(7). */
#include "supervise/creation.h"
#include "supervise/judge.h"
#include "supervise/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/sysmacros.h>

/* include/net/tcp_states.h: a bound datagram socket is "closed". */
#define STATES (1U << 1 | 1U << 7 | 1U << 10)
#define ANSWER_ROOM 32768U

/* How the kernel writes a device number within itself (MAJOR and MINOR of include/linux/kdev_t.h). */
static uint32_t kernel_device(dev_t device) {
	return (uint32_t)major(device) << 20 | (uint32_t)minor(device);
}

static int ask(int query) {
	const struct {
		struct nlmsghdr header;
		struct unix_diag_req request;
	} message = {
		.header = {.nlmsg_len = sizeof(message), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = AF_UNIX, .udiag_states = STATES, .udiag_show = UDIAG_SHOW_VFS},
	};
	return send(query, &message, sizeof(message), 0) == (ssize_t)sizeof(message) ? 0 : -errno;
}

static bool is_at(const struct nlmsghdr *message, const struct stat *file) {
	const uint8_t *at = (const uint8_t *)message + NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	size_t left = message->nlmsg_len - NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	while (left >= sizeof(struct rtattr)) {
		struct rtattr attribute;
		struct unix_diag_vfs place;
		memcpy(&attribute, at, sizeof(attribute));
		size_t whole = RTA_ALIGN((size_t)attribute.rta_len);
		if (attribute.rta_len < RTA_LENGTH(0) || whole > left)
			return false;
		if (attribute.rta_type == UNIX_DIAG_VFS && attribute.rta_len >= RTA_LENGTH(sizeof(place))) {
			memcpy(&place, at + RTA_LENGTH(0), sizeof(place));
			return place.udiag_vfs_ino == (uint32_t)file->st_ino && place.udiag_vfs_dev == kernel_device(file->st_dev);
		}
		at += whole;
		left -= whole;
	}
	return false;
}

/* 1: some socket is bound there, 0: none, or -errno when the kernel cannot say. */
static int is_served(const struct stat *file) {
	GK_AUTO_CLOSE int query = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	_Alignas(struct nlmsghdr) uint8_t answer[ANSWER_ROOM];
	if (query < 0)
		return -errno;
	int error = ask(query);
	while (error == 0) {
		ssize_t got = recv(query, answer, sizeof(answer), MSG_DONTWAIT); /* the kernel answers within send, and goes on within recv */
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		unsigned left = (unsigned)got;
		for (const struct nlmsghdr *at = (const void *)answer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
			if (at->nlmsg_type == NLMSG_DONE)
				return 0;
			if (at->nlmsg_type != SOCK_DIAG_BY_FAMILY || at->nlmsg_len < NLMSG_LENGTH(sizeof(struct unix_diag_msg)))
				return -EIO;
			if (is_at(at, file))
				return 1;
		}
	}
	return error;
}

int gk_judge_served(struct gk_call *call, const struct gk_place *place, const struct stat *file) {
	if (!S_ISSOCK(file->st_mode))
		return 0;
	struct gk_object object = {.fd = openat(place->parent.fd, place->leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
	if (object.fd < 0)
		return -errno;
	bool own = gk_network_is_own_path(call->supervisor->network, &object);
	gk_close_scoped(&object.fd);
	if (own || is_served(file) == 0)
		return 0;
	struct gk_subject subject = {.action = GK_ACTION_FILE_DELETE, .target = gk_slice(place->path, place->length)};
	return gk_refuse(call, &subject, GK_REASON_FOREIGN_PROCESS);
}
