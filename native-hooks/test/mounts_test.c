#include "supervise/mounts.h"
#include "test/check.h"

#include <stdlib.h>
#include <string.h>

/* The other names of path under these mounts, each with a blank behind it. */
static void check_names(const char *mountinfo, const char *path, const char *expected) {
	char *text = strdup(mountinfo), found[2 * PATH_MAX] = "", name[PATH_MAX];
	struct gk_mounts *mounts;
	size_t at = 0, length;
	CHECK(gk_mounts_read(text, &mounts) == 0, "%s", mountinfo);
	while (gk_mounts_next(mounts, gk_slice(path, strlen(path)), &at, name, &length)) {
		strncat(found, name, length);
		strcat(found, " ");
	}
	CHECK(strcmp(found, expected) == 0, "%s is found at '%s'", path, found);
	gk_mounts_close(mounts);
	free(text);
}

static void places_that_are_shown_once_have_one_name(void) {
	const char *usual = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:21 / /proc rw - proc proc rw\n24 22 8:2 / /home rw - ext4 /dev/sda2 rw\n"
			    "25 23 0:21 /sys /proc/sys ro - proc proc rw\n26 22 0:4 net:[4026532] /run/net rw - nsfs nsfs rw\n";
	check_names(usual, "/home/u/x", "");
	check_names(usual, "/proc/sys/x", "");
	check_names("", "/x", "");
	check_names("garbage\n1 2\n", "/x", "");
}

static void a_bind_mount_gives_names_in_both_directions(void) {
	const char *bind = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 8:1 /home/u/.ssh /mnt/k rw - ext4 /dev/sda1 rw\n";
	check_names(bind, "/mnt/k/id", "/home/u/.ssh/id ");
	check_names(bind, "/home/u/.ssh/id", "/mnt/k/id ");
	check_names(bind, "/home/u/.ssh", "/mnt/k ");
	check_names(bind, "/mnt/kk", "");
	check_names(bind, "/home/u/.sshd/id", "");
}

static void a_file_can_be_mounted(void) {
	const char *file = "22 1 8:1 / / rw - ext4 d rw\n23 22 8:1 /a\\040b/.env /plain.txt rw - ext4 d rw\n";
	check_names(file, "/plain.txt", "/a b/.env ");
	check_names(file, "/a b/.env", "/plain.txt ");
}

static void a_file_system_can_be_mounted_twice(void) {
	const char *twice = "22 1 8:1 / / rw - ext4 d rw\n23 22 8:2 / /home rw - ext4 e rw\n24 22 8:2 / /mnt/all rw - ext4 e rw\n"
			    "25 22 8:2 /u/shop /shop rw - ext4 e rw\n";
	check_names(twice, "/home/u/shop/x", "/mnt/all/u/shop/x /shop/x ");
	check_names(twice, "/shop/x", "/home/u/shop/x /mnt/all/u/shop/x ");
	check_names(twice, "/mnt/all", "/home ");
}

/* What keeps directory from having its names for itself: "type at place", and "another name". */
static void check_apart(const char *mountinfo, const char *directory, const char *odd, const char *elsewhere) {
	char *text = strdup(mountinfo), found[PATH_MAX] = "";
	struct gk_mount_table table;
	struct gk_mounts *mounts;
	CHECK(gk_mount_table_read(text, &table) == 0 && gk_mounts_of(&table, &mounts) == 0, "%s", mountinfo);
	const struct gk_mount *mount = gk_mount_table_odd(&table, directory);
	if (mount != NULL)
		snprintf(found, sizeof(found), "%s at %s", mount->type, mount->place);
	CHECK(strcmp(found, odd) == 0, "in %s there is '%s'", directory, found);
	const char *other = gk_mounts_from_elsewhere(mounts, directory);
	CHECK(strcmp(other != NULL ? other : "nowhere", elsewhere) == 0, "%s comes from '%s'", directory, other);
	gk_mounts_close(mounts);
	gk_mount_table_close(&table);
	free(text);
}

static void a_second_procfs_is_seen(void) {
	const char *chroot = "22 1 8:1 / / rw - ext4 d rw\n23 22 0:21 / /proc rw - proc proc rw\n24 22 0:5 / /opt/x/dev rw - devtmpfs d rw\n"
			     "25 22 0:21 / /opt/y/proc rw shared:3 master:1 - proc proc rw\n26 22 8:2 / /opt/disk rw - xfs e rw\n";
	check_apart(chroot, "/usr", "", "nowhere");
	check_apart(chroot, "/opt/y", "proc at /opt/y/proc", "/proc");
	check_apart(chroot, "/opt/y/proc/self", "proc at /opt/y/proc", "/proc");
	check_apart(chroot, "/opt/x", "devtmpfs at /opt/x/dev", "nowhere");
	check_apart(chroot, "/opt/disk", "", "nowhere");
	check_apart(chroot, "/op", "", "nowhere");
}

static void what_is_mounted_last_is_seen(void) {
	const char *stacked = "22 1 8:1 / / rw - ext4 d rw\n23 22 0:21 / /srv rw - fuse.bindfs f rw\n24 22 8:2 / /srv rw - ext4 e rw\n";
	check_apart(stacked, "/srv/x", "", "nowhere");
	check_apart(stacked, "/srv", "fuse.bindfs at /srv", "nowhere");
	check_apart("22 1 0:9 / / rw - fuse.sshfs d rw\n", "/usr", "fuse.sshfs at ", "nowhere");
	check_apart("22 1 8:1 / / rw - overlay d rw\n23 22 0:30 / /net rw - autofs a rw\n", "/net/x", "autofs at /net", "nowhere");
}

static void what_cannot_be_told_counts_as_odd(void) {
	check_apart("", "/usr", "unknown at ", "nowhere");
	check_apart("22 1 8:1 / / rw ext4\n", "/usr", " at ", "nowhere");
	check_apart("22 1 8:1 / / rw - ext4 d rw\n26 22 0:4 net:[4026532] /run/net rw - nsfs nsfs rw\n", "/run", "nsfs at /run/net", "nowhere");
}

static void what_is_shown_elsewhere_as_well_does_not_come_from_there(void) {
	const char *bind = "22 1 8:1 / / rw - ext4 d rw\n23 22 8:1 /home/u/.ssh /opt/k rw - ext4 d rw\n";
	check_apart(bind, "/opt", "", "/home/u/.ssh");
	check_apart(bind, "/opt/k/deep", "", "/home/u/.ssh");
	check_apart(bind, "/home", "", "nowhere");
	check_apart(bind, "/home/u/.ssh/deep", "", "nowhere");
	check_apart(bind, "/usr", "", "nowhere");
	const char *root = "22 1 8:1 / / rw - ext4 d rw\n23 22 8:1 / /mnt/distro rw - ext4 d rw\n";
	check_apart(root, "/usr", "", "nowhere");
	check_apart(root, "/mnt/distro/usr", "", "");
	check_apart(root, "/mnt", "", "");
	const char *twice = "22 1 8:1 / / rw - ext4 d rw\n23 22 8:2 / /home rw - ext4 e rw\n24 22 8:2 / /mnt/all rw - ext4 e rw\n";
	check_apart(twice, "/home/u", "", "/mnt/all");
	check_apart(twice, "/mnt/all/u", "", "/home");
}

int main(void) {
	places_that_are_shown_once_have_one_name();
	a_bind_mount_gives_names_in_both_directions();
	a_file_can_be_mounted();
	a_file_system_can_be_mounted_twice();
	a_second_procfs_is_seen();
	what_is_mounted_last_is_seen();
	what_cannot_be_told_counts_as_odd();
	what_is_shown_elsewhere_as_well_does_not_come_from_there();
	return gk_check_status();
}
