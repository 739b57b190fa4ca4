#include "supervise/tree.h"

#include "test/check.h"
#include "test/files_run.h"

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

static int enter(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at) {
	count(context, directory, name, type, at);
	return 1;
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

static int walk_from(int directory, bool skip, bool named, bool *shut, int *names) {
	char path[PATH_MAX] = "/";
	*names = 0;
	struct stat st;
	CHECK(fstat(directory, &st) == 0 && lseek(directory, 0, SEEK_SET) == 0);
	struct gk_tree_name at = {.length = 1};
	static const struct run_policy policy;
	struct gk_tree tree = {.visit = enter, .context = names, .names_left = 10000, .device = st.st_dev, .path = named ? path : NULL,
			       .skip_unreadable = skip};
	run_image(&policy, &tree.image);
	gk_cursor_start(tree.image, GK_ACTION_FILE_READ, &at.cursor[0]);
	gk_cursor_start(tree.image, GK_ACTION_FILE_WRITE, &at.cursor[1]);
	int rc = gk_tree_walk(&tree, directory, &at);
	*shut = tree.shut;
	return rc;
}

/* Whoever may write to a temporary directory can make them. */
static void directories_too_deep_are_passed_over(const char *name, int levels, bool by_name_only) {
	char top[] = "/tmp/gk-tree-XXXXXX";
	CHECK(mkdtemp(top) != NULL);
	int above[GK_TREE_DEPTH_MAX + 8] = {open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	for (int i = 0; i < levels; i++) {
		CHECK(mkdirat(above[i], name, 0700) == 0);
		above[i + 1] = openat(above[i], name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	bool shut;
	int names;
	CHECK(walk_from(above[0], true, true, &shut, &names) == 0 && shut, "%d levels", levels);
	CHECK(walk_from(above[0], false, true, &shut, &names) < 0, "%d levels", levels);
	CHECK(walk_from(above[0], true, false, &shut, &names) == 0 && shut == !by_name_only, "%d levels", levels);
	CHECK((names == levels) == by_name_only, "%d of %d levels", names, levels);
	for (int i = levels; i-- > 0; close(above[i + 1]))
		CHECK(unlinkat(above[i], name, AT_REMOVEDIR) == 0);
	close(above[0]);
	CHECK(rmdir(top) == 0);
}

int main(void) {
	char long_name[NAME_MAX + 1] = {0};
	memset(long_name, 'd', NAME_MAX);
	directories_too_deep_are_passed_over(long_name, PATH_MAX / NAME_MAX + 2, true);
	directories_too_deep_are_passed_over("d", GK_TREE_DEPTH_MAX + 4, false);
	a_directory_removed_since_it_was_opened_holds_nothing();
	what_is_no_directory_ends_the_walk();
	return gk_check_status();
}
