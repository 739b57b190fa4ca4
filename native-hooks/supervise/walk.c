#include "supervise/walk.h"

#include "supervise/procfs.h"
#include "supervise/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* Where the walk stands. */
struct walk {
	struct gk_call *call;
	struct gk_files *files;
	unsigned flags;
	int links;
	int at; /* owned directory, O_PATH */
	size_t next, end;
	char text[2 * PATH_MAX]; /* what is still to be walked: text[next..end) */
};

struct component {
	char name[NAME_MAX + 2]; /* of a name that is too long, NAME_MAX + 1 bytes: the kernel refuses it */
	bool last;	     /* nothing but slashes follows */
	bool must_directory; /* a slash follows */
};

static int walk_all(struct walk *w, int *out);
static int take_component(struct walk *w, struct component *c);
static int open_component(struct walk *w, struct component *c, struct stat *st, int *out);
static int follow_link(struct walk *w, const struct component *c, int link, const struct stat *link_stat, int *target);
static int follow_magic(struct walk *w, const struct component *c, int *target);
static int push_text(struct walk *w, const char *text, size_t length);
static int restart_at_root(struct walk *w);
static bool on_procfs(struct walk *w, int fd);
static int rename_self(struct walk *w, struct component *c);
static int check_sticky(const struct walk *w, const struct stat *link);

int gk_walk_path(struct gk_call *call, int base, const char *path, size_t length, unsigned flags, int *out) {
	struct walk w = {.call = call, .files = gk_files_of(call), .flags = flags, .at = -1, .end = length};
	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(w.text, path, length);
	w.at = fcntl(path[0] == '/' ? w.files->root : base, F_DUPFD_CLOEXEC, 0);
	if (w.at < 0)
		return -errno;
	int rc = walk_all(&w, out);
	if (w.at >= 0)
		close(w.at);
	return rc;
}

static int walk_all(struct walk *w, int *out) {
	struct component c;
	for (;;) {
		int rc = take_component(w, &c);
		if (rc < 0)
			return rc;
		if (c.name[0] == '\0') { /* the name ended in slashes or dots: the directory itself */
			*out = gk_take_fd(&w->at);
			return 0;
		}
		struct stat st;
		GK_AUTO_CLOSE int next = -1;
		rc = open_component(w, &c, &st, &next);
		if (rc < 0)
			return rc;
		if (S_ISLNK(st.st_mode) && (!c.last || c.must_directory || (w->flags & GK_FOLLOW))) {
			int target = -1;
			rc = follow_link(w, &c, next, &st, &target);
			if (rc < 0)
				return rc;
			if (target < 0)
				continue; /* its text was put in front of the rest */
			close(next);
			next = target;
			if (fstat(next, &st) < 0)
				return -errno;
		}
		if ((!c.last || c.must_directory) && !S_ISDIR(st.st_mode))
			return -ENOTDIR;
		if (c.last) {
			*out = gk_take_fd(&next);
			return 0;
		}
		close(w->at);
		w->at = gk_take_fd(&next);
	}
}

/* Cuts the next component off the text; an empty name at the end. */
static int take_component(struct walk *w, struct component *c) {
	for (;;) {
		while (w->next < w->end && w->text[w->next] == '/')
			w->next++;
		size_t start = w->next;
		while (w->next < w->end && w->text[w->next] != '/')
			w->next++;
		size_t length = w->next - start;
		if (length > NAME_MAX)
			length = NAME_MAX + 1;
		memcpy(c->name, w->text + start, length);
		c->name[length] = '\0';
		c->must_directory = w->next < w->end;
		size_t rest = w->next;
		while (rest < w->end && w->text[rest] == '/')
			rest++;
		c->last = rest == w->end;
		if (strcmp(c->name, ".") != 0)
			return 0;
		/* "." still needs the right to search the directory. */
		if (faccessat(w->at, ".", X_OK, AT_EACCESS) < 0)
			return -errno;
	}
}

static int open_component(struct walk *w, struct component *c, struct stat *st, int *out) {
	int rc = rename_self(w, c);
	if (rc < 0)
		return rc;
	uint64_t resolve = GK_RESOLVE_NO_MAGICLINKS | (w->flags & GK_NO_XDEV ? GK_RESOLVE_NO_XDEV : 0);
	int fd = gk_openat2(w->at, c->name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, resolve);
	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

/* Either replaces the link by its text (target stays -1) or pins where a magic link leads. */
static int follow_link(struct walk *w, const struct component *c, int link, const struct stat *link_stat, int *target) {
	if (++w->links > GK_LINKS_MAX || (w->flags & GK_NO_SYMLINKS))
		return -ELOOP;
	if (on_procfs(w, link)) {
		char text[PATH_MAX];
		size_t length;
		int rc = gk_canonical(w->files, w->at, text, &length);
		if (rc < 0)
			return rc;
		if (gk_procfs_in_process(gk_slice(text, length)))
			return follow_magic(w, c, target);
	}
	int rc = c->last ? check_sticky(w, link_stat) : 0;
	if (rc < 0)
		return rc;
	char text[PATH_MAX];
	ssize_t length = readlinkat(link, "", text, sizeof text);
	if (length < 0)
		return -errno;
	if (length == 0)
		return -ENOENT;
	if ((size_t)length >= sizeof text)
		return -ENAMETOOLONG;
	return push_text(w, text, (size_t)length);
}

/* Links inside a process directory are handles, not names: the kernel follows them for us, and only the caller's own. */
static int follow_magic(struct walk *w, const struct component *c, int *target) {
	if (w->flags & GK_NO_MAGICLINKS)
		return -ELOOP;
	if (w->flags & GK_NO_XDEV)
		return -EXDEV;
	GK_AUTO_OBJECT struct gk_object where = {.fd = -1};
	int rc = gk_canonical(w->files, w->at, where.path, &where.length);
	if (rc < 0)
		return rc;
	if (where.length + 1 + strlen(c->name) >= sizeof where.path)
		return -ENAMETOOLONG;
	where.length += (size_t)snprintf(where.path + where.length, sizeof where.path - where.length, "/%s", c->name);
	rc = gk_procfs_admit(w->call, &where);
	if (rc < 0)
		return rc;
	if (strncmp(where.path, "/proc/self/", strlen("/proc/self/")) != 0)
		return -EACCES;
	*target = openat(w->at, c->name, O_PATH | O_CLOEXEC);
	return *target < 0 ? -errno : 0;
}

static int push_text(struct walk *w, const char *text, size_t length) {
	size_t rest = w->end - w->next;
	char kept[2 * PATH_MAX];
	if (length + rest > sizeof w->text)
		return -ELOOP; /* only links that lead back to themselves grow so */
	memcpy(kept, w->text + w->next, rest);
	memcpy(w->text, text, length);
	memcpy(w->text + length, kept, rest);
	w->next = 0;
	w->end = length + rest;
	return text[0] == '/' ? restart_at_root(w) : 0;
}

static int restart_at_root(struct walk *w) {
	if (w->flags & GK_NO_XDEV)
		return -EXDEV;
	int root = fcntl(w->files->root, F_DUPFD_CLOEXEC, 0);
	if (root < 0)
		return -errno;
	close(w->at);
	w->at = root;
	return 0;
}

static bool on_procfs(struct walk *w, int fd) {
	struct stat st;
	return fstat(fd, &st) == 0 && gk_fs_kind_of(w->files, fd, st.st_dev) == GK_FS_PROC;
}

/* /proc/self and /proc/thread-self mean the caller, not the thread that walks. */
static int rename_self(struct walk *w, struct component *c) {
	bool process = strcmp(c->name, "self") == 0, thread = strcmp(c->name, "thread-self") == 0;
	if (!process && !thread)
		return 0;
	if (c->last && !c->must_directory && !(w->flags & GK_FOLLOW))
		return 0; /* the link itself is asked for */
	char text[PATH_MAX];
	size_t length;
	int rc = gk_canonical(w->files, w->at, text, &length);
	if (rc < 0 || strcmp(text, "/proc") != 0 || !on_procfs(w, w->at))
		return rc;
	if (++w->links > GK_LINKS_MAX || (w->flags & GK_NO_SYMLINKS))
		return -ELOOP;
	snprintf(c->name, sizeof c->name, process ? "%d" : "%d/task/%d", w->call->tgid, w->call->tid);
	return 0;
}

/* fs.protected_symlinks: a link in a sticky directory that others write to is followed only for its owner. The kernel's own
 * walk checks it; it applies to the last component only. */
static int check_sticky(const struct walk *w, const struct stat *link) {
	struct stat directory;
	if (fstat(w->at, &directory) < 0)
		return -errno;
	bool open_to_all = (directory.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);
	bool trusted = link->st_uid == w->call->supervisor->uid || link->st_uid == directory.st_uid;
	return open_to_all && !trusted ? -EACCES : 0;
}

int gk_canonical(struct gk_files *files, int fd, char out[PATH_MAX], size_t *length) {
	char name[GK_FD_NAME];
	gk_fd_name(fd, name);
	ssize_t n = readlinkat(files->self_fd, name, out, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	out[n] = '\0';
	*length = (size_t)n;
	return 0;
}
