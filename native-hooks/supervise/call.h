/* One trapped system call on its way through materialise, decide, execute. */
#ifndef GK_SUPERVISE_CALL_H
#define GK_SUPERVISE_CALL_H

#include "base/attr.h"
#include "base/bytes.h"

#include <linux/limits.h>
#include <stdint.h>
#include <sys/types.h>

struct gk_supervisor;
struct gk_task;

/* How a call is answered. Handlers fill it once; the loop sends it. */
enum gk_answer_kind {
	GK_ANSWER_ERROR,    /* error: positive errno */
	GK_ANSWER_VALUE,    /* value: the return value of the call */
	GK_ANSWER_FD,	    /* fd: installed in the caller (fd_cloexec) and closed here; the call returns its number */
	GK_ANSWER_CONTINUE, /* only where the decision hangs on registers alone, and for execve */
	GK_ANSWER_NONE,	    /* the caller is gone: nothing to send */
};
struct gk_answer {
	enum gk_answer_kind kind;
	int error;
	int64_t value;
	int fd; /* owned by the answer */
	bool fd_cloexec;
	bool fd_alone; /* the caller goes on only when no copy is left here: set it after gk_answer_fd */
};

/* Numbers of the journal's records that let a call go on. What became of it is recorded for each (supervise/result.h). */
#define GK_RECEIPTS_MAX 4
struct gk_receipts {
	unsigned count;
	uint64_t number[GK_RECEIPTS_MAX];
};

/* The call: registers as the kernel copied them, and what was pinned of the caller. Lives on a worker's stack. */
struct gk_call {
	struct gk_supervisor *supervisor;
	uint64_t id;	  /* notification cookie */
	pid_t tid;	  /* thread that called, in our pid namespace */
	pid_t tgid;	  /* its process; set by gk_call_begin */
	int nr;
	uint64_t args[6];
	int proc;	  /* /proc/<tid> (O_PATH|O_DIRECTORY), opened on demand by gk_call_proc; -1 before. Pins the thread: lookups
			   * through it fail with ESRCH once the thread is gone, so a reused tid is never met */
	int listener;
	/* Of a call that the hook asked about (supervise/door.h), not the filter. */
	bool by_door;
	bool vouched; /* then: what started the asker, and after an execve what was started, may have helpers */
	int door;     /* then: where it waits for the answer, owned */
	struct gk_answer answer;
	struct gk_receipts receipts;
};

/* Fills answer; each returns void so that a handler can end with it. */
void gk_answer_error(struct gk_call *call, int error); /* positive or negative errno, 0 is a bug and becomes EIO */
void gk_answer_value(struct gk_call *call, int64_t value);
void gk_answer_fd(struct gk_call *call, int fd, bool cloexec); /* takes fd */
void gk_answer_continue(struct gk_call *call);

/* A handler of the generated dispatch table: materialises, judges, executes, answers. */
typedef void gk_handler(struct gk_call *call);

/* Whether the notification is still pending, i.e. the caller is alive and still waiting (SECCOMP_IOCTL_NOTIF_ID_VALID).
 * Must be true after the last fetch of caller state by pid and right before an irreversible effect. */
bool gk_call_valid(const struct gk_call *call);
/* The pinned /proc/<tid> directory. 0 or -errno. *fd is borrowed from the call. */
int gk_call_proc(struct gk_call *call, int *fd) GK_MUST_CHECK;

/* The int-typed argument as the kernel reads it: low 32 bits. */
static inline int gk_arg_int(const struct gk_call *call, int index) {
	return (int)(uint32_t)call->args[index];
}

/* Copies exactly length bytes from the caller's memory, once. 0, -EFAULT, or -ESRCH when it is gone. */
int gk_read_memory(struct gk_call *call, uint64_t address, void *out, size_t length) GK_MUST_CHECK;
/* Copies into the caller's memory, where the kernel would put what the call gives. 0, -EFAULT or -ESRCH. Landlock lets us reach no process
 * but those of the run. */
int gk_write_memory(struct gk_call *call, uint64_t address, const void *bytes, size_t length) GK_MUST_CHECK;
/* Copies a NUL-terminated string of less than capacity bytes; *length without the NUL. -EFAULT, -ENAMETOOLONG, -ESRCH. */
int gk_read_string(struct gk_call *call, uint64_t address, char *out, size_t capacity, size_t *length) GK_MUST_CHECK;
/* The same from whoever has the caller's number now: before anything hangs on it but an answer, gk_call_valid must be true. */
int gk_copy_string(struct gk_call *call, uint64_t address, char *out, size_t capacity, size_t *length) GK_MUST_CHECK;
/* A duplicate of the caller's descriptor (pidfd_getfd of the exact thread). *out owned. -EBADF … */
int gk_take_descriptor(struct gk_call *call, int number, int *out) GK_MUST_CHECK;
/* The caller's umask, from its status file. */
int gk_caller_umask(struct gk_call *call, mode_t *out) GK_MUST_CHECK;

#endif
