#include "supervise/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* One line of mountinfo: of the file system device, root and what lies beneath it are to be seen at place. */
struct mount {
	char *device, *root, *place;
};

/* What begins with from can be reached with to in its stead. Both without a slash at the end; "" is the root. */
struct translation {
	char *from, *to;
};

struct gk_mounts {
	struct translation *list;
	size_t count, capacity;
};

static int add_pair(struct gk_mounts *mounts, const struct mount *seen, const struct mount *other);

/* Blanks, tabs, line ends and backslashes stand as \ooo. */
static void unescape(char *text) {
	char *out = text;
	for (const char *in = text; *in != '\0'; out++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' && in[3] >= '0' && in[3] <= '7') {
			*out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

static void cut_last_slash(char *path) {
	size_t length = strlen(path);
	if (length > 0 && path[length - 1] == '/')
		path[length - 1] = '\0';
}

/* "36 35 98:0 /root /place …". Roots that are no paths (of namespaces) lead nowhere. */
static bool parse_line(char *line, struct mount *out) {
	char *rest = line, *field[5];
	for (size_t i = 0; i < GK_COUNT(field); i++) {
		field[i] = strsep(&rest, " ");
		if (field[i] == NULL)
			return false;
	}
	*out = (struct mount){field[2], field[3], field[4]};
	unescape(out->root);
	unescape(out->place);
	bool paths = out->root[0] == '/' && out->place[0] == '/';
	cut_last_slash(out->root);
	cut_last_slash(out->place);
	return paths;
}

static int parse_all(char *text, struct mount **out, size_t *count) {
	size_t capacity = 0;
	*out = NULL;
	*count = 0;
	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		if (*count == capacity) {
			capacity = capacity == 0 ? 64 : capacity * 2;
			struct mount *grown = reallocarray(*out, capacity, sizeof *grown);
			if (grown == NULL)
				return -ENOMEM;
			*out = grown;
		}
		*count += parse_line(line, &(*out)[*count]);
	}
	return 0;
}

int gk_mounts_read(char *text, struct gk_mounts **out) {
	struct mount *list;
	size_t count;
	struct gk_mounts *mounts = calloc(1, sizeof *mounts);
	int error = parse_all(text, &list, &count);
	*out = NULL;
	if (mounts == NULL)
		error = -ENOMEM;
	for (size_t i = 0; error == 0 && i < count; i++)
		for (size_t j = 0; error == 0 && j < count; j++)
			if (i != j && strcmp(list[i].device, list[j].device) == 0)
				error = add_pair(mounts, &list[i], &list[j]);
	free(list);
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
static int add_pair(struct gk_mounts *mounts, const struct mount *seen, const struct mount *other) {
	const char *deeper = beneath(seen->root, other->root), *shallower = beneath(other->root, seen->root);
	if (deeper == NULL && shallower == NULL)
		return 0;
	struct translation pair = {joined(seen->place, deeper != NULL ? "" : shallower), joined(other->place, deeper != NULL ? deeper : "")};
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

int gk_mounts_open(struct gk_mounts **out) {
	GK_AUTO_CLOSE int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t length = 0, capacity = 0;
	ssize_t got = fd < 0 ? -1 : 1;
	*out = NULL;
	while (got > 0) {
		if (length + 1 >= capacity) {
			capacity = capacity == 0 ? 65536 : capacity * 2;
			char *grown = realloc(text, capacity);
			if (grown == NULL) {
				free(text);
				return -ENOMEM;
			}
			text = grown;
		}
		got = read(fd, text + length, capacity - length - 1);
		if (got > 0)
			length += (size_t)got;
	}
	int error = got < 0 ? -errno : 0;
	if (error == 0) {
		text[length] = '\0';
		error = gk_mounts_read(text, out);
	}
	free(text);
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
