#include "supervise/arrival.h"

#include "supervise/alias.h"
#include "supervise/mounts.h"
#include "supervise/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

enum { NAMES_MAX = 100000, BEFORE = 0, AFTER = 1 };

struct arrival {
	struct gk_call *call;
	const struct gk_image *image;
	struct gk_tree *tree;
	bool elsewhere; /* the destination has other names */
};

static int visit(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at);

int gk_judge_arrival(struct gk_call *call, const struct gk_place *source, const struct gk_place *destination) {
	const struct gk_image *image = gk_current_image(call->supervisor);
	struct gk_slice from = gk_slice(source->path, source->length), to = gk_slice(destination->path, destination->length);
	/* If nothing beneath would be less strict on the way back, nothing is stricter on the way there. */
	char other[PATH_MAX];
	size_t first = 0, length;
	bool elsewhere = gk_mounts_next(gk_files_of(call)->mounts, to, &first, other, &length);
	if (!elsewhere && !gk_move_loosens(image, to, from))
		return 0;
	GK_AUTO_CLOSE int fd =
		openat(source->parent.fd, source->leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	char path[PATH_MAX];
	memcpy(path, destination->path, destination->length);
	struct gk_tree_name at = {.length = destination->length};
	gk_cursor_start(image, GK_ACTION_FILE_WRITE, &at.cursor[BEFORE]);
	gk_cursor_start(image, GK_ACTION_FILE_WRITE, &at.cursor[AFTER]);
	gk_cursor_feed(image, &at.cursor[BEFORE], from);
	gk_cursor_feed(image, &at.cursor[AFTER], to);
	struct gk_tree tree = {.image = image, .visit = visit, .names_left = NAMES_MAX, .path = path,
			       .device = source->parent.stat.st_dev};
	struct arrival arrival = {.call = call, .image = image, .tree = &tree, .elsewhere = elsewhere};
	tree.context = &arrival;
	int rc = gk_tree_walk(&tree, fd, &at);
	if (rc == -E2BIG || rc == -ENOMEM) {
		struct gk_subject subject = {.action = GK_ACTION_FILE_WRITE, .target = to, .target2 = from};
		return gk_refuse(call, &subject, GK_REASON_RESOURCES);
	}
	return rc;
}

static int visit(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at) {
	struct arrival *arrival = context;
	struct gk_slice path = gk_slice(arrival->tree->path, at->length);
	struct gk_verdict before = gk_cursor_verdict(arrival->image, &at->cursor[BEFORE]);
	struct gk_verdict after = gk_cursor_verdict(arrival->image, &at->cursor[AFTER]);
	if (after.effect > before.effect) {
		int rc = gk_judge_path(arrival->call, GK_ACTION_FILE_WRITE, path);
		if (rc < 0)
			return rc;
	}
	if (arrival->elsewhere) {
		int rc = gk_judge_other_names(arrival->call, GK_ACTION_FILE_WRITE, path);
		if (rc < 0)
			return rc;
	}
	int rc = type == DT_LNK ? gk_judge_alias_at(arrival->call, path, directory, name) : 0;
	return rc < 0 ? rc : 1;
}
