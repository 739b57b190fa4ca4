#include "supervise/tree.h"

#include "supervise/openat2.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* struct linux_dirent64 of getdents64(2) */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* One directory of the walk; on the heap, because trees are deep and threads are small. */
struct level {
	struct gk_tree_name name;
	_Alignas(struct entry) char entries[16384];
};

static int walk_level(struct gk_tree *tree, int directory, struct level *level, const struct gk_tree_name *at, int depth);
static int visit_entry(struct gk_tree *tree, int directory, struct level *level, const struct gk_tree_name *at,
		       const struct entry *entry, int depth);
static int descend(struct gk_tree *tree, int directory, const char *name, const struct gk_tree_name *at, int depth);
static bool is_on(dev_t device, int directory, const char *name);
static int pass_over(struct gk_tree *tree);
static int spell(struct gk_tree *tree, const struct gk_tree_name *at, const char *name, struct gk_tree_name *out);

static int walk(struct gk_tree *tree, int directory, const struct gk_tree_name *at, int depth) {
	if (depth > GK_TREE_DEPTH_MAX)
		return -E2BIG;
	struct level *level = malloc(sizeof *level);
	if (level == NULL)
		return -ENOMEM;
	int rc = walk_level(tree, directory, level, at, depth);
	free(level);
	return rc;
}

int gk_tree_walk(struct gk_tree *tree, int directory, const struct gk_tree_name *at) {
	return walk(tree, directory, at, 0);
}

static int walk_level(struct gk_tree *tree, int directory, struct level *level, const struct gk_tree_name *at, int depth) {
	for (;;) {
		long count = syscall(SYS_getdents64, directory, level->entries, sizeof level->entries);
		/* ENOENT: removed since it was opened, so it held nothing. */
		if (count <= 0)
			return count < 0 && errno != ENOENT ? -errno : 0;
		for (long i = 0; i < count;) {
			const struct entry *entry = (const struct entry *)(const void *)(level->entries + i);
			i += entry->length;
			if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
				continue;
			if (tree->names_left-- == 0)
				return -E2BIG;
			int rc = visit_entry(tree, directory, level, at, entry, depth);
			if (rc < 0)
				return rc;
		}
	}
}

static int visit_entry(struct gk_tree *tree, int directory, struct level *level, const struct gk_tree_name *at,
		       const struct entry *entry, int depth) {
	unsigned char type = entry->type;
	if (type == DT_UNKNOWN) {
		struct stat st;
		if (fstatat(directory, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			tree->shut |= errno == EACCES;
			return 0;
		}
		type = (unsigned char)IFTODT(st.st_mode);
	}
	int rc = spell(tree, at, entry->name, &level->name);
	if (rc == -E2BIG && tree->skip_unreadable)
		return pass_over(tree);
	if (rc < 0)
		return rc;
	rc = tree->visit(tree->context, directory, entry->name, type, &level->name);
	return rc == 1 && type == DT_DIR ? descend(tree, directory, entry->name, &level->name, depth) : rc;
}

static int descend(struct gk_tree *tree, int directory, const char *name, const struct gk_tree_name *at, int depth) {
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	GK_AUTO_CLOSE int fd = gk_openat2(directory, name, flags, 0, GK_RESOLVE_NO_XDEV);
	if (fd == -EXDEV) {
		if (!is_on(tree->device, directory, name))
			return 0;
		fd = gk_openat2(directory, name, flags, 0, 0);
	}
	if (fd == -EACCES && tree->skip_unreadable) {
		struct stat closed;
		tree->shut |= fstatat(directory, name, &closed, AT_SYMLINK_NOFOLLOW) < 0 || closed.st_uid == geteuid();
		return 0;
	}
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0 && tree->skip_unreadable && fd != -ENOMEM && fd != -EMFILE && fd != -ENFILE)
		return pass_over(tree);
	if (fd < 0)
		return fd;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != tree->device)
		return 0;
	return depth == GK_TREE_DEPTH_MAX && tree->skip_unreadable ? pass_over(tree) : walk(tree, fd, at, depth + 1);
}

/* Whether what is mounted at name is of that device, a bind mount say. Of another it holds no name of a file that matters here, and its server is
 * not asked: it may not answer. */
static bool is_on(dev_t device, int directory, const char *name) {
	struct statx st;
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	return statx(directory, name, flags, STATX_TYPE, &st) == 0 && makedev(st.stx_dev_major, st.stx_dev_minor) == device;
}

/* Deeper than names reach, or broken: anybody who may write there could otherwise put an end to every walk. */
static int pass_over(struct gk_tree *tree) {
	tree->shut = true;
	return 0;
}

static int spell(struct gk_tree *tree, const struct gk_tree_name *at, const char *name, struct gk_tree_name *out) {
	size_t length = strlen(name), start = at->length;
	bool slash = start != 1; /* the root alone ends in one */
	if (tree->path != NULL) {
		if (start + slash + length >= PATH_MAX)
			return -E2BIG;
		if (slash)
			tree->path[start] = '/';
		memcpy(tree->path + start + slash, name, length + 1);
	}
	out->length = start + slash + length;
	for (int i = 0; i < GK_TREE_CURSORS; i++) {
		out->cursor[i] = at->cursor[i];
		if (slash)
			gk_cursor_feed(tree->image, &out->cursor[i], gk_slice_of("/"));
		gk_cursor_feed(tree->image, &out->cursor[i], gk_slice(name, length));
	}
	return 0;
}
