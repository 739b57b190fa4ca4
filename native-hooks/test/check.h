/* Checks of the C tests: a failed one says where and what, and the program goes on; gk_check_status() is main's return. */
#ifndef GK_TEST_CHECK_H
#define GK_TEST_CHECK_H

#include <stdio.h>

static unsigned gk_check_failures;

#define CHECK(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			gk_check_failures++;                                                       \
			fprintf(stderr, "%s:%d: not so: %s:", __FILE__, __LINE__, #condition);    \
			fprintf(stderr, " " __VA_ARGS__);                                           \
			fputc('\n', stderr);                                                       \
		}                                                                                  \
	} while (0)

static inline int gk_check_status(void) {
	return gk_check_failures == 0 ? 0 : 1;
}

#endif
