/* Settings that make git run a program, read a file as configuration, or talk through a helper of the setter's choice. */
#ifndef GK_SUPERVISE_GIT_DANGEROUS_H
#define GK_SUPERVISE_GIT_DANGEROUS_H

#include <stdbool.h>

/* section and name in lower case, subsection as written. */
bool gk_git_is_dangerous(const char *section, const char *subsection, const char *name, const char *value);

#endif
