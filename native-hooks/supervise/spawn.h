/* Judging a command: which rule speaks for it, and whether it may start helpers. */
#ifndef GK_SUPERVISE_SPAWN_H
#define GK_SUPERVISE_SPAWN_H

#include "image/decide.h"
#include "supervise/call.h"
#include "supervise/command_text.h"

/* A command as it would run. Unset slices have length 0. */
struct gk_command {
	struct gk_slice program;   /* canonical path of the file that was named (a script counts as itself) */
	struct gk_slice alias;	   /* canonical directory and name of the link it was called through, when that differs */
	struct gk_slice arguments; /* NUL-terminated strings, argv[0] first */
	bool script;		   /* argv[0] then reaches nobody */
	bool loader;		   /* a dynamic loader, which would run any file */
	bool covered;		   /* started by a command that an allow rule vouches for */
	bool typed;		   /* what the user typed */
};

struct gk_command_verdict {
	struct gk_verdict verdict;
	bool covered; /* the new program may start helpers */
	bool loader;  /* refused because it is a loader that no rule names */
	uint8_t shown_bytes[GK_COMMAND_SHOWN];
	struct gk_command_text base, path; /* owned: gk_command_verdict_free */
	struct gk_slice shown;		   /* for the receipt */
	/* What was asked of the machine, for who decides once more: gk_place_may_write of program and alias, and argv[0]'s base
	 * name where it is another than theirs, "/" when it is none. */
	uint64_t program_may_write, alias_may_write;
	struct gk_slice called;
};

/* 0, -EOVERFLOW when the text is too long to be decided upon, or -ENOMEM. */
int gk_command_decide(struct gk_supervisor *supervisor, const struct gk_command *command,
		      struct gk_command_verdict *out) GK_MUST_CHECK;
void gk_command_verdict_free(struct gk_command_verdict *verdict);

/* Whether the run could put another file at this canonical path: by writing it, or by writing a directory above it. */
bool gk_place_is_writable(struct gk_supervisor *supervisor, struct gk_slice path);
/* Which names on the way down to the path the user may write, whatever the policy says: bit 0 is the one beneath the root, all from the 64th
 * on are bit 63. All ones for what is no canonical path. */
uint64_t gk_place_may_write(struct gk_supervisor *supervisor, struct gk_slice path);

#endif
