/* Places that the host shows under several names by bind mounts, or by mounting a file system twice. */
#ifndef GK_SUPERVISE_MOUNTS_H
#define GK_SUPERVISE_MOUNTS_H

#include "base/attr.h"
#include "base/bytes.h"
#include "supervise/mount_table.h"

#include <limits.h>

struct gk_mounts;

/* From the text of /proc/self/mountinfo (proc(5)), which is changed by reading it. A run cannot mount: what holds at its start holds.
 * *out is NULL when nothing is shown twice. 0 or -ENOMEM. */
int gk_mounts_read(char *text, struct gk_mounts **out) GK_MUST_CHECK;
int gk_mounts_open(struct gk_mounts **out) GK_MUST_CHECK;
int gk_mounts_of(const struct gk_mount_table *table, struct gk_mounts **out) GK_MUST_CHECK;
void gk_mounts_close(struct gk_mounts *mounts);

/* The next other name of path after *at names were looked at; starts with 0. false: there is none. A name may be too long to be one. */
bool gk_mounts_next(const struct gk_mounts *mounts, struct gk_slice path, size_t *at, char out[PATH_MAX], size_t *length);

/* path as *at - 1, the last answer of gk_mounts_next, translates it. false: it does not lie there. */
bool gk_mounts_same(const struct gk_mounts *mounts, struct gk_slice path, size_t at, char out[PATH_MAX], size_t *length);

/* Of which other place something at or beneath directory is shown there by a mount, or all of it; NULL: none. That a part of directory is to be
 * seen elsewhere as well does not count: it is there that it comes from elsewhere. */
const char *gk_mounts_from_elsewhere(const struct gk_mounts *mounts, const char *directory);

#endif
