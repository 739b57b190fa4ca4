/* What the hook asks the supervisor in a run that the hook alone enforces, and how. One connection (SOCK_SEQPACKET) a question. Both sides
 * are of one build, so the layout is the compiler's. */
#ifndef GK_WIRE_DOOR_H
#define GK_WIRE_DOOR_H

#include "base/attr.h"
#include "base/bytes.h"

/* In the run's directory: the socket, and a number that changes with the policy. */
#define GK_DOOR_SOCKET "denials"
#define GK_DOOR_GENERATION "generation"
#define GK_DOOR_VERSION 1U

/* A path is judged by its text; a call is materialised by the supervisor from the asker's own memory and descriptors. */
enum gk_door_kind { GK_DOOR_PATH, GK_DOOR_MOVE, GK_DOOR_CALL };

struct gk_door_request {
	uint32_t version, kind;
	int32_t nr;	 /* the system call that is asked about, for the receipt */
	uint32_t action; /* of a path */
	uint64_t args[6];
	uint32_t stale;	  /* the asker's policy is not in force any more, or never tells all: it asks about everything */
	uint32_t vouched; /* a command that an allow rule matched started the asker */
	uint32_t first, second; /* lengths of the paths that follow, one behind the other */
};

struct gk_door_answer {
	int32_t error;	   /* 0 go on, 1 the call was made already, or -errno */
	uint32_t vouched; /* what is executed may start helpers */
};

/* Asks whoever listens in directory, which is a run's; first and second go with the request, whose lengths are theirs. Uses no function of libc, whose calls may be hooked, and leaves errno alone. 0, or
 * -errno when there is no answer. */
int gk_door_ask(const char *directory, const struct gk_door_request *request, struct gk_slice first, struct gk_slice second,
		struct gk_door_answer *out) GK_MUST_CHECK;

#endif
