/* Calls that are made here by themselves, since libc adds nothing to them, go to the next definition of their name instead when the user
 * preloads libraries of his own: those may keep accounts of names and modes (fakeroot), or give them other meanings (fakechroot). */
#ifndef GK_HOOK_NEXT_H
#define GK_HOOK_NEXT_H

#include "base/raw.h"

#define GK_NEXT_FUNCTIONS(X)                                                                                               \
	X(unlink) X(unlinkat) X(rmdir) X(mkdir) X(mkdirat) X(symlink) X(symlinkat) X(mknod) X(mknodat) X(mkfifo) X(mkfifoat) \
	X(truncate) X(chmod) X(chown) X(lchown) X(fchownat) X(utimensat) X(utimes) X(utime) X(setxattr) X(lsetxattr)        \
	X(removexattr) X(lremovexattr) X(rename) X(renameat) X(renameat2) X(link) X(linkat) X(fchmod) X(fchown)            \
	X(fsetxattr) X(fremovexattr) X(execve) X(bind) X(listen)

enum gk_next {
#define GK_NEXT_NAME(name) GK_NEXT_##name,
	GK_NEXT_FUNCTIONS(GK_NEXT_NAME)
#undef GK_NEXT_NAME
	GK_NEXT_COUNT,
};

/* Once, at the start, where there are such libraries. */
void gk_next_find(void);

/* As the kernel answers: a value or -errno. The arguments are those of the function; the system call has them in the same order unless it
 * is another one, which then is given as nr with its own. */
struct gk_call {
	enum gk_next next;
	int nr;
	long arguments[5];
};
long gk_next_call(const struct gk_call *call);

#endif
