/* The kernel's rule for O_CREAT on a file that is there, in a sticky directory that others write to. */
#include "supervise/sticky.h"

#include "test/check.h"

#include <errno.h>
#include <stddef.h>

enum { CALLER = 1000, OTHER = 1001, ROOT = 0 };

static int judged(int setting, mode_t directory, uid_t directory_owner, mode_t type, uid_t owner) {
	const struct gk_sticky sticky = {.regular = S_ISREG(type) ? setting : 0, .fifos = S_ISFIFO(type) ? setting : 0};
	const struct stat parent = {.st_mode = S_IFDIR | directory, .st_uid = directory_owner};
	const struct stat file = {.st_mode = type | 0666, .st_uid = owner};
	return gk_sticky_judge(sticky, &parent, &file, CALLER);
}

static void check_type(mode_t type) {
	CHECK(judged(1, 01777, ROOT, type, OTHER) == -EACCES);
	CHECK(judged(2, 01777, ROOT, type, OTHER) == -EACCES);
	CHECK(judged(0, 01777, ROOT, type, OTHER) == 0, "the setting is off");
	CHECK(judged(2, 0777, ROOT, type, OTHER) == 0, "not sticky");
	CHECK(judged(2, 01755, ROOT, type, OTHER) == 0, "nobody else writes there");
	CHECK(judged(2, 01777, ROOT, type, CALLER) == 0, "the caller's own");
	CHECK(judged(2, 01777, ROOT, type, ROOT) == 0, "of the directory's owner");
	CHECK(judged(2, 01777, OTHER, type, OTHER) == 0, "of the directory's owner, who is neither root nor the caller");
	CHECK(judged(2, 01777, CALLER, type, OTHER) == -EACCES, "the caller's directory, another's file");
	CHECK(judged(1, 01775, ROOT, type, OTHER) == 0, "a group's directory, at 1");
	CHECK(judged(2, 01775, ROOT, type, OTHER) == -EACCES, "a group's directory, at 2");
}

static void settings_are_for_their_own_type(void) {
	const struct stat parent = {.st_mode = S_IFDIR | 01777}, file = {.st_mode = S_IFREG | 0666, .st_uid = OTHER};
	const struct stat fifo = {.st_mode = S_IFIFO | 0666, .st_uid = OTHER};
	CHECK(gk_sticky_judge((struct gk_sticky){.regular = 0, .fifos = 2}, &parent, &file, CALLER) == 0);
	CHECK(gk_sticky_judge((struct gk_sticky){.regular = 2, .fifos = 0}, &parent, &fifo, CALLER) == 0);
}

int main(void) {
	check_type(S_IFREG);
	check_type(S_IFIFO);
	settings_are_for_their_own_type();
	return gk_check_status();
}
