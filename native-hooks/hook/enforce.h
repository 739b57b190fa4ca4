/* Decisions in the process itself, for runs with --enforce=hook: no seccomp filter stands behind them, so whoever does not come through
 * the library's wrappers is not asked (docs/hooks.md). Each wrapper calls one of these first, when letter e is set: 0 go on,
 * GK_ENFORCE_DONE return success, else the -errno that the call fails with. What cannot be decided is refused: -EACCES. No allocation,
 * errno is left alone, safe after vfork. */
#ifndef GK_HOOK_ENFORCE_H
#define GK_HOOK_ENFORCE_H

#include "base/attr.h"
#include "include/gk_wire.gen.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* The supervisor has made the call on our socket already: the wrapper returns 0 and makes none itself. */
enum { GK_ENFORCE_DONE = 1 };

/* Once, from the library's constructor: loads the image and finds the supervisor's socket. Until then, and when it fails, everything is
 * refused. hook: the value of GATEKEEPER_HOOK, copied. */
void gk_enforce_begin(const char *hook);

int gk_enforce_open(int dirfd, const char *path, int flags) GK_MUST_CHECK;
/* The same; *opened, unless opened is NULL, is -1, or the descriptor of what the run is offered in place of the file (supervise/offered.h): then nothing is left
 * to be done. */
int gk_enforce_open_or_offer(int dirfd, const char *path, int flags, int *opened) GK_MUST_CHECK;
/* One action on what the path leads to. file_write for chmod, mkdir, mknod, truncate, symlinks' own names …; a missing leaf is a
 * creation. follow: a link in the last place is followed. */
int gk_enforce_path(enum gk_action action, int dirfd, const char *path, bool follow) GK_MUST_CHECK;
int gk_enforce_rename(int from_dirfd, const char *from, int to_dirfd, const char *to) GK_MUST_CHECK;
int gk_enforce_link(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags) GK_MUST_CHECK;
/* flags: of execveat. path may be empty with AT_EMPTY_PATH (fexecve). */
int gk_enforce_exec(int dirfd, const char *path, char *const argv[], char *const envp[], int flags) GK_MUST_CHECK;
/* These three never say go on for TCP: the process may not connect or bind itself, the supervisor does it on the socket. */
int gk_enforce_connect(int fd, const struct sockaddr *address, socklen_t length) GK_MUST_CHECK;
int gk_enforce_bind(int fd, const struct sockaddr *address, socklen_t length) GK_MUST_CHECK;
int gk_enforce_listen(int fd, int backlog) GK_MUST_CHECK;
/* sendto, sendmsg, sendmmsg: address may be NULL, for a socket that is connected. */
int gk_enforce_send(int fd, const struct sockaddr *address, socklen_t length) GK_MUST_CHECK;

/* A call by number, with its first arguments, as syscall(2) gives them. Programs are not executed so: the exec functions do that. */
int gk_enforce_call(long nr, const long arguments[5]) GK_MUST_CHECK;

/* What keeps the hook in whatever is executed. Bytes that the environment needs to have it put back, 0 when envp has it already: then envp
 * is used as it is. The room is the caller's (alloca: a child of vfork must leave nothing behind in its parent's memory). */
size_t gk_enforce_environment_size(char *const envp[]);
/* Whether envp is already what the program that was judged last on this thread should get. */
bool gk_enforce_environment_is_whole(char *const envp[]);
/* envp may be NULL. Lives as long as room and envp. */
char *const *gk_enforce_environment(char *const envp[], void *room);

#endif
