/* The few functions of libc that compiled code and the image room call, so that the library needs no libc in particular. Memory comes
 * from the kernel, page by page, and only when a refusal is explained: malloc may be the very function that was interrupted. */
#include "base/raw.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char **environ __attribute__((weak));

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
	void *at = to;
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(length)::"memory");
	return to;
}

void *memmove(void *to, const void *from, size_t length) {
	if ((uintptr_t)to - (uintptr_t)from >= length)
		return memcpy(to, from, length);
	for (uint8_t *at = to; length > 0; length--)
		at[length - 1] = ((const uint8_t *)from)[length - 1];
	return to;
}

void *memset(void *to, int byte, size_t length) {
	void *at = to;
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(length) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t length) {
	const uint8_t *left = a, *right = b;
	for (size_t i = 0; i < length; i++)
		if (left[i] != right[i])
			return left[i] - right[i];
	return 0;
}

void *memchr(const void *bytes, int byte, size_t length) {
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		if (at[i] == (uint8_t)byte)
			return (void *)(uintptr_t)(at + i);
	return NULL;
}

void *memrchr(const void *bytes, int byte, size_t length) {
	const uint8_t *at = bytes;
	while (length-- > 0)
		if (at[length] == (uint8_t)byte)
			return (void *)(uintptr_t)(at + length);
	return NULL;
}

size_t strlen(const char *text) {
	size_t length = 0;
	while (text[length] != '\0')
		length++;
	return length;
}

size_t strnlen(const char *text, size_t most) {
	size_t length = 0;
	while (length < most && text[length] != '\0')
		length++;
	return length;
}

int strncmp(const char *a, const char *b, size_t most) {
	for (size_t i = 0; i < most; i++) {
		if (a[i] != b[i])
			return (uint8_t)a[i] - (uint8_t)b[i];
		if (a[i] == '\0')
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b) {
	return strncmp(a, b, SIZE_MAX);
}

char *strrchr(const char *text, int byte) {
	return memrchr(text, byte, strlen(text) + 1);
}

char *strchr(const char *text, int byte) {
	for (;; text++) {
		if (*text == (char)byte)
			return (char *)(uintptr_t)text;
		if (*text == '\0')
			return NULL;
	}
}

size_t strcspn(const char *text, const char *stops) {
	size_t length = 0;
	while (text[length] != '\0' && strchr(stops, text[length]) == NULL)
		length++;
	return length;
}

char *stpcpy(char *restrict to, const char *restrict from) {
	size_t length = strlen(from);
	memcpy(to, from, length + 1);
	return to + length;
}

char *getenv(const char *name) {
	size_t length = strlen(name);
	for (char **at = &environ != NULL ? environ : NULL; at != NULL && *at != NULL; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

/* Each piece is pages of its own, which begin with their number of bytes. */
struct piece {
	size_t length, unused;
};

void *calloc(size_t count, size_t size) {
	size_t length;
	if (__builtin_mul_overflow(count, size, &length) || __builtin_add_overflow(length, sizeof(struct piece), &length))
		return NULL;
	long at = gk_raw6(SYS_mmap, 0, (long)length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0)
		return NULL;
	struct piece *piece = (struct piece *)at;
	piece->length = length;
	return piece + 1;
}

void free(void *bytes) {
	if (bytes == NULL)
		return;
	struct piece *piece = (struct piece *)bytes - 1;
	(void)munmap(piece, piece->length);
}

/* errno is the caller's of a wrapper, who may have succeeded. */
static long without_errno(long answer) {
	return answer < 0 ? -1 : answer;
}

int munmap(void *at, size_t length) {
	return (int)without_errno(gk_raw4(SYS_munmap, (long)at, (long)length, 0, 0));
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
	return (void *)without_errno(gk_raw6(SYS_mmap, (long)at, (long)length, protection, flags, fd, offset));
}

int mprotect(void *at, size_t length, int protection) {
	return (int)without_errno(gk_raw4(SYS_mprotect, (long)at, (long)length, protection, 0));
}

int fstat(int fd, struct stat *stat) {
	return (int)without_errno(gk_raw4(SYS_fstat, fd, (long)stat, 0, 0));
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset) {
	return without_errno(gk_raw4(SYS_pread64, fd, (long)bytes, (long)length, offset));
}

int clock_gettime(clockid_t clock, struct timespec *now) {
	return (int)without_errno(gk_raw4(SYS_clock_gettime, clock, (long)now, 0, 0));
}
