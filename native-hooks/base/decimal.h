/* Numbers as text, for names beneath /proc/self/fd, where libc's own functions must not be called. */
#ifndef GK_BASE_DECIMAL_H
#define GK_BASE_DECIMAL_H

#include <stddef.h>

/* Writes value, which is not negative, in at most 19 digits without an end. Their number. */
static inline size_t gk_put_decimal(char *at, long value) {
	char digits[20];
	size_t count = 0, length = 0;
	do
		digits[count++] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	while (count > 0)
		at[length++] = digits[--count];
	return length;
}

#endif
