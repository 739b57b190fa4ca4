#include "hook/quiet.h"

#include "hook/hook.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>

#define LINES_AT_ONCE 8
#define LOOKS_AT_ONCE 64
#define TARGETS 8
#define SAME_TARGET_SECONDS 60

/* Written by whoever comes, without a lock: a race costs or spares a line. Times are seconds since the machine's start, and 1. */
static uint32_t lines, looks, last_line, last_look;
static struct {
	uint64_t target;
	uint32_t time;
} told[TARGETS];
static uint32_t next_told;

static uint32_t now(void) {
	struct timespec time = {0};
	(void)gk_raw4(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, (long)&time, 0, 0);
	return (uint32_t)time.tv_sec + 1;
}

bool gk_quiet_may_look(void) {
	if (looks < LOOKS_AT_ONCE) {
		looks++;
		return true;
	}
	uint32_t time = now();
	if (last_look == time)
		return false;
	last_look = time;
	return true;
}

bool gk_quiet_may_tell(uint64_t target) {
	uint32_t time = now();
	for (unsigned i = 0; i < TARGETS; i++)
		if (told[i].target == target && told[i].time != 0 && time - told[i].time < SAME_TARGET_SECONDS)
			return false;
	if (lines >= LINES_AT_ONCE && last_line == time)
		return false;
	lines += lines < LINES_AT_ONCE;
	last_line = time;
	unsigned slot = next_told++ % TARGETS;
	told[slot].target = target;
	told[slot].time = time;
	return true;
}

/* A program that put a regular file, a socket or a device of its own under the number 2 does not expect words in it. A terminal that hands
 * over single keys is drawn by a program, and one with TOSTOP stops whoever writes from the background. */
static bool is_for_reading(void) {
	struct stat stat;
	if (gk_raw4(SYS_fstat, 2, (long)&stat, 0, 0) != 0)
		return false;
	bool same = gk_hook.has_error_output && stat.st_dev == gk_hook.error_device && stat.st_ino == gk_hook.error_inode;
	struct {
		tcflag_t input, output, control, local; /* the kernel's struct termios begins so */
		uint8_t rest[44];
	} terminal;
	if (S_ISCHR(stat.st_mode) && gk_raw4(SYS_ioctl, 2, TCGETS, (long)&terminal, 0) == 0)
		return (terminal.local & ICANON) && !(terminal.local & TOSTOP);
	return same || S_ISFIFO(stat.st_mode);
}

/* A pipe that nobody reads any more would end the process, a full one stop it. */
static bool has_room(void) {
	struct pollfd output = {.fd = 2, .events = POLLOUT};
	return gk_raw4(SYS_poll, (long)&output, 1, 0, 0) == 1 && output.revents == POLLOUT;
}

void gk_quiet_tell(const char *text, size_t length) {
	if (is_for_reading() && has_room())
		(void)gk_raw4(SYS_write, 2, (long)text, (long)length, 0);
}

uint64_t gk_quiet_hash(uint64_t before, const void *bytes, size_t length) {
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		before = (before ^ at[i]) * 0x100000001b3ULL;
	return before;
}
