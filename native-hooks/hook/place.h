/* The name that the policy judges: absolute, without links. */
#ifndef GK_HOOK_PLACE_H
#define GK_HOOK_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct gk_place {
	size_t length;
	bool exists;
	char text[PATH_MAX + NAME_MAX + 2];
};

/* What path leads to, or would lead to once its last name is there. False when that cannot be told. */
bool gk_place_find(int dirfd, const char *path, bool follow, struct gk_place *out);

/* The same of path's last name itself, links not followed in it. */
bool gk_place_name(int dirfd, const char *path, struct gk_place *out);

#endif
