/* What the kernel must offer. Every probe uses the feature, none trusts a version number. */
#ifndef GK_SYS_PROBE_H
#define GK_SYS_PROBE_H

#include "base/attr.h"

#include <stddef.h>

/* 0, or -errno with one line in why that says what is missing and what would mend it. */
int gk_probe_requirements(char *why, size_t capacity) GK_MUST_CHECK;

/* The same for runs that the hook enforces: no filter, and Landlock where there is one. */
int gk_probe_hook(char *why, size_t capacity) GK_MUST_CHECK;

#endif
