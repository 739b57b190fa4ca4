/* What is mounted where, as /proc/self/mountinfo tells it (proc(5)). */
#ifndef GK_SUPERVISE_MOUNT_TABLE_H
#define GK_SUPERVISE_MOUNT_TABLE_H

#include "base/attr.h"

#include <stddef.h>

/* One line: of the file system device, which is of that type, root and what lies beneath it are to be seen at place. No slash at the end: "" is
 * the root. */
struct gk_mount {
	char *device, *root, *place, *type;
};

struct gk_mount_table {
	char *text; /* owned; NULL when it is the caller's */
	struct gk_mount *list;
	size_t count;
};

/* text is changed by reading it and must outlive the table. 0 or -ENOMEM; to be closed in either case. */
int gk_mount_table_read(char *text, struct gk_mount_table *out) GK_MUST_CHECK;
/* The mounts of this process. 0 or -errno; to be closed in either case. */
int gk_mount_table_open(struct gk_mount_table *out) GK_MUST_CHECK;
void gk_mount_table_close(struct gk_mount_table *table);

/* A mount at or beneath directory, or the one that directory lies in, whose files are not such as lie on a disk: NULL when there is none. */
const struct gk_mount *gk_mount_table_odd(const struct gk_mount_table *table, const char *directory);

#endif
