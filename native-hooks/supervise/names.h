/* How many names of each file with several links were seen on a walk. */
#ifndef GK_SUPERVISE_NAMES_H
#define GK_SUPERVISE_NAMES_H

#include "base/attr.h"

#include <sys/stat.h>

struct gk_name {
	dev_t device;
	ino_t inode;
};

/* Zero is empty. */
struct gk_names {
	struct gk_name *name; /* owned */
	size_t count, capacity;
};

void gk_names_clear(struct gk_names *names);
/* 0 or -ENOMEM. */
int gk_names_add(struct gk_names *names, const struct stat *st) GK_MUST_CHECK;
/* After the last name was added, before any is counted. */
void gk_names_sort(struct gk_names *names);
size_t gk_names_count(const struct gk_names *names, const struct stat *st);

#endif
