/* What the kernel would make of a file that is executed: an ELF program and its loader, or a script and its interpreter.
 * Pure but for reading the descriptor. Source: fs/binfmt_script.c, fs/binfmt_elf.c of Linux 6.18, elf(5). */
#ifndef GK_SUPERVISE_PROGRAM_H
#define GK_SUPERVISE_PROGRAM_H

#include "base/attr.h"
#include "base/bytes.h"

#include <linux/limits.h>

/* As much of a file as the kernel looks at to tell what it is (BINPRM_BUF_SIZE). */
#define GK_PROGRAM_HEAD 256
/* Interpreters that may be chained: the sixth gets ELOOP. */
#define GK_PROGRAM_LEVELS 5

enum gk_program_kind {
	GK_PROGRAM_ELF,
	GK_PROGRAM_SCRIPT,
	GK_PROGRAM_FOREIGN, /* an ELF file of another machine or word size */
	GK_PROGRAM_UNKNOWN, /* neither: the kernel says ENOEXEC, and shells then read it as a script of theirs */
};

struct gk_program {
	enum gk_program_kind kind;
	bool loader; /* a shared object that is started by itself, as dynamic loaders are */
	bool interpreted; /* interpreter is set: the loader of an ELF program, or what a script's first line names */
	bool go;	  /* made by Go, whose programs make their system calls themselves, dynamic or not; told when it is asked for */
	bool argued;	  /* argument is set: the rest of that line */
	size_t interpreter_length, argument_length;
	char interpreter[PATH_MAX];
	char argument[GK_PROGRAM_HEAD];
};

/* tells_go: its notes are read as well, which only the hook's level needs. 0 or -errno: -ENOEXEC for a damaged ELF file or first line, -EIO … from
 * reading. */
int gk_program_read(int fd, bool tells_go, struct gk_program *out) GK_MUST_CHECK;

/* Parses a first line. head holds the file's first bytes, filled up with NUL. 0 or -ENOEXEC. */
int gk_program_parse_script(const uint8_t head[GK_PROGRAM_HEAD], struct gk_program *out) GK_MUST_CHECK;

/* Whether base is how dynamic loaders are called: ld-linux-x86-64.so.2, ld-musl-x86_64.so.1, ld-2.31.so, ld.so … */
bool gk_program_is_loader_name(struct gk_slice base);

#endif
