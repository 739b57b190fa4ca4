#include "supervise/git_pointer.h"

#include <errno.h>
#include <string.h>

/* The last component of path, which is cut off; empty at the root. */
static struct gk_slice take_last(struct gk_slice *path) {
	const uint8_t *slash = memrchr(path->at, '/', path->length);
	if (slash == NULL)
		return gk_slice(path->at, 0);
	struct gk_slice last = gk_slice(slash + 1, path->length - (size_t)(slash + 1 - path->at));
	path->length = (size_t)(slash - path->at);
	return last;
}

static bool takes(struct gk_slice *path, const char *name) {
	return gk_slice_equal(take_last(path), gk_slice_of(name));
}

/* …/.git/worktrees/<one> */
static bool is_worktree(struct gk_slice path) {
	return take_last(&path).length > 0 && takes(&path, "worktrees") && takes(&path, ".git");
}

size_t gk_pointer_repository(struct gk_slice path) {
	while (path.length > 0) {
		size_t whole = path.length;
		if (takes(&path, ".git"))
			return whole;
	}
	return 0;
}

/* …/.git/modules/<one or more> */
static bool is_module(struct gk_slice path) {
	static const char modules[] = "/modules/";
	size_t length = gk_pointer_repository(path);
	return length > 0 && path.length - length >= sizeof modules && memcmp(path.at + length, modules, sizeof modules - 1) == 0;
}

enum gk_pointer gk_pointer_of(struct gk_slice path) {
	struct gk_slice last = take_last(&path);
	if (gk_slice_equal(last, gk_slice_of(".git")))
		return GK_POINTER_LINK;
	if (gk_slice_equal(last, gk_slice_of("gitdir")) && is_worktree(path))
		return GK_POINTER_GITDIR;
	return gk_slice_equal(last, gk_slice_of("commondir")) && is_worktree(path) ? GK_POINTER_COMMONDIR : GK_POINTER_NONE;
}

static bool is_dots(struct gk_slice part) {
	return gk_slice_equal(part, gk_slice_of(".")) || gk_slice_equal(part, gk_slice_of(".."));
}

/* text as seen from directory, which is canonical. ".." counts at the start of a relative text alone, and must be followed by something: a name
 * that is left again could be a link. A newline in a name could end it for other readers. */
static int read_path(struct gk_slice directory, struct gk_slice text, char out[PATH_MAX], size_t *length) {
	if (text.length == 0 || memchr(text.at, '\0', text.length) != NULL || memchr(text.at, '\n', text.length) != NULL ||
	    memchr(text.at, '\r', text.length) != NULL)
		return -EBADMSG;
	bool absolute = text.at[0] == '/', named = false;
	struct gk_slice base = gk_slice(directory.at, absolute ? 0 : directory.length);
	size_t at = absolute ? 1 : 0;
	char *end = out;
	for (; at <= text.length; at++) {
		const uint8_t *slash = memchr(text.at + at, '/', text.length - at);
		size_t size = slash == NULL ? text.length - at : (size_t)(slash - (text.at + at));
		struct gk_slice part = gk_slice(text.at + at, size);
		at += size;
		if (!named && !absolute && gk_slice_equal(part, gk_slice_of(".."))) {
			if (base.length == 0)
				return -EBADMSG;
			take_last(&base);
			continue;
		}
		if (size == 0 || is_dots(part))
			return -EBADMSG;
		if (!named) {
			if (base.length >= PATH_MAX)
				return -EBADMSG;
			memcpy(out, base.at, base.length);
			end = out + base.length;
		}
		named = true;
		if ((size_t)(end - out) + 1 + size >= PATH_MAX)
			return -EBADMSG;
		*end++ = '/';
		memcpy(end, part.at, size);
		end += size;
	}
	*end = '\0';
	*length = (size_t)(end - out);
	return named ? 0 : -EBADMSG;
}

int gk_pointer_target(enum gk_pointer pointer, struct gk_slice path, struct gk_slice content, char out[PATH_MAX], size_t *length) {
	static const char prefix[] = "gitdir: ";
	size_t start = pointer == GK_POINTER_LINK ? sizeof prefix - 1 : 0;
	if (content.length <= start || content.length > GK_POINTER_MAX || memcmp(content.at, prefix, start) != 0)
		return -EBADMSG;
	struct gk_slice text = gk_slice(content.at + start, content.length - start), directory = path;
	if (text.at[text.length - 1] == '\n')
		text.length--;
	take_last(&directory);
	if (pointer == GK_POINTER_COMMONDIR) {
		if (!gk_slice_equal(text, gk_slice_of("../..")))
			return -EBADMSG;
		take_last(&directory);
		take_last(&directory);
		memcpy(out, directory.at, directory.length);
		out[*length = directory.length] = '\0';
		return 0;
	}
	int rc = read_path(directory, text, out, length);
	if (rc < 0)
		return rc;
	/* The text itself must say so: directories before it may be moved, and then it leads elsewhere. */
	size_t said = 0;
	while (text.length - said >= 3 && memcmp(text.at + said, "../", 3) == 0)
		said += 3;
	char *spelled = out + (text.at[0] == '/' ? 0 : *length - (text.length - said) - 1);
	struct gk_slice tail = gk_slice(spelled, *length - (size_t)(spelled - out));
	bool fine = pointer == GK_POINTER_GITDIR ? takes(&tail, ".git") : is_worktree(tail) || is_module(tail);
	return fine ? 0 : -EBADMSG;
}

int gk_pointer_worktree(struct gk_slice path, const char *value, char out[PATH_MAX], size_t *length) {
	struct gk_slice directory = path;
	if (!takes(&directory, "config") || !is_module(directory) || value[0] == '/')
		return -EBADMSG;
	int rc = read_path(directory, gk_slice_of(value), out, length);
	if (rc < 0)
		return rc;
	struct gk_slice top = gk_slice(path.at, gk_pointer_repository(path));
	take_last(&top);
	bool beneath = *length > top.length + 1 && memcmp(out, top.at, top.length) == 0 && out[top.length] == '/';
	return beneath && gk_pointer_repository(gk_slice(out + top.length, *length - top.length)) == 0 ? 0 : -EBADMSG;
}
