#include "supervise/tree.h"

#include "test/check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int count(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at) {
	(void)directory, (void)name, (void)type, (void)at;
	++*(int *)context;
	return 0;
}

static int walk(int directory, int *names) {
	char path[PATH_MAX] = "/";
	struct stat st;
	CHECK(fstat(directory, &st) == 0);
	struct gk_tree_name at = {.length = 1};
	struct gk_tree tree = {.visit = count, .context = names, .names_left = 10, .device = st.st_dev, .path = path};
	return gk_tree_walk(&tree, directory, &at);
}

/* Temporary directories come and go while the walk is on its way. */
static void a_directory_removed_since_it_was_opened_holds_nothing(void) {
	char name[] = "/tmp/gk-tree-XXXXXX";
	CHECK(mkdtemp(name) != NULL);
	int directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(directory >= 0 && rmdir(name) == 0);
	int names = 0;
	CHECK(walk(directory, &names) == 0 && names == 0);
	close(directory);
}

static void what_is_no_directory_ends_the_walk(void) {
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), names = 0;
	CHECK(null >= 0 && walk(null, &names) < 0);
	close(null);
}

int main(void) {
	a_directory_removed_since_it_was_opened_holds_nothing();
	what_is_no_directory_ends_the_walk();
	return gk_check_status();
}
