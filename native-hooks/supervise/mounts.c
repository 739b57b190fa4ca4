#include "supervise/mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What begins with from can be reached with to in its stead. Both without a slash at the end; "" is the root. */
struct translation {
	char *from, *to;
	bool from_origin; /* to shows a part of what from does, or shows it again from within */
};

struct gk_mounts {
	struct translation *list;
	size_t count, capacity;
};

static int add_pair(struct gk_mounts *mounts, const struct gk_mount *seen, const struct gk_mount *other);

int gk_mounts_read(char *text, struct gk_mounts **out) {
	struct gk_mount_table table;
	int error = gk_mount_table_read(text, &table);
	*out = NULL;
	if (error == 0)
		error = gk_mounts_of(&table, out);
	gk_mount_table_close(&table);
	return error;
}

int gk_mounts_open(struct gk_mounts **out) {
	struct gk_mount_table table;
	int error = gk_mount_table_open(&table);
	*out = NULL;
	if (error == 0)
		error = gk_mounts_of(&table, out);
	gk_mount_table_close(&table);
	return error;
}

/* Roots that are no paths (of namespaces) lead nowhere. */
static bool is_path(const char *root) {
	return root[0] == '/' || root[0] == '\0';
}

int gk_mounts_of(const struct gk_mount_table *table, struct gk_mounts **out) {
	const struct gk_mount *list = table->list;
	struct gk_mounts *mounts = calloc(1, sizeof *mounts);
	int error = mounts == NULL ? -ENOMEM : 0;
	*out = NULL;
	for (size_t i = 0; error == 0 && i < table->count; i++)
		for (size_t j = 0; error == 0 && j < table->count; j++)
			if (i != j && strcmp(list[i].device, list[j].device) == 0 && is_path(list[i].root) && is_path(list[j].root))
				error = add_pair(mounts, &list[i], &list[j]);
	if (error == 0 && mounts->count > 0)
		*out = mounts;
	else
		gk_mounts_close(mounts);
	return error;
}

/* What of path stands behind prefix, NULL when path is not beneath it. */
static const char *beneath(const char *path, const char *prefix) {
	size_t length = strlen(prefix);
	return strncmp(path, prefix, length) == 0 && (path[length] == '/' || path[length] == '\0') ? path + length : NULL;
}

static char *joined(const char *head, const char *tail) {
	size_t length = strlen(head), more = strlen(tail) + 1;
	char *text = malloc(length + more);
	if (text != NULL) {
		memcpy(text, head, length);
		memcpy(text + length, tail, more);
	}
	return text;
}

/* How names in the one mount read in the other, as far as both show the same. */
static int add_pair(struct gk_mounts *mounts, const struct gk_mount *seen, const struct gk_mount *other) {
	const char *deeper = beneath(seen->root, other->root), *shallower = beneath(other->root, seen->root);
	if (deeper == NULL && shallower == NULL)
		return 0;
	bool same = deeper != NULL && shallower != NULL;
	bool origin = same ? other->place[0] != '\0' && beneath(other->place, seen->place) != NULL : shallower != NULL;
	struct translation pair = {joined(seen->place, deeper != NULL ? "" : shallower), joined(other->place, deeper != NULL ? deeper : ""), origin};
	int error = pair.from == NULL || pair.to == NULL ? -ENOMEM : 0;
	/* A mount over the very place where it is seen anyway shows nothing twice. */
	bool twice = error == 0 && strcmp(pair.from, pair.to) != 0;
	if (twice && mounts->count == mounts->capacity) {
		size_t capacity = mounts->capacity == 0 ? 16 : mounts->capacity * 2;
		struct translation *grown = reallocarray(mounts->list, capacity, sizeof *grown);
		if (grown == NULL) {
			error = -ENOMEM;
		} else {
			mounts->list = grown;
			mounts->capacity = capacity;
		}
	}
	if (error == 0 && twice) {
		mounts->list[mounts->count++] = pair;
		return 0;
	}
	free(pair.from);
	free(pair.to);
	return error;
}

void gk_mounts_close(struct gk_mounts *mounts) {
	if (mounts == NULL)
		return;
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->list[i].from);
		free(mounts->list[i].to);
	}
	free(mounts->list);
	free(mounts);
}

static bool translate(const struct translation *pair, struct gk_slice path, char out[PATH_MAX], size_t *length) {
	size_t from = strlen(pair->from), to = strlen(pair->to);
	if (path.length < from || memcmp(path.at, pair->from, from) != 0 || (path.length > from && path.at[from] != '/'))
		return false;
	if (to + path.length - from == 0 || to + path.length - from >= PATH_MAX)
		return false;
	memcpy(out, pair->to, to);
	memcpy(out + to, path.at + from, path.length - from);
	*length = to + path.length - from;
	return true;
}

bool gk_mounts_next(const struct gk_mounts *mounts, struct gk_slice path, size_t *at, char out[PATH_MAX], size_t *length) {
	while (mounts != NULL && *at < mounts->count)
		if (translate(&mounts->list[(*at)++], path, out, length))
			return true;
	return false;
}

bool gk_mounts_same(const struct gk_mounts *mounts, struct gk_slice path, size_t at, char out[PATH_MAX], size_t *length) {
	return translate(&mounts->list[at - 1], path, out, length);
}

const char *gk_mounts_from_elsewhere(const struct gk_mounts *mounts, const char *directory) {
	for (size_t i = 0; mounts != NULL && i < mounts->count; i++) {
		const struct translation *pair = &mounts->list[i];
		if (!pair->from_origin && (beneath(pair->from, directory) != NULL || beneath(directory, pair->from) != NULL))
			return pair->to;
	}
	return NULL;
}
