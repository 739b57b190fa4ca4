/* git writes the files that tell it where its configuration lies (git_pointer.h) after their names exist. The run never gets such a file open
 * for writing: it writes a draft in memory, and what it has written when it is done is read once, judged, and put in place by the supervisor.
 * Until then an empty file bears the name, or what was there before. git obeys neither more than it did. */
#ifndef GK_SUPERVISE_GIT_DRAFT_H
#define GK_SUPERVISE_GIT_DRAFT_H

#include "supervise/git_pointer.h"
#include "supervise/open.h"

struct gk_git_drafts; /* of a run */
int gk_git_drafts_open(struct gk_git_drafts **out) GK_MUST_CHECK;

/* Whether a file of that name is to be written as a draft: .git always, the others where only the built-in guards deny to write them. */
bool gk_git_draft_needed(struct gk_call *call, struct gk_slice path);

/* Answers the call with a draft of a file that is made (held: the mutation lock; judged: all but the guard), or of one
 * that is there. 0, or -errno without an answer. */
int gk_git_draft_new(struct gk_call *call, const struct gk_place *place, const struct gk_open_request *request) GK_MUST_CHECK;
int gk_git_draft_existing(struct gk_call *call, const struct gk_object *object, const struct gk_open_request *request) GK_MUST_CHECK;

/* Puts what nobody writes any more in place, or refuses it (recorded). Called before each call of the run, which may look for it, and at its end.
 * A look that is no trapped call (stat) may come too early. */
void gk_git_drafts_settle(struct gk_supervisor *supervisor);

#endif
