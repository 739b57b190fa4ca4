/* Materialising names: from the caller's bytes to pinned objects, in the caller's own view (root, cwd, dirfds, /proc/self). */
#ifndef GK_SUPERVISE_RESOLVE_H
#define GK_SUPERVISE_RESOLVE_H

#include "supervise/call.h"

#include <sys/stat.h>

/* A pinned object. Release with gk_object_release. */
struct gk_object {
	int fd;		  /* O_PATH, owned; -1 when empty */
	struct stat stat; /* of the pinned object */
	bool anonymous;	  /* pipe, socket, memfd, O_TMPFILE or deleted: has no name in the tree */
	size_t length;
	char path[PATH_MAX]; /* canonical path (readlink of the descriptor), as policy judges it; procfs names of the caller's own
			      * process as /proc/self/… */
};
void gk_object_release(struct gk_object *object);
static inline struct gk_slice gk_object_path(const struct gk_object *object) {
	return gk_slice(object->path, object->length);
}

/* What the last component of a name is. Anything but a plain name leaves the leaf empty, and parent is the directory named. */
enum gk_last { GK_LAST_NAME, GK_LAST_DOT, GK_LAST_DOTDOT, GK_LAST_ROOT };

/* A pinned parent directory and a leaf name in it (which may or may not exist). */
struct gk_place {
	struct gk_object parent;
	enum gk_last last;
	char leaf[NAME_MAX + 2]; /* without trailing slashes; "." and ".." never, they resolve into the parent; of a name
				  * that is too long, NAME_MAX + 1 bytes */
	size_t leaf_length;
	bool trailing_slash; /* the caller's spelling ended in a slash */
	size_t length;
	char path[PATH_MAX]; /* canonical parent + "/" + leaf */
};
void gk_place_release(struct gk_place *place);

enum {
	GK_FOLLOW = 1,	    /* follow a final symbolic link */
	GK_ALLOW_EMPTY = 2, /* AT_EMPTY_PATH: an empty path names dirfd itself */
	GK_NO_SYMLINKS = 4, /* openat2's RESOLVE_* as the caller gave them */
	GK_NO_MAGICLINKS = 8,
	GK_NO_XDEV = 16,
	GK_BENEATH = 32,
	GK_IN_ROOT = 64,
};

/* Pins what (dirfd, path) names for the caller. Errors are those that the kernel gives for the same lookup. */
int gk_resolve_object(struct gk_call *call, int dirfd, const char *path, size_t length, unsigned flags,
		      struct gk_object *out) GK_MUST_CHECK;
/* Pins the parent and splits the leaf. With GK_FOLLOW a dangling final link is followed to where creation would happen. */
int gk_resolve_place(struct gk_call *call, int dirfd, const char *path, size_t length, unsigned flags,
		     struct gk_place *out) GK_MUST_CHECK;
/* Whether the spelling alone lets a lookup pass through a process directory, where the supervisor would meet its own. */
static inline bool gk_may_cross_procfs(const char *path) {
	return strstr(path, "proc") != NULL || strstr(path, "dev/") != NULL;
}
/* Pins a descriptor of the caller as an object (f-calls). */
int gk_resolve_descriptor(struct gk_call *call, int number, struct gk_object *out) GK_MUST_CHECK;
/* Describes one of our own descriptors (a duplicate of the caller's), which passes to out, also on failure. */
int gk_describe_descriptor(struct gk_call *call, int fd, struct gk_object *out) GK_MUST_CHECK;

/* Reads a path argument and resolves it: the two steps every handler starts with. */
int gk_resolve_object_at(struct gk_call *call, int dirfd, uint64_t path_address, unsigned flags,
			 struct gk_object *out) GK_MUST_CHECK;
int gk_resolve_place_at(struct gk_call *call, int dirfd, uint64_t path_address, unsigned flags,
			struct gk_place *out) GK_MUST_CHECK;

#endif
