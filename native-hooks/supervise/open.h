/* The open family. A request is what the caller asked for, checked and masked as the kernel does it. */
#ifndef GK_SUPERVISE_OPEN_H
#define GK_SUPERVISE_OPEN_H

#include "supervise/files.h"

#include <fcntl.h>

struct gk_open_request {
	int dirfd;
	int flags;	       /* only bits that open(2) knows */
	mode_t mode;	       /* permission bits, 0 unless something is created */
	unsigned lookup;       /* GK_NO_SYMLINKS … of openat2 */
	struct gk_path path;
};

static inline bool gk_open_reads(int flags) {
	int mode = flags & O_ACCMODE;
	return mode == O_RDONLY || mode == O_RDWR || mode == O_ACCMODE;
}

static inline bool gk_open_writes(int flags) {
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

/* Answers the call if it only reads, by a name without links, what may be read without a receipt. Nothing here outlives the call, and an
 * answer reaches its caller alone: so it need not be known that the path came from the caller (gk_copy_string). */
bool gk_open_plain(struct gk_call *call, const struct gk_open_request *request) GK_MUST_CHECK;
/* Opens what was found, answers the call. */
void gk_open_existing(struct gk_call *call, struct gk_object *object, const struct gk_open_request *request);
/* Creates the file and answers the call; -EAGAIN without an answer when it exists by now. */
int gk_open_new(struct gk_call *call, const struct gk_open_request *request) GK_MUST_CHECK;
/* O_TMPFILE: a nameless file in a directory. */
void gk_open_nameless(struct gk_call *call, const struct gk_open_request *request);

#endif
