/* Random changes to what is known about a file: size, mode, owner, times, attributes. */
#ifndef GK_TEST_CALLS_METADATA_H
#define GK_TEST_CALLS_METADATA_H

#include "test/calls_opens.h"

#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

enum { SYS_FCHMODAT2 = 452 /* kernel 6.6 */, SYS_SETXATTRAT = 463, SYS_REMOVEXATTRAT = 466 /* kernel 6.13 */ };

static const int metadata_flags[] = {0, 0, AT_SYMLINK_NOFOLLOW, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
				     AT_SYMLINK_FOLLOW, AT_NO_AUTOMOUNT};

/* With AT_EMPTY_PATH mostly without a path. False: it would change something outside. */
static inline bool metadata_name(struct actor *actor, bool at, int flags, struct name *name) {
	make_name(actor, at, name);
	if ((flags & AT_EMPTY_PATH) && chance(actor, 80)) {
		name->text[0] = '\0';
		name->at = name->text;
		name->readable = true;
		show_name(name);
	}
	return name_stays_inside(actor, name);
}

static inline void step_truncate(struct actor *actor) {
	static const long lengths[] = {0, 1, 3, 100, 5000, -1};
	long length = PICK(actor, lengths);
	if (chance(actor, 40)) {
		int fd = random_dirfd(actor);
		say(actor, syscall(SYS_ftruncate, with_noise(actor, fd), length), "ftruncate", "%d, %ld", fd, length);
		return;
	}
	struct name name;
	make_name(actor, false, &name);
	if (name_stays_inside(actor, &name))
		say(actor, syscall(SYS_truncate, name.at, length), "truncate", "%s, %ld", name.shown, length);
}

static inline void step_chmod(struct actor *actor) {
	unsigned kind = below(actor, 4), mode = random_mode(actor);
	int flags = kind == 3 ? PICK(actor, metadata_flags) : 0;
	struct name name;
	if (!metadata_name(actor, kind >= 2, flags, &name))
		return;
	long noisy = with_noise(actor, mode), dirfd = with_noise(actor, name.dirfd);
	if (kind == 0) {
		int fd = random_dirfd(actor);
		say(actor, syscall(SYS_fchmod, with_noise(actor, fd), noisy), "fchmod", "%d, %#o", fd, mode);
		return;
	}
	long rc = kind == 1   ? syscall(SYS_chmod, name.at, noisy)
		  : kind == 2 ? syscall(SYS_fchmodat, dirfd, name.at, noisy)
			      : syscall(SYS_FCHMODAT2, dirfd, name.at, noisy, with_noise(actor, flags));
	say(actor, rc, kind == 1 ? "chmod" : kind == 2 ? "fchmodat" : "fchmodat2", "%s, %#o, %#x", name.shown, mode, (unsigned)flags);
}

static inline void step_chown(struct actor *actor) {
	const unsigned users[] = {getuid(), getuid(), (unsigned)-1, 12345}, groups[] = {getgid(), getgid(), (unsigned)-1, 12345};
	unsigned kind = below(actor, 4), user = PICK(actor, users), group = PICK(actor, groups);
	int flags = kind == 3 ? PICK(actor, metadata_flags) : 0;
	struct name name;
	if (!metadata_name(actor, kind == 3, flags, &name))
		return;
	int fd = random_dirfd(actor);
	static const char *const calls[] = {"chown", "lchown", "fchown", "fchownat"};
	long rc = kind == 0   ? syscall(SYS_chown, name.at, user, group)
		  : kind == 1 ? syscall(SYS_lchown, name.at, user, group)
		  : kind == 2 ? syscall(SYS_fchown, with_noise(actor, fd), user, group)
			      : syscall(SYS_fchownat, with_noise(actor, name.dirfd), name.at, user, group, with_noise(actor, flags));
	if (kind == 2)
		say(actor, rc, calls[kind], "%d, %d, %d", fd, (int)user, (int)group);
	else
		say(actor, rc, calls[kind], "%s, %d, %d, %#x", name.shown, (int)user, (int)group, (unsigned)flags);
}

/* Long ago, so that a report can tell a time that was set from one that passed. */
static inline struct timespec random_time(struct actor *actor) {
	static const long fractions[] = {0, 1, 999999999, 1000000000, -1, UTIME_NOW, UTIME_OMIT, 500000};
	return (struct timespec){.tv_sec = (long)below(actor, 1000000000) - 1000, .tv_nsec = PICK(actor, fractions)};
}

static inline void step_utimensat(struct actor *actor) {
	struct timespec times[2] = {random_time(actor), random_time(actor)};
	int flags = PICK(actor, metadata_flags);
	struct name name;
	if (!metadata_name(actor, true, flags, &name))
		return;
	if (chance(actor, 20)) { /* futimens */
		name.at = NULL;
		name.readable = false;
		show_name(&name);
	}
	struct timespec *given = chance(actor, 80) ? times : chance(actor, 80) ? NULL : (void *)8;
	long rc = syscall(SYS_utimensat, with_noise(actor, name.dirfd), name.at, given, with_noise(actor, flags));
	say(actor, rc, "utimensat", "%s, %ld.%ld %ld.%ld %d, %#x", name.shown, times[0].tv_sec, times[0].tv_nsec, times[1].tv_sec,
	    times[1].tv_nsec, given == times, (unsigned)flags);
}

static inline void step_utimes(struct actor *actor) {
	struct timeval times[2];
	for (int i = 0; i < 2; i++) {
		struct timespec time = random_time(actor);
		times[i] = (struct timeval){.tv_sec = time.tv_sec, .tv_usec = time.tv_nsec == 999999999 ? 999999 : time.tv_nsec};
	}
	struct utimbuf seconds = {.actime = times[0].tv_sec, .modtime = times[1].tv_sec};
	unsigned kind = below(actor, 3);
	bool given = chance(actor, 80);
	struct name name;
	if (!metadata_name(actor, kind == 2, 0, &name))
		return;
	long rc = kind == 0   ? syscall(SYS_utimes, name.at, given ? times : NULL)
		  : kind == 1 ? syscall(SYS_utime, name.at, given ? &seconds : NULL)
			      : syscall(SYS_futimesat, with_noise(actor, name.dirfd), name.at, given ? times : NULL);
	say(actor, rc, kind == 0 ? "utimes" : kind == 1 ? "utime" : "futimesat", "%s, %ld.%ld %ld.%ld %d", name.shown, times[0].tv_sec,
	    times[0].tv_usec, times[1].tv_sec, times[1].tv_usec, given);
}

/* --- extended attributes --- */

static const char *const attribute_names[] = {"user.a", "user.a", "user.b", "user.", "", "a", "trusted.a", "security.a", "system.a", "odd.a"};

/* Not one of procfs: see is_procfs_entry(). */
static inline int own_slot(struct actor *actor) {
	struct stat st;
	int fd = any_slot(actor);
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev != actor->device ? -1 : fd;
}

static inline bool marks_procfs(const struct name *name) {
	return is_procfs_entry(name) || (name->readable && leads_to_procfs(name->dirfd, name->text));
}

static inline void step_setxattr(struct actor *actor) {
	static const int odd[] = {0, 0, XATTR_CREATE, XATTR_REPLACE, XATTR_CREATE | XATTR_REPLACE, 8};
	static const char value[] = "the value of an attribute";
	static const size_t sizes[] = {0, 1, 5, 25, XATTR_SIZE_MAX + 1};
	const char *attribute = chance(actor, 97) ? PICK(actor, attribute_names) : NULL;
	unsigned kind = below(actor, 4);
	int flags = PICK(actor, odd), at_flags = kind == 3 ? PICK(actor, metadata_flags) : 0, fd = own_slot(actor);
	size_t size = PICK(actor, sizes);
	struct { uint64_t value; uint32_t size, flags; } args = {(uint64_t)(uintptr_t)value, (uint32_t)size, (uint32_t)flags};
	struct name name;
	if (!metadata_name(actor, kind == 3, at_flags, &name) || marks_procfs(&name))
		return;
	static const char *const calls[] = {"setxattr", "lsetxattr", "fsetxattr", "setxattrat"};
	long rc = kind == 0   ? syscall(SYS_setxattr, name.at, attribute, value, size, flags)
		  : kind == 1 ? syscall(SYS_lsetxattr, name.at, attribute, value, size, flags)
		  : kind == 2 ? syscall(SYS_fsetxattr, with_noise(actor, fd), attribute, value, size, flags)
			      : syscall(SYS_SETXATTRAT, with_noise(actor, name.dirfd), name.at, at_flags, attribute, &args, sizeof args);
	say(actor, rc, calls[kind], "%s/%d, %s, %zu, %d, %#x", name.shown, fd, attribute, size, flags, (unsigned)at_flags);
}

static inline void step_removexattr(struct actor *actor) {
	const char *attribute = PICK(actor, attribute_names);
	unsigned kind = below(actor, 4);
	int flags = kind == 3 ? PICK(actor, metadata_flags) : 0, fd = own_slot(actor);
	struct name name;
	if (!metadata_name(actor, kind == 3, flags, &name) || marks_procfs(&name))
		return;
	static const char *const calls[] = {"removexattr", "lremovexattr", "fremovexattr", "removexattrat"};
	long rc = kind == 0   ? syscall(SYS_removexattr, name.at, attribute)
		  : kind == 1 ? syscall(SYS_lremovexattr, name.at, attribute)
		  : kind == 2 ? syscall(SYS_fremovexattr, with_noise(actor, fd), attribute)
			      : syscall(SYS_REMOVEXATTRAT, with_noise(actor, name.dirfd), name.at, flags, attribute);
	say(actor, rc, calls[kind], "%s/%d, %s, %#x", name.shown, fd, attribute, (unsigned)flags);
}

#endif
