/* Random changes to names: making, linking, moving and removing. */
#ifndef GK_TEST_CALLS_CHANGES_H
#define GK_TEST_CALLS_CHANGES_H

#include "test/calls_opens.h"

#include <linux/fs.h>
#include <sys/sysmacros.h>

static inline void step_mkdir(struct actor *actor) {
	struct name name;
	bool at = chance(actor, 50);
	make_name(actor, at, &name);
	unsigned mode = chance(actor, 60) ? 0755 : random_mode(actor);
	if (!name_stays_inside(actor, &name))
		return;
	long rc = at ? syscall(SYS_mkdirat, with_noise(actor, name.dirfd), name.at, with_noise(actor, mode))
		     : syscall(SYS_mkdir, name.at, with_noise(actor, mode));
	say(actor, rc, at ? "mkdirat" : "mkdir", "%s, %#o", name.shown, mode);
}

static inline void step_mknod(struct actor *actor) {
	static const unsigned types[] = {S_IFREG, 0, S_IFIFO, S_IFIFO, S_IFSOCK, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, 0150000};
	struct name name;
	bool at = chance(actor, 50);
	make_name(actor, at, &name);
	unsigned mode = PICK(actor, types) | (random_mode(actor) & 07777);
	long device = (long)makedev(1, 3);
	if (!name_stays_inside(actor, &name))
		return;
	long rc = at ? syscall(SYS_mknodat, with_noise(actor, name.dirfd), name.at, with_noise(actor, mode), device)
		     : syscall(SYS_mknod, name.at, with_noise(actor, mode), device);
	say(actor, rc, at ? "mknodat" : "mknod", "%s, %#o", name.shown, mode);
}

static inline void step_symlink(struct actor *actor) {
	char text[ACTOR_TEXT];
	struct name name;
	make_link_text(actor, text);
	bool at = chance(actor, 50);
	make_name(actor, at, &name);
	const char *target = chance(actor, 99) ? text : NULL;
	if (!name_stays_inside(actor, &name))
		return;
	long rc = at ? syscall(SYS_symlinkat, target, with_noise(actor, name.dirfd), name.at)
		     : syscall(SYS_symlink, target, name.at);
	say(actor, rc, at ? "symlinkat" : "symlink", "\"%.60s\", %s", target == NULL ? "NULL" : text, name.shown);
}

static inline void step_link(struct actor *actor) {
	static const int odd[] = {0, 0, AT_SYMLINK_FOLLOW, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH, AT_REMOVEDIR};
	struct name old, new;
	bool at = chance(actor, 70);
	make_name(actor, at, &old);
	make_name(actor, at, &new);
	int flags = at ? PICK(actor, odd) : 0;
	if (at && chance(actor, 15)) { /* a nameless file gets a name */
		old.text[0] = '\0';
		add_own_descriptor(actor, old.text);
		old.at = old.text;
		old.readable = true;
		show_name(&old);
	}
	if (!name_stays_inside(actor, &old) || !name_stays_inside(actor, &new))
		return;
	long rc = at ? syscall(SYS_linkat, with_noise(actor, old.dirfd), old.at, with_noise(actor, new.dirfd), new.at,
			       with_noise(actor, flags))
		     : syscall(SYS_link, old.at, new.at);
	say(actor, rc, at ? "linkat" : "link", "%s, %s, %#x", old.shown, new.shown, (unsigned)flags);
}

static inline void step_rename(struct actor *actor) {
	/* RENAME_WHITEOUT is left out: it makes a device node. */
	static const unsigned odd[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE, 8};
	struct name old, new;
	unsigned kind = below(actor, 3), flags = kind == 2 ? PICK(actor, odd) : 0;
	make_name(actor, kind > 0, &old);
	make_name(actor, kind > 0, &new);
	if (!name_stays_inside(actor, &old) || !name_stays_inside(actor, &new) || is_procfs_entry(&old) || is_procfs_entry(&new))
		return;
	long rc;
	if (kind == 0)
		rc = syscall(SYS_rename, old.at, new.at);
	else if (kind == 1)
		rc = syscall(SYS_renameat, with_noise(actor, old.dirfd), old.at, with_noise(actor, new.dirfd), new.at);
	else
		rc = syscall(SYS_renameat2, with_noise(actor, old.dirfd), old.at, with_noise(actor, new.dirfd), new.at,
			     with_noise(actor, flags));
	say(actor, rc, kind == 0 ? "rename" : kind == 1 ? "renameat" : "renameat2", "%s, %s, %#x", old.shown, new.shown, flags);
}

static inline void step_remove(struct actor *actor) {
	static const int odd[] = {0, AT_REMOVEDIR, AT_REMOVEDIR, AT_SYMLINK_FOLLOW};
	struct name name;
	unsigned kind = below(actor, 3);
	int flags = kind == 2 ? PICK(actor, odd) : 0;
	make_name(actor, kind == 2, &name);
	if (!name_stays_inside(actor, &name) || is_procfs_entry(&name))
		return;
	long rc = kind == 0   ? syscall(SYS_unlink, name.at)
		  : kind == 1 ? syscall(SYS_rmdir, name.at)
			      : syscall(SYS_unlinkat, with_noise(actor, name.dirfd), name.at, with_noise(actor, flags));
	say(actor, rc, kind == 0 ? "unlink" : kind == 1 ? "rmdir" : "unlinkat", "%s, %#x", name.shown, (unsigned)flags);
}

#endif
