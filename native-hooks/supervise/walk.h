/* Our own walk along a name, one component at a time: where the kernel's would see /proc with the supervisor's eyes. */
#ifndef GK_SUPERVISE_WALK_H
#define GK_SUPERVISE_WALK_H

#include "supervise/files.h"

/* Pins what path names, starting at base (O_PATH, borrowed; path absolute: at the root). flags as for gk_resolve_object,
 * without the scoped ones (GK_BENEATH, GK_IN_ROOT). *out is O_PATH, owned. 0 or the kernel's -errno. */
int gk_walk_path(struct gk_call *call, int base, const char *path, size_t length, unsigned flags, int *out) GK_MUST_CHECK;

/* The canonical text of one of our descriptors. 0 or -errno; -ENAMETOOLONG when the kernel cannot print it whole. */
int gk_canonical(struct gk_files *files, int fd, char out[PATH_MAX], size_t *length) GK_MUST_CHECK;

#endif
