/**
 * A hint: an openat(2) that the agent's own hook asks the kernel for, without the supervisor. The kernel reads the flags as an int, so the upper half of
 * their register is free to say so, and seccomp sees it. Nobody is believed: a hint is let through by its flags alone, and Landlock bounds
 * what it can open.
 */

/** Upper half of the flags register: "gkhi". */
export const HINT_MAGIC = 0x676b6869;

// include/uapi/asm-generic/fcntl.h, as x86_64 has them.
export const O_DIRECTORY = 0o200000;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const O_LARGEFILE = 0o100000;
const O_NOFOLLOW = 0o400000;
const O_CLOEXEC = 0o2000000;

/**
 * The flags that a hint may have; any other, and it is an open like every other. They are what opendir(3), fts(3), stdio and musl set to read what is
 * there. Two that only read as well are left out: O_NOATIME and O_PATH, which nothing would gain by.
 */
export const HINT_FLAGS = O_NOCTTY | O_NONBLOCK | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/** Which hints a filter lets through: of directories those that say O_DIRECTORY; of files all. */
export const HINTS = ['none', 'directories', 'files'] as const;
export type Hints = (typeof HINTS)[number];
