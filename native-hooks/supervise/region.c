#include "supervise/region.h"

#include "supervise/mounts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool stands_apart(struct gk_region *region, const struct gk_mount_table *table, const struct gk_mounts *mounts, struct gk_slice path);

int gk_region_open(const struct gk_image *image, struct gk_region *out) {
	struct gk_mount_table table;
	struct gk_mounts *mounts = NULL;
	uint32_t count = gk_image_region_count(image);
	*out = (struct gk_region){.hints = GK_HINTS_NONE};
	/* What the kernel answers to a hint tells names that are there from those that are not. */
	if (gk_image_hides(image))
		snprintf(out->omitted, sizeof out->omitted, "the policy hides names");
	if (count == 0 || gk_image_hides(image))
		return 0;
	int error = gk_mount_table_open(&table);
	if (error == 0)
		error = gk_mounts_of(&table, &mounts);
	if (error == 0 && (out->path = calloc(count, sizeof *out->path)) == NULL)
		error = -ENOMEM;
	for (uint32_t i = 0; error == 0 && i < count; i++) {
		struct gk_slice path = gk_image_region(image, i);
		if (stands_apart(out, &table, mounts, path))
			out->path[out->count++] = path;
	}
	if (out->count > 0)
		out->hints = GK_HINTS_DIRECTORIES;
	gk_mounts_close(mounts);
	gk_mount_table_close(&table);
	return error;
}

void gk_region_close(struct gk_region *region) {
	free(region->path);
	*region = (struct gk_region){.hints = GK_HINTS_NONE};
}

/* The first reason is remembered. */
static bool stands_apart(struct gk_region *region, const struct gk_mount_table *table, const struct gk_mounts *mounts, struct gk_slice path) {
	char name[PATH_MAX], why[sizeof region->omitted];
	if (path.length >= sizeof name)
		return false;
	memcpy(name, path.at, path.length);
	name[path.length] = '\0';
	const struct gk_mount *odd = gk_mount_table_odd(table, name);
	const char *elsewhere = odd != NULL ? NULL : gk_mounts_from_elsewhere(mounts, name);
	if (odd != NULL)
		snprintf(why, sizeof why, "%.80s is mounted at %.160s", odd->type, odd->place[0] != '\0' ? odd->place : "/");
	else if (elsewhere != NULL)
		snprintf(why, sizeof why, "a mount in %.100s shows what is at %.100s", name, elsewhere[0] != '\0' ? elsewhere : "/");
	else
		return true;
	if (region->omitted[0] == '\0')
		memcpy(region->omitted, why, sizeof why);
	return false;
}

static bool is_beneath(struct gk_slice path, struct gk_slice directory) {
	return path.length >= directory.length && memcmp(path.at, directory.at, directory.length) == 0 &&
	       (path.length == directory.length || path.at[directory.length] == '/');
}

bool gk_region_holds(const struct gk_region *region, struct gk_slice path) {
	for (size_t i = 0; i < region->count; i++)
		if (is_beneath(path, region->path[i]))
			return true;
	return false;
}

bool gk_region_moves(const struct gk_region *region, struct gk_slice path) {
	if (region == NULL || region->hints != GK_HINTS_FILES)
		return false;
	for (size_t i = 0; i < region->count; i++)
		if (is_beneath(region->path[i], path))
			return true;
	return false;
}

static bool is_in_region_of(const struct gk_image *image, struct gk_slice path) {
	for (uint32_t i = 0; i < gk_image_region_count(image); i++)
		if (is_beneath(path, gk_image_region(image, i)))
			return true;
	return false;
}

struct gk_slice gk_region_lost(const struct gk_region *region, const struct gk_image *image) {
	for (size_t i = 0; i < region->count; i++)
		if (!is_in_region_of(image, region->path[i]))
			return region->path[i];
	return gk_slice(NULL, 0);
}
