/* Terminals: typing into one's own, and reaching others'. */
#define _GNU_SOURCE
#include "probe.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

/* A terminal of one's own that controls this process, whose standard input it becomes. 0 or errno. */
static int take_terminal(void) {
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || (setsid() < 0 && getpgrp() != getpid()))
		return errno;
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0 || dup2(slave, 0) < 0)
		return errno;
	return 0;
}

/* argv: the command's upper half. What is typed here would be read by the shell after the run. */
static int by_typing(char **argv) {
	int error = take_terminal();
	return error ? error : FAILED(SYS_ioctl, 0, TIOCSTI | strtoul(argv[0], NULL, 0) << 32, "x");
}

/* argv: command. Those that paste, redirect the console, change keys or the line discipline. */
static int by_command(char **argv) {
	char argument[64] = {2};
	int error = take_terminal();
	return error ? error : FAILED(SYS_ioctl, 0, strtoul(argv[0], NULL, 0), argument);
}

/* argv: path of a terminal that somebody else made */
static int by_writing(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_WRONLY | O_NOCTTY);
	return fd < 0 ? errno : FAILED(SYS_write, fd, "\033]0;SECRET\007", 11);
}

static int by_reading(char **argv) {
	int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? errno : 0;
}

/* argv: number of another terminal. Terminals of one's own are made until their numbers surround it: it stays somebody else's. */
static int by_neighbour(char **argv) {
	for (int i = 0; i < 8; i++)
		if (posix_openpt(O_RDWR | O_NOCTTY) < 0)
			return errno;
	return by_writing(argv);
}

const struct technique terminal_techniques[] = {
	{"typing", by_typing, 1},
	{"terminal-command", by_command, 1},
	{"terminal-write", by_writing, 1},
	{"terminal-read", by_reading, 1},
	{"terminal-neighbour", by_neighbour, 1},
	{NULL, NULL, 0},
};
