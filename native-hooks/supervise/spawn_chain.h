/* Which files an exec will have the kernel open: the program, the interpreters of a script, the dynamic loader. */
#ifndef GK_SUPERVISE_SPAWN_CHAIN_H
#define GK_SUPERVISE_SPAWN_CHAIN_H

#include "supervise/program.h"
#include "supervise/resolve.h"

/* The caller's spelling, and /dev/fd/N/ before it. */
#define GK_SPAWN_NAME_MAX (PATH_MAX + 32)
/* Every interpreter and its argument, and the script's name. */
#define GK_SPAWN_PREFIX_MAX (GK_SPAWN_NAME_MAX + GK_PROGRAM_LEVELS * 2 * GK_PROGRAM_HEAD)

struct gk_chain {
	struct gk_object next;	   /* the interpreter that is being looked at */
	struct gk_program program; /* what the last file is */
	struct stat image;	   /* what /proc/PID/exe will be */
	size_t interpreter_length; /* its canonical path, when it is an interpreter */
	char interpreter[PATH_MAX];
	bool script, loader;
	/* What stands before the caller's arguments after the first in the new command line: filled from the end. */
	size_t prefix_start;
	uint8_t prefix[GK_SPAWN_PREFIX_MAX];
};

/* Follows the chain from the named program, judging every file in it for reading. name: what the kernel calls the file towards an
 * interpreter. 0, or the negative errno to answer; refusals are recorded. */
int gk_chain_follow(struct gk_call *call, const struct gk_object *program, struct gk_slice name,
		    struct gk_chain *chain) GK_MUST_CHECK;

/* What can be said of a file before the kernel tries to execute it; only a refusal is recorded. 0 or -errno. */
int gk_chain_admit(struct gk_call *call, const struct gk_object *object) GK_MUST_CHECK;

static inline struct gk_slice gk_chain_prefix(const struct gk_chain *chain) {
	return gk_slice(chain->prefix + chain->prefix_start, sizeof(chain->prefix) - chain->prefix_start);
}

#endif
