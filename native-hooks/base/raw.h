/* System calls without libc: errno stays, and nobody who stands in front of libc's functions sees them. */
#ifndef GK_BASE_RAW_H
#define GK_BASE_RAW_H

#ifndef __x86_64__
#error "only x86_64 is supported"
#endif

/* The kernel's own answer: a value, or -errno. */
static inline long gk_raw6(long nr, long a, long b, long c, long d, long e, long f) {
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

static inline long gk_raw4(long nr, long a, long b, long c, long d) {
	return gk_raw6(nr, a, b, c, d, 0, 0);
}

#endif
