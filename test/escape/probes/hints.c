/* Hints that lie: opens that say in the upper half of a register that nobody need be asked (native-hooks/include/gk_hint.gen.h). A technique tries
 * each of its forms; it has worked when all have, and when any has that should not it says which. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC (0x676b6869UL << 32)
#define LARGEFILE 0100000

/* A descriptor, or -1 with errno. */
struct form {
	const char *name;
	int (*try)(char **argv);
};

static int hinted(int dirfd, const char *path, unsigned long flags) {
	return (int)syscall(SYS_openat, dirfd, path, MAGIC | flags, 0600);
}

/* 0 when all forms worked; the errno of the last when none did; else the names of those that worked are printed. */
static int try_all(const struct form *forms, char **argv) {
	int worked = 0, count = 0, error = 0;
	char names[512] = "";
	for (const struct form *form = forms; form->name != NULL; form++, count++) {
		int fd = form->try(argv);
		if (fd < 0) {
			error = errno;
			continue;
		}
		close(fd);
		worked++;
		strcat(strcat(names, " "), form->name);
	}
	if (worked == 0 || worked == count)
		return worked == 0 ? error : 0;
	fprintf(stderr, "only these worked:%s\n", names);
	exit(1);
}

static int with_harmless_flags(char **argv) {
	const int flags[] = {O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_CLOEXEC, LARGEFILE};
	int fd = -1;
	for (unsigned pick = 0; pick < 1U << 5 && fd < 0; pick++) {
		unsigned long chosen = 0;
		for (unsigned i = 0; i < 5; i++)
			chosen |= pick & 1U << i ? (unsigned long)flags[i] : 0;
		fd = hinted(AT_FDCWD, argv[0], chosen);
	}
	return fd;
}

static int with_noatime(char **argv) {
	return hinted(AT_FDCWD, argv[0], O_NOATIME);
}

static int from_a_directory(char **argv) {
	char copy[PATH_MAX], name[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", argv[0]);
	snprintf(name, sizeof name, "%s", argv[0]);
	int directory = open(dirname(copy), O_PATH | O_DIRECTORY);
	return directory < 0 ? -1 : hinted(directory, basename(name), O_CLOEXEC);
}

static int through_the_root(char **argv) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "/proc/self/root%s", argv[0]);
	return hinted(AT_FDCWD, path, 0);
}

static int through_a_path_descriptor(char **argv) {
	char path[64];
	int fd = open(argv[0], O_PATH);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fd < 0 ? -1 : hinted(AT_FDCWD, path, 0);
}

/* argv[1]: a link that leads there. */
static int through_a_link(char **argv) {
	return hinted(AT_FDCWD, argv[1], 0);
}

static int said_in_open(char **argv) {
	return (int)syscall(SYS_open, argv[0], MAGIC | O_RDONLY);
}

static int said_of_the_directory(char **argv) {
	return (int)syscall(SYS_openat, MAGIC | (unsigned)AT_FDCWD, argv[0], O_RDONLY, MAGIC);
}

static int said_in_openat2(char **argv) {
	struct open_how how = {.flags = O_RDONLY};
	return (int)syscall(SYS_openat2, MAGIC | (unsigned)AT_FDCWD, argv[0], &how, sizeof how, MAGIC);
}

static int read_by_hint(char **argv) {
	static const struct form forms[] = {
		{"flags", with_harmless_flags},	 {"noatime", with_noatime},	    {"directory", from_a_directory},
		{"root", through_the_root},	 {"path-descriptor", through_a_path_descriptor}, {"link", through_a_link},
		{"open", said_in_open},		 {"dirfd", said_of_the_directory},  {"openat2", said_in_openat2},
		{NULL, NULL},
	};
	int error = try_all(forms, argv);
	return error != 0 ? error : spill(hinted(AT_FDCWD, argv[0], 0));
}

static int to_write(char **argv) {
	return hinted(AT_FDCWD, argv[0], O_WRONLY);
}

static int to_read_and_write(char **argv) {
	return hinted(AT_FDCWD, argv[0], O_RDWR | O_CLOEXEC);
}

static int to_append(char **argv) {
	return hinted(AT_FDCWD, argv[0], O_WRONLY | O_APPEND);
}

static int to_empty(char **argv) {
	return hinted(AT_FDCWD, argv[0], O_TRUNC);
}

static int to_control(char **argv) {
	return hinted(AT_FDCWD, argv[0], 3);
}

/* argv[1]: a name that is not there. */
static int to_create(char **argv) {
	return hinted(AT_FDCWD, argv[1], O_CREAT);
}

static int to_create_nameless(char **argv) {
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", argv[1]);
	return hinted(AT_FDCWD, dirname(copy), O_TMPFILE | O_RDWR);
}

static int change_by_hint(char **argv) {
	static const struct form forms[] = {
		{"write", to_write}, {"read-write", to_read_and_write}, {"append", to_append},		{"truncate", to_empty},
		{"ioctl", to_control}, {"create", to_create},	       {"tmpfile", to_create_nameless}, {NULL, NULL},
	};
	return try_all(forms, argv);
}

static int list_plain(char **argv) {
	return hinted(AT_FDCWD, argv[0], O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
}

static int list_without_saying(char **argv) {
	return hinted(AT_FDCWD, argv[0], 0);
}

static int list_through_the_root(char **argv) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "/proc/self/root%s", argv[0]);
	return hinted(AT_FDCWD, path, O_DIRECTORY);
}

static int list_by_hint(char **argv) {
	static const struct form forms[] = {
		{"opendir", list_plain}, {"no-directory", list_without_saying}, {"root", list_through_the_root}, {NULL, NULL}};
	return try_all(forms, argv);
}

/* Two moves (of argv[0] to argv[1], of argv[2] to argv[3]), and what lies at argv[4] by then. The kernel's rules go with a directory, not with its name. */
static int read_by_hint_what_moved(char **argv) {
	int moved = rename(argv[0], argv[1]) == 0 && rename(argv[2], argv[3]) == 0;
	int error = errno;
	return moved ? spill(hinted(AT_FDCWD, argv[4], 0)) : error;
}

const struct technique hint_techniques[] = {
	{"hinted-read", read_by_hint, 2},
	{"hinted-change", change_by_hint, 2},
	{"hinted-list", list_by_hint, 1},
	{"hinted-move", read_by_hint_what_moved, 5},
	{NULL, NULL, 0},
};
