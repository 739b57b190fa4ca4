/* Calls that change what is known about a file: its mode, owner, times, attributes, length. */
#ifndef GK_SUPERVISE_METADATA_H
#define GK_SUPERVISE_METADATA_H

#include "supervise/files.h"

#include <errno.h>
#include <fcntl.h>

/* Where the object of a call is named: by a path, or by a descriptor. */
struct gk_target {
	int dirfd;
	uint64_t path;
	unsigned lookup;
	bool by_descriptor;
	/* With no path, or an empty one, a call on the descriptor, which then must not have been opened with O_PATH: how
	 * the calls on attributes take AT_EMPTY_PATH. */
	bool descriptor_if_empty;
};

static inline struct gk_target gk_target_path(int dirfd, uint64_t path, unsigned lookup) {
	return (struct gk_target){.dirfd = dirfd, .path = path, .lookup = lookup};
}

static inline struct gk_target gk_target_descriptor(int number) {
	return (struct gk_target){.dirfd = number, .by_descriptor = true};
}

/* AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH as lookup flags; -EINVAL for any other bit. */
static inline int gk_metadata_lookup(int flags, unsigned *out) {
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	*out = (flags & AT_SYMLINK_NOFOLLOW ? 0U : GK_FOLLOW) | (flags & AT_EMPTY_PATH ? GK_ALLOW_EMPTY : 0U);
	return 0;
}

/* Pins the object. A descriptor becomes a duplicate of the caller's own, on which the call is then made: its number may
 * name another file by then. */
int gk_target_pin(struct gk_call *call, const struct gk_target *target, struct gk_object *out) GK_MUST_CHECK;

/* Whether the caller may change the object. 0 or -refusal. */
int gk_judge_change(struct gk_call *call, const struct gk_object *object, int refusal) GK_MUST_CHECK;

#endif
