/* The one place where a program is executed. */
#ifndef GK_HOOK_START_H
#define GK_HOOK_START_H

/* Only returns when it failed: -errno. Explains nothing. */
long gk_start(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);

#endif
