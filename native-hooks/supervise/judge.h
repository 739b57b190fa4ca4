/* The supervisor's one door to decisions and receipts: judge, then record, before anything is released. */
#ifndef GK_SUPERVISE_JUDGE_H
#define GK_SUPERVISE_JUDGE_H

#include "image/decide.h"
#include "supervise/call.h"

/* What a receipt tells besides the verdict. Unset slices have at == NULL. */
struct gk_subject {
	enum gk_action action;
	struct gk_slice target;	 /* canonical path, or address text */
	struct gk_slice target2; /* the other name of a rename or link */
	struct gk_slice command;
	uint16_t port;
	const struct gk_naming *naming; /* of a command */
};

/* What else a command was judged by, so that it can be judged again from its receipt alone. Unset slices have length 0. */
struct gk_naming {
	struct gk_slice alias;	     /* the link that it was called through */
	struct gk_slice called;	     /* argv[0]'s base name where it is another than theirs */
	struct gk_slice interpreter; /* of a script, by its canonical path */
	struct gk_slice line;	     /* what stands between the interpreter and the caller's arguments, as a command's text */
	bool by_interpreter;	     /* the command is the interpreter's */
	uint64_t program_may_write, alias_may_write, interpreter_may_write; /* gk_place_may_write */
};

/* Decides action on the canonical path and records what is worth a receipt. 0: go on. -EACCES: refused (recorded).
 * In a simulated run a refusal is recorded as would-deny and 0 is returned. What is lent to the run (supervise/lent.h) it may read. */
int gk_judge_path(struct gk_call *call, enum gk_action action, struct gk_slice path) GK_MUST_CHECK;
/* Whether it would surely return 0 and leave no receipt; false is no verdict. */
bool gk_path_is_free(struct gk_call *call, enum gk_action action, struct gk_slice path);

/* What the host shows at another place as well (supervise/mounts.h) is refused when a rule refuses it there; part of gk_judge_path. */
int gk_judge_other_names(struct gk_call *call, enum gk_action action, struct gk_slice path) GK_MUST_CHECK;

/* Applies a verdict that the caller obtained itself (commands, addresses). Same returns. */
int gk_judge_verdict(struct gk_call *call, const struct gk_subject *subject, const struct gk_verdict *verdict) GK_MUST_CHECK;

/* A refusal that no rule can lift: recorded with source protection (or internal for reasons that are failures of ours), then
 * -EACCES. Not softened by a simulated run when the reason guards gatekeeper itself (GK_REASON_SELF_PROTECTION,
 * FOREIGN_PROCESS, EXEC_MISMATCH, UNREADABLE_MEMORY, JOURNAL_FAILED, RESOURCES): protection is not policy. */
int gk_refuse(struct gk_call *call, const struct gk_subject *subject, enum gk_reason reason) GK_MUST_CHECK;

/* A note in the journal (mismatch, kill …). Never fails: a note that cannot be written is counted and retried at the run's end. */
void gk_note(struct gk_call *call, const char *kind, struct gk_slice text);

#endif
