/* Any file: nothing outside of it is believed, and strings stay within their room. */
#include "fuzz/driver.h"
#include "supervise/program.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static unsigned long taken, refused, foreign;

static void check_strings(const struct gk_program *program) {
	if (program->interpreted && (program->interpreter_length >= sizeof(program->interpreter) ||
				     strlen(program->interpreter) != program->interpreter_length))
		abort();
	if (program->argued && (program->argument_length >= sizeof(program->argument) ||
				strlen(program->argument) != program->argument_length))
		abort();
}

static void count(int error, const struct gk_program *program) {
	if (error != 0 && error != -ENOEXEC)
		abort();
	if (error != 0) {
		refused++;
		return;
	}
	if (program->kind == GK_PROGRAM_FOREIGN)
		foreign++;
	taken++;
	check_strings(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
	static int fd = -1;
	if (fd < 0)
		fd = memfd_create("program", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, bytes, length, 0) != (ssize_t)length)
		abort();
	struct gk_program program;
	count(gk_program_read(fd, true, &program), &program);
	if (length >= GK_PROGRAM_HEAD) {
		program.argued = program.interpreted = false;
		count(gk_program_parse_script(bytes, &program), &program);
	}
	return 0;
}

static struct gk_slice elf_seed(size_t padding) {
	static const char interpreter[] = "/lib64/ld-linux-x86-64.so.2";
	size_t length = 1024 + padding;
	uint8_t *bytes = calloc(1, length);
	if (bytes == NULL)
		abort();
	Elf64_Ehdr header = {.e_type = ET_DYN, .e_machine = EM_X86_64, .e_phoff = sizeof(header) + padding,
			     .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3};
	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	Elf64_Phdr programs[3] = {{.p_type = PT_LOAD},
				  {.p_type = PT_DYNAMIC, .p_offset = 600 + padding, .p_filesz = 5 * sizeof(Elf64_Dyn)},
				  {.p_type = PT_INTERP, .p_offset = 512 + padding, .p_filesz = sizeof(interpreter)}};
	Elf64_Dyn dynamic[5] = {{.d_tag = DT_HASH}, {.d_tag = DT_STRTAB}, {.d_tag = DT_SONAME}};
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header) + padding, programs, sizeof(programs));
	memcpy(bytes + 512 + padding, interpreter, sizeof(interpreter));
	memcpy(bytes + 600 + padding, dynamic, sizeof(dynamic));
	return gk_slice(bytes, length);
}

struct gk_slice gk_fuzz_seed(unsigned index) {
	static const char *const lines[] = {"#!/bin/sh -e\n", "#! /usr/bin/env node\n", "#!/x", "#!\t/a\tb c\t\n"};
	if (index < 2)
		return elf_seed(index * 4096);
	if (index >= 2 + sizeof(lines) / sizeof(lines[0]))
		return gk_slice(NULL, 0);
	uint8_t *bytes = calloc(1, GK_PROGRAM_HEAD + 8);
	if (bytes == NULL)
		abort();
	strcpy((char *)bytes, lines[index - 2]);
	return gk_slice(bytes, GK_PROGRAM_HEAD + 8);
}

int gk_fuzz_report(void) {
	printf("program_fuzz: %lu taken (%lu foreign), %lu refused\n", taken, foreign, refused);
	return taken == 0 || refused == 0 || foreign == 0;
}
