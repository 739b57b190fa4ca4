/* The argument vector of an execve, copied once from the caller's memory. */
#ifndef GK_SUPERVISE_SPAWN_ARGUMENTS_H
#define GK_SUPERVISE_SPAWN_ARGUMENTS_H

#include "supervise/call.h"

/* The kernel's own limits: fs/exec.c (bprm_set_stack_limits at an unlimited stack), MAX_ARG_STRLEN. */
#define GK_ARGUMENTS_MAX (6U << 20)
#define GK_ARGUMENT_MAX (128U << 10)

/* Strings that each end in NUL, the way /proc/PID/cmdline shows them. An empty vector counts as one empty string, as the kernel
 * makes it since 5.18. Zeroed before use. */
struct gk_arguments {
	uint8_t *bytes; /* owned unless it is brief */
	size_t length, capacity;
	uint8_t brief[1024];
};

/* 0, or what the kernel would answer: -EFAULT, -E2BIG, -ENOMEM; -ESRCH when the caller is gone. */
int gk_arguments_read(struct gk_call *call, uint64_t vector, struct gk_arguments *out) GK_MUST_CHECK;
void gk_arguments_free(struct gk_arguments *arguments);

static inline struct gk_slice gk_arguments_slice(const struct gk_arguments *arguments) {
	return gk_slice(arguments->bytes, arguments->length);
}

#endif
