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

int main(void) {
	places_that_are_shown_once_have_one_name();
	a_bind_mount_gives_names_in_both_directions();
	a_file_can_be_mounted();
	a_file_system_can_be_mounted_twice();
	return gk_check_status();
}
