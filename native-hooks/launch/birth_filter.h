/* The seccomp program of a run whose processes are counted. */
#ifndef GK_LAUNCH_BIRTH_FILTER_H
#define GK_LAUNCH_BIRTH_FILTER_H

#include "base/attr.h"

#include <linux/filter.h>
#include <stddef.h>

/* The same program behind one that brings new processes before the supervisor. *out is allocated; 0 or -errno. */
int gk_birth_filter(const struct sock_filter *program, size_t length, struct sock_filter **out, size_t *out_length) GK_MUST_CHECK;

#endif
