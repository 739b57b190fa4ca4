#include "launch/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void gk_complain(const char *format, ...) {
	char line[5000] = "gatekeeper: ";
	size_t start = strlen(line), room = sizeof(line) - start - 1;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line + start, room, format, arguments);
	va_end(arguments);
	size_t end = start + (length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1);
	for (size_t i = start; i < end; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[end] = '\n';
	(void)!write(STDERR_FILENO, line, end + 1);
}
