/* Random opens, and what is done with a descriptor once there is one. */
#ifndef GK_TEST_CALLS_OPENS_H
#define GK_TEST_CALLS_OPENS_H

#include "test/calls_names.h"

#include <linux/openat2.h>

enum { TMPFILE_BIT = 020000000, ODD_FLAG = 0x40000000 };

static inline unsigned random_mode(struct actor *actor) {
	static const unsigned modes[] = {0644, 0644, 0600, 0755, 0777, 0666, 0, 0400, 0200, 0111, 01777, 0170644};
	return PICK(actor, modes) | (actor->searchable ? 0500 : 0);
}

/* The upper half of a register that the kernel reads as an int. */
static inline long with_noise(struct actor *actor, long value) {
	long low = (long)(uint32_t)value;
	return chance(actor, 90) ? value : low | ((long)actor_random(actor) << 32);
}

static inline int random_open_flags(struct actor *actor) {
	static const struct { int flag; unsigned percent; } bits[] = {
		{O_CREAT, 40}, {O_EXCL, 15}, {O_TRUNC, 12}, {O_APPEND, 10}, {O_DIRECTORY, 12}, {O_NOFOLLOW, 15}, {O_CLOEXEC, 20},
		{O_NONBLOCK, 12}, {O_NOATIME, 5}, {O_NOCTTY, 4}, {O_SYNC, 3}, {O_DIRECT, 2}, {TMPFILE_BIT, 3}, {ODD_FLAG, 2}, {O_PATH, 8},
	};
	static const int accesses[] = {O_RDONLY, O_RDONLY, O_RDONLY, O_WRONLY, O_WRONLY, O_RDWR, O_RDWR, O_ACCMODE};
	int flags = PICK(actor, accesses);
	for (size_t i = 0; i < GK_COUNT(bits); i++)
		if (chance(actor, bits[i].percent))
			flags |= bits[i].flag;
	return chance(actor, 5) ? O_TMPFILE | O_RDWR | (flags & (O_EXCL | O_CLOEXEC | O_NOFOLLOW)) : flags;
}

/* Where the supervised call is known to answer otherwise, and nothing else is looked at. */
static inline bool differs_by_design(const struct name *name, int flags) {
	/* A process may search its own /proc/<pid>/fd whatever the mode says. */
	return name->readable && (flags & TMPFILE_BIT) && leads_to_procfs(name->dirfd, name->text);
}

/* An open that would wait for the other end does not. */
static inline int without_waiting(const struct name *name, int flags) {
	struct stat st;
	bool fifo = name->readable && fstatat(name->dirfd, name->text, &st, 0) == 0 && S_ISFIFO(st.st_mode);
	return fifo ? flags | O_NONBLOCK : flags;
}

static inline void show_descriptor(struct actor *actor, int fd) {
	struct stat st = {0};
	fstat(fd, &st);
	/* A descriptor that was opened through the supervisor does not remember O_NOFOLLOW. */
	int flags = fcntl(fd, F_GETFL);
	bool own = st.st_dev == actor->device; /* elsewhere the machine goes on */
	fprintf(actor->out, "  fd %d flags %#o cloexec %d mode %o size %ld links %u\n", fd, (unsigned)(flags & ~O_NOFOLLOW),
		fcntl(fd, F_GETFD), st.st_mode, S_ISDIR(st.st_mode) ? 0L : (long)st.st_size, own ? (unsigned)st.st_nlink : 0);
}

static inline void opened(struct actor *actor, long fd) {
	if (fd < 0)
		return;
	show_descriptor(actor, (int)fd);
	keep(actor, below(actor, ACTOR_SLOTS), (int)fd);
}

static inline bool may_open(const struct actor *actor, const struct name *name, int flags) {
	bool changes = (flags & (O_CREAT | O_TRUNC | TMPFILE_BIT | O_ACCMODE)) != 0 && !(flags & O_PATH);
	bool null = name->readable && (strncmp(name->text, "/dev/null", 9) == 0 || strcmp(name->text, "/dev/zero") == 0);
	return !differs_by_design(name, flags) && (!changes || null || name_stays_inside(actor, name));
}

static inline void step_open(struct actor *actor) {
	struct name name;
	bool at = chance(actor, 60);
	make_name(actor, at, &name);
	int flags = without_waiting(&name, random_open_flags(actor));
	unsigned mode = random_mode(actor);
	if (!may_open(actor, &name, flags))
		return;
	long fd;
	if (at)
		fd = syscall(SYS_openat, with_noise(actor, name.dirfd), name.at, with_noise(actor, flags), with_noise(actor, mode));
	else
		fd = syscall(SYS_open, name.at, with_noise(actor, flags), with_noise(actor, mode));
	say(actor, fd, at ? "openat" : "open", "%s, %#o, %#o", name.shown, (unsigned)flags, mode);
	opened(actor, fd);
}

static inline void step_creat(struct actor *actor) {
	struct name name;
	make_name(actor, false, &name);
	unsigned mode = random_mode(actor);
	/* creat has no O_NONBLOCK: a FIFO would wait. */
	if (without_waiting(&name, 0) != 0 || !may_open(actor, &name, O_CREAT))
		return;
	long fd = syscall(SYS_creat, name.at, with_noise(actor, mode));
	say(actor, fd, "creat", "%s, %#o", name.shown, mode);
	opened(actor, fd);
}

/* Left out, because the supervisor says ENOSYS and callers fall back: O_PATH; a scoped lookup that crosses /proc or makes
 * something through a link. RESOLVE_CACHED may always say EAGAIN. */
static inline bool falls_back(const struct name *name, const struct open_how *how) {
	bool scoped = (how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
	bool creates = (how->flags & O_CREAT) && !(how->flags & (O_EXCL | O_NOFOLLOW));
	bool procfs = strstr(name->text, "proc") || strstr(name->text, "dev") || is_procfs_entry(name);
	return (how->flags & O_PATH) || (scoped && (creates || procfs));
}

static inline void step_openat2(struct actor *actor) {
	static const uint64_t resolves[] = {0, 0, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS,
					    RESOLVE_NO_XDEV, 0x80, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	static const size_t sizes[] = {24, 24, 24, 24, 24, 24, 16, 32, 4096, 4104, 0};
	static _Thread_local struct { struct open_how how; uint8_t tail[4096]; } large;
	struct name name;
	make_name(actor, true, &name);
	large.how = (struct open_how){.resolve = PICK(actor, resolves)};
	large.how.flags = (uint64_t)(unsigned)without_waiting(&name, random_open_flags(actor));
	if (chance(actor, 95))
		large.how.flags &= ~(uint64_t)ODD_FLAG;
	bool creates = (large.how.flags & (O_CREAT | TMPFILE_BIT)) != 0;
	large.how.mode = creates || chance(actor, 5) ? random_mode(actor) : 0;
	size_t size = PICK(actor, sizes);
	large.tail[0] = chance(actor, 10);
	if (large.how.resolve != 0) /* may end at another file, which may be a FIFO */
		large.how.flags |= O_NONBLOCK;
	if (falls_back(&name, &large.how) || !may_open(actor, &name, (int)large.how.flags))
		return;
	void *how = chance(actor, 97) ? &large.how : NULL;
	long fd = syscall(SYS_openat2, with_noise(actor, name.dirfd), name.at, how, size);
	say(actor, fd, "openat2", "%s, %#llo, %#llo, %#llx, %zu+%d, %d", name.shown, (unsigned long long)large.how.flags,
	    (unsigned long long)large.how.mode, (unsigned long long)large.how.resolve, size, large.tail[0], how != NULL);
	opened(actor, fd);
}

/* --- descriptors --- */

static inline bool is_regular(const struct actor *actor, int fd) {
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == actor->device;
}

static inline void step_content(struct actor *actor) {
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	int fd = any_slot(actor);
	char read_into[32] = "";
	long length = 1 + below(actor, 26), offset = below(actor, 64);
	if (!is_regular(actor, fd) || (fcntl(fd, F_GETFL) & O_DIRECT))
		return;
	say(actor, pwrite(fd, letters, (size_t)length, offset), "pwrite", "%d, %ld, %ld", fd, length, offset);
	say(actor, pread(fd, read_into, sizeof read_into - 1, offset), "pread", "%d, %ld: %s", fd, offset, read_into);
}

static inline void step_duplicate(struct actor *actor) {
	int fd = any_slot(actor), copy = dup(fd);
	say(actor, copy, "dup", "%d", fd);
	opened(actor, copy);
}

static inline void step_close(struct actor *actor) {
	keep(actor, below(actor, ACTOR_SLOTS), -1);
}

#endif
