/* Runs a program under the file handlers alone, for comparison with a bare run and for timing:
 *   files_tool [-r PATTERN] [-w PATTERN] [-d PATTERN] [-g PATTERN] [-R ROOT] -- PROGRAM ARGS
 * Reading, writing, deleting what a pattern matches is denied; -g as the built-in guards do it. */
#include "test/files_run.h"

static int execute(void *context) {
	char **arguments = context;
	execvp(arguments[0], arguments);
	return 127;
}

static void add(const char *list[RUN_DENY_MAX], const char *pattern) {
	for (int i = 0; i < RUN_DENY_MAX; i++)
		if (list[i] == NULL) {
			list[i] = pattern;
			return;
		}
}

int main(int argc, char **argv) {
	struct run_policy policy = {.root = NULL};
	for (int option; (option = getopt(argc, argv, "+r:w:d:g:R:")) != -1;) {
		if (option == 'r')
			add(policy.deny_read, optarg);
		else if (option == 'w')
			add(policy.deny_write, optarg);
		else if (option == 'd')
			add(policy.deny_delete, optarg);
		else if (option == 'g')
			add(policy.guarded, optarg);
		else if (option == 'R')
			policy.root = optarg;
		else
			return 2;
	}
	if (optind == argc)
		return 2;
	return run_supervised(&policy, execute, argv + optind);
}
