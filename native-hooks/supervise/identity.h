/* Files with several names: a harmless name of a file that the policy denies under another one. */
#ifndef GK_SUPERVISE_IDENTITY_H
#define GK_SUPERVISE_IDENTITY_H

#include "supervise/files.h"

int gk_identities_open(struct gk_identities **out) GK_MUST_CHECK;

/* For a regular file with several links: refuses action when another of its names is denied by a rule. Looks for such names
 * only now, and remembers what it found. 0 or -EACCES. */
int gk_identity_judge(struct gk_call *call, enum gk_action action, const struct gk_object *object) GK_MUST_CHECK;

/* The run itself gave the judged object another (judged) name: its change time says nothing new. */
void gk_identity_linked(struct gk_call *call, const struct gk_object *object);

#endif
