/* One line for the user on standard error. */
#ifndef GK_LAUNCH_COMPLAIN_H
#define GK_LAUNCH_COMPLAIN_H

#include "base/attr.h"

/* Writes "gatekeeper: …" and a newline in one piece; control bytes are shown as '?', so that a file name cannot drive the
 * terminal. */
void gk_complain(const char *format, ...) GK_PRINTF(1, 2);

#endif
