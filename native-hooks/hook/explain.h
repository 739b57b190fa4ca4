/* One line to the process's error output after a refusal that the policy explains. Nothing here is decided, and nothing on the way of a
 * call that succeeds: each of these returns at once unless error is EACCES or EPERM. errno is left alone; no lock, no allocation but
 * pages; safe in signal handlers and after vfork. */
#ifndef GK_HOOK_EXPLAIN_H
#define GK_HOOK_EXPLAIN_H

#include "include/gk_wire.gen.h"

#include <stdbool.h>
#include <sys/socket.h>

/* flags: of open(2). */
void gk_explain_open(int error, int dirfd, const char *path, int flags);
/* follow: whether a link in the last place is followed. */
void gk_explain_path(int error, enum gk_action action, int dirfd, const char *path, bool follow);
/* flags: of execveat(2). */
void gk_explain_exec(int error, int dirfd, const char *path, char *const argv[], int flags);
void gk_explain_connect(int error, const struct sockaddr *address, socklen_t length);
/* After getaddrinfo(3): EAI_NONAME means in a run that no rule lets the name be reached, EAI_SYSTEM with EACCES a resolver that begins
 * with datagrams. */
void gk_explain_name(int result, const char *name);

#endif
