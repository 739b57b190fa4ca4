/* Names as programs and attackers spell them: short and long, clean and odd, through links, descriptors and bad pointers. */
#ifndef GK_TEST_CALLS_NAMES_H
#define GK_TEST_CALLS_NAMES_H

#include "test/calls_actor.h"

#include <linux/magic.h>
#include <sys/vfs.h>

struct name {
	int dirfd;
	const char *at;	   /* what the call is given */
	bool readable;	   /* at is a string */
	char shown[160];   /* the descriptor and the string, shortened */
	char text[ACTOR_TEXT];
};

static const char *const plain_names[] = {"a", "b", "c", "d", "e", "f"};

static inline void add_text(char *text, const char *more) {
	size_t length = strlen(text), extra = strlen(more);
	if (length + extra < ACTOR_TEXT)
		memcpy(text + length, more, extra + 1);
}

static inline void add_repeated(char *text, char letter, size_t count) {
	size_t length = strlen(text);
	memset(text + length, letter, count);
	text[length + count] = '\0';
}

static inline void add_component(struct actor *actor, char *text) {
	unsigned kind = below(actor, 100);
	if (kind < 88)
		add_text(text, PICK(actor, plain_names));
	else if (kind < 93)
		add_text(text, ".");
	else if (kind < 98)
		add_text(text, "..");
	else
		add_repeated(text, 'n', kind == 98 ? NAME_MAX : NAME_MAX + 1);
}

static inline void add_relative(struct actor *actor, char *text) {
	static const unsigned lengths[] = {1, 1, 1, 1, 2, 2, 3, 4};
	for (unsigned rest = PICK(actor, lengths); rest > 0; rest--) {
		add_component(actor, text);
		if (rest > 1)
			add_text(text, chance(actor, 95) ? "/" : "//");
	}
	if (chance(actor, 7))
		add_text(text, chance(actor, 70) ? "/" : "//");
}

static inline void add_own_descriptor(struct actor *actor, char *text) {
	static const char *const directories[] = {"/proc/self/fd/", "/dev/fd/", "/proc/self/task/../fd/", "/proc/thread-self/fd/"};
	char number[16];
	snprintf(number, sizeof number, "%d", chance(actor, 90) ? any_slot(actor) : 99);
	add_text(text, actor->threaded ? "/proc/thread-self/fd/" : PICK(actor, directories));
	add_text(text, number);
	if (chance(actor, 15)) {
		add_text(text, "/");
		if (chance(actor, 80))
			add_relative(actor, text);
	}
}

static inline void add_special(struct actor *actor, char *text) {
	static const char *const others[] = {"/dev/null", "/dev/null/", "/dev/zero", "/nowhere/x", "/", "//", "/proc/self", "/proc/nothing",
					     "/proc/self/status", "/proc/self/fd", "/proc", "/proc/self/task", "/proc/self/mounts/x"};
	unsigned kind = below(actor, 100);
	if (kind < 35) {
		add_own_descriptor(actor, text);
	} else if (kind < 45) {
		add_text(text, actor_proc(actor));
		add_text(text, "/cwd/");
		add_relative(actor, text);
	} else if (kind < 65) {
		add_text(text, actor->root);
		add_text(text, "/");
		add_relative(actor, text);
	} else if (kind < 75) {
		size_t filler = (PATH_MAX - 8 + below(actor, 10)) / 2;
		while (filler-- > 0)
			add_text(text, "./");
		add_relative(actor, text);
	} else {
		do
			text[0] = '\0', add_text(text, PICK(actor, others));
		while (actor->threaded && strstr(text, "self") != NULL);
	}
}

static inline int random_dirfd(struct actor *actor) {
	unsigned kind = below(actor, 100);
	if (kind < 60)
		return AT_FDCWD;
	return kind < 95 ? any_slot(actor) : kind < 97 ? 99 : kind < 98 ? -5 : -1;
}

static inline void show_name(struct name *name) {
	char number[16] = "";
	if (name->dirfd != AT_FDCWD)
		snprintf(number, sizeof number, "%d:", name->dirfd);
	size_t length = name->readable ? strlen(name->text) : 0;
	if (!name->readable)
		snprintf(name->shown, sizeof name->shown, "%s%s", number, name->at == NULL ? "NULL" : "bad");
	else if (length <= 100)
		snprintf(name->shown, sizeof name->shown, "%s\"%s\"", number, name->text);
	else
		snprintf(name->shown, sizeof name->shown, "%s\"%.40s\"[%zu]\"%s\"", number, name->text, length, name->text + length - 40);
}

/* A name and where it starts; from a call without a descriptor, the working directory. */
static inline void make_name(struct actor *actor, bool has_dirfd, struct name *name) {
	char *border = actor->border[actor->names++ % 2];
	name->dirfd = has_dirfd ? random_dirfd(actor) : AT_FDCWD;
	name->text[0] = '\0';
	name->at = name->text;
	name->readable = true;
	unsigned kind = below(actor, 1000);
	if (kind < 120)
		add_special(actor, name->text);
	else if (kind < 980)
		add_relative(actor, name->text);
	else if (kind >= 990) {
		name->readable = false;
		name->at = kind < 994 ? NULL : border - below(actor, 8);
	}
	size_t size = strlen(name->text) + 1;
	if (name->readable && size < 1000 && chance(actor, 20)) {
		memcpy(border - size, name->text, size); /* the string ends where memory does */
		name->at = border - size;
	} else if (!name->readable && name->at != NULL) {
		memset(border - 16, 'z', 16); /* no end in sight */
	}
	show_name(name);
}

static inline bool name_stays_inside(const struct actor *actor, const struct name *name) {
	return !name->readable || stays_inside(actor, name->dirfd, name->text);
}

static inline bool leads_to_procfs(int dirfd, const char *path) {
	struct statfs fs;
	int fd = openat(dirfd, path, O_PATH | O_CLOEXEC);
	bool procfs = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	close(fd);
	return procfs;
}

/* Whether the name is an entry of procfs, or of no directory. Removing, moving and marking those fails everywhere, but not
 * everywhere with the same errno: a process has rights in its own /proc/<pid>/fd that nobody else has. */
static inline bool is_procfs_entry(const struct name *name) {
	char parent[ACTOR_TEXT];
	if (!name->readable)
		return false;
	strcpy(parent, name->text);
	for (size_t end = strlen(parent); end > 1 && parent[end - 1] == '/'; end--)
		parent[end - 1] = '\0';
	char *slash = strrchr(parent, '/');
	if (slash == NULL)
		strcpy(parent, ".");
	else
		slash[1] = '\0';
	return leads_to_procfs(name->dirfd, parent);
}

/* What a symbolic link may say. Links lead at most two directories up: a chain of them that makes something stays near. */
static inline void make_link_text(struct actor *actor, char text[ACTOR_TEXT]) {
	unsigned kind = below(actor, 100);
	text[0] = '\0';
	if (kind < 75) {
		add_relative(actor, text);
	} else if (kind < 90) {
		do {
			text[0] = '\0';
			add_special(actor, text);
		} while (strlen(text) > 1000);
	} else if (kind < 95) {
		add_text(text, PICK(actor, plain_names));
		for (int i = 0; i < 1500; i++)
			add_text(text, "/.");
	}
}

#endif
