/* Which program image a process runs, told apart from every other: exec makes a new mark, fork and vfork keep it. */
#ifndef GK_SUPERVISE_BIRTHMARK_H
#define GK_SUPERVISE_BIRTHMARK_H

#include "supervise/call.h"

/* Where the kernel's address space layout randomisation put things at exec, and the 16 random bytes it left on the stack. The
 * addresses come from the auxiliary vector that the kernel keeps for itself; a process cannot change them (PR_SET_MM is
 * refused), and without randomisation the random bytes still differ. */
struct gk_birthmark {
	uint64_t words[8];
};

/* Of the calling process. 0; -ESRCH when it is gone; -EACCES … when it cannot be looked into. */
int gk_birthmark_read(struct gk_call *call, struct gk_birthmark *out) GK_MUST_CHECK;

static inline bool gk_birthmark_equal(const struct gk_birthmark *a, const struct gk_birthmark *b) {
	return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
