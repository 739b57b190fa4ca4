#include "supervise/pending.h"

#include "base/attr.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t field(const char *text, const char *name, int base) {
	const char *at = strstr(text, name);
	return at == NULL ? 0 : strtoull(at + strlen(name), NULL, base);
}

bool gk_has_signal_to_handle(pid_t tid) {
	char path[32], text[2048]; /* the signal sets end within the first 1,500 bytes, but for processes with very many groups */
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	GK_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	uint64_t pending = field(text, "\nSigPnd:\t", 16);
	if (field(text, "\nTgid:\t", 10) == (uint64_t)tid)
		pending |= field(text, "\nShdPnd:\t", 16);
	return (pending & field(text, "\nSigCgt:\t", 16) & ~field(text, "\nSigBlk:\t", 16)) != 0;
}
