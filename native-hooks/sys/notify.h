/* The seccomp filter and its user notifications. Source: seccomp_unotify(2), include/uapi/linux/seccomp.h of Linux 6.12. */
#ifndef GK_SYS_NOTIFY_H
#define GK_SYS_NOTIFY_H

#include "base/attr.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the kernel's notification, which may be larger than the header that this was built with. */
union gk_notification {
	struct seccomp_notif request;
	uint8_t room[512];
};

/* Whether the kernel has user notifications that a handled signal cannot abort once received. 0 or -errno. */
int gk_notify_probe(void) GK_MUST_CHECK;

/* Installs the filter on the calling thread for ever; *listener is owned by the caller. Needs no_new_privs. -EBUSY: this process
 * is already under another listener. */
int gk_notify_install(const struct sock_filter *program, size_t length, int *listener) GK_MUST_CHECK;

/* Asks the kernel to run caller and supervisor on one CPU in turn (Linux 6.6). Best effort, and always on: it was never measured to cost.
 * Two processors, medians of five interleaved rounds, with and without, in microseconds: an open of one caller on free processors 13 and
 * 26, and up to 92 when the two sat on different ones; pinned to one processor 29 and 30; of two callers at once 23 and 23; a spawn 1600
 * and 1800. */
void gk_notify_wake_in_turn(int listener);

/* Waits for the next call. 0; -ENOENT the caller died meanwhile, or nobody is left; -EINTR. */
int gk_notify_receive(int listener, union gk_notification *out) GK_MUST_CHECK;
/* Whether a call waits to be received. */
bool gk_notify_has_more(int listener);
/* Whether some process still runs under the filter. */
bool gk_notify_is_live(int listener);
bool gk_notify_is_pending(int listener, uint64_t id);

/* Exactly one of these for each notification. 0, or -ENOENT when the caller is gone. error is positive. */
int gk_notify_fail(int listener, uint64_t id, int error) GK_MUST_CHECK;
int gk_notify_return(int listener, uint64_t id, int64_t value) GK_MUST_CHECK;
int gk_notify_continue(int listener, uint64_t id) GK_MUST_CHECK;
/* Installs a duplicate of fd, which stays the caller's, as the lowest free number and returns that from the call. An error other than
 * -ENOENT (such as the target's -EMFILE) leaves the notification unanswered. */
int gk_notify_give(int listener, uint64_t id, int fd, bool cloexec) GK_MUST_CHECK;
/* Installs it as gk_notify_give does, but leaves the notification unanswered. The number in the target, or -errno. */
int gk_notify_place(int listener, uint64_t id, int fd, bool cloexec) GK_MUST_CHECK;

#endif
