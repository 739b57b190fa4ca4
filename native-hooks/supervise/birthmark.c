#include "supervise/birthmark.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>

/* AT_VECTOR_SIZE of x86_64 is below 64 entries. */
#define AUXILIARY_ENTRIES 64

static ssize_t read_auxiliary(struct gk_call *call, Elf64_auxv_t *entries, size_t bytes) {
	int proc;
	int error = gk_call_proc(call, &proc);
	if (error)
		return error;
	GK_AUTO_CLOSE int fd = openat(proc, "auxv", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ssize_t n = read(fd, entries, bytes);
	if (n < 0)
		return -errno;
	return n > 0 ? n : -ESRCH; /* empty: its memory is gone, it is dying */
}

int gk_birthmark_read(struct gk_call *call, struct gk_birthmark *out) {
	Elf64_auxv_t entries[AUXILIARY_ENTRIES];
	ssize_t n = read_auxiliary(call, entries, sizeof(entries));
	if (n < 0)
		return (int)n;
	*out = (struct gk_birthmark){0};
	uint64_t random = 0;
	for (size_t i = 0; i < (size_t)n / sizeof(entries[0]) && entries[i].a_type != AT_NULL; i++) {
		uint64_t value = entries[i].a_un.a_val;
		switch (entries[i].a_type) {
		case AT_SYSINFO_EHDR: out->words[0] = value; break;
		case AT_PHDR: out->words[1] = value; break;
		case AT_BASE: out->words[2] = value; break;
		case AT_ENTRY: out->words[3] = value; break;
		case AT_EXECFN: out->words[4] = value; break;
		case AT_RANDOM: out->words[5] = random = value; break;
		default: break;
		}
	}
	/* A program may have unmapped its stack; the addresses then speak alone. */
	int error = gk_read_memory(call, random, &out->words[6], 16);
	return error == -EFAULT ? 0 : error;
}
