/* What approved execs are expected to become, from the verdict to the first trapped call of the new program. */
#ifndef GK_SUPERVISE_EXPECT_H
#define GK_SUPERVISE_EXPECT_H

#include "supervise/birthmark.h"
#include "sys/sha256.h"

struct gk_expectation {
	pid_t tgid, tid; /* process, and the thread that called */
	struct gk_birthmark before;
	dev_t device; /* what /proc/<tgid>/exe will be */
	ino_t inode;
	size_t length; /* of /proc/<tgid>/cmdline, and its digest */
	uint8_t digest[GK_SHA256_BYTES];
	bool covered;	     /* the new image may start helpers */
	bool covered_before; /* the old one could */
	struct gk_receipts receipts; /* by which it was approved: whoever sees what became of it records that */
	uint64_t serial;     /* names this expectation; set when it is added */
};

struct gk_expectations;
int gk_expectations_open(struct gk_expectations **out) GK_MUST_CHECK;
void gk_expectations_close(struct gk_expectations *all);

/* Adds what this thread's exec was approved as; threads of one process may have one open each, and the first wins. Replaces the
 * thread's own former one, which has failed. 0; -EAGAIN when too many are open; -ESRCH when the process is gone. */
int gk_expectations_add(struct gk_expectations *all, const struct gk_expectation *expectation) GK_MUST_CHECK;
/* Copies the next expectation of the process with a serial above after (0 for the first). One atomic load when nothing is
 * expected of anybody. */
bool gk_expectations_next(struct gk_expectations *all, pid_t tgid, uint64_t after, struct gk_expectation *out);
/* Forgets those of one thread of the process, whose exec failed, or (tid 0) all. */
void gk_expectations_drop(struct gk_expectations *all, pid_t tgid, pid_t tid);

#endif
