/* What a file would be run as: first lines as the kernel reads them, ELF headers that lie. */
#include "supervise/command_text.h"
#include "supervise/program.h"
#include "test/check.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct gk_program read_bytes(const void *bytes, size_t length, int *error) {
	struct gk_program program;
	GK_AUTO_CLOSE int fd = memfd_create("program", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		abort();
	*error = gk_program_read(fd, true, &program);
	return program;
}

/* Expected strings of NULL mean: not set. */
static void check_script(const char *text, size_t length, int expected, const char *interpreter, const char *argument) {
	int error;
	struct gk_program program = read_bytes(text, length, &error);
	CHECK(error == expected, "%s: %d", text, error);
	if (expected != 0 || error != 0)
		return;
	CHECK(program.kind == GK_PROGRAM_SCRIPT && program.interpreted, "%s", text);
	CHECK(strcmp(program.interpreter, interpreter) == 0 && program.interpreter_length == strlen(interpreter), "%s: %s", text,
	      program.interpreter);
	CHECK(program.argued == (argument != NULL), "%s", text);
	if (argument != NULL)
		CHECK(strcmp(program.argument, argument) == 0 && program.argument_length == strlen(argument), "%s: %s", text,
		      program.argument);
}

static void first_lines_are_read_as_the_kernel_reads_them(void) {
	static const struct {
		const char *text;
		int error;
		const char *interpreter, *argument;
	} rows[] = {
		{"#!/bin/sh\n", 0, "/bin/sh", NULL},
		{"#!/bin/sh", 0, "/bin/sh", NULL},
		{"#! \t/bin/sh \t \nrest", 0, "/bin/sh", NULL},
		{"#!/usr/bin/env -S node  --x\n", 0, "/usr/bin/env", "-S node  --x"},
		{"#!/usr/bin/env node \t\n", 0, "/usr/bin/env", "node"},
		{"#!/bin/sh\t-e\n", 0, "/bin/sh", "-e"},
		{"#!relative\n", 0, "relative", NULL},
		{"#!/bin/sh\r\n", 0, "/bin/sh\r", NULL},
		/* Without a newline the end is not trimmed: a blank makes an empty argument. */
		{"#!/bin/sh ", 0, "/bin/sh", ""},
		{"#!", 0, "", NULL},
		{"#!\n", -ENOEXEC, NULL, NULL},
		{"#! \t \n", -ENOEXEC, NULL, NULL},
	};
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		check_script(rows[i].text, strlen(rows[i].text), rows[i].error, rows[i].interpreter, rows[i].argument);
	check_script("#!/bin/a\0b\nc", 12, 0, "/bin/a", NULL);
	check_script("#!/bin/a -x\0y\n", 14, 0, "/bin/a", "-x");
}

static void a_name_that_may_be_cut_is_refused_and_a_long_argument_is_cut(void) {
	char line[600];
	memset(line, 'x', sizeof(line));
	memcpy(line, "#!/", 3);
	check_script(line, sizeof(line), -ENOEXEC, NULL, NULL);
	memcpy(line, "#!/i ", 5);
	char argument[GK_PROGRAM_HEAD] = {0};
	memset(argument, 'x', GK_PROGRAM_HEAD - 5 - 1);
	check_script(line, sizeof(line), 0, "/i", argument);
	memset(line, ' ', sizeof(line));
	memcpy(line, "#!", 2);
	check_script(line, sizeof(line), -ENOEXEC, NULL, NULL);
}

/* An ELF file with one program header at a chosen place, and its contents. */
struct elf_file {
	Elf64_Ehdr header;
	Elf64_Phdr program[2];
	char interpreter[64];
	Elf64_Dyn dynamic[4];
};

static struct elf_file elf_with_interpreter(const char *name) {
	struct elf_file file = {
		.header = {.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2},
		.program = {{.p_type = PT_LOAD},
			    {.p_type = PT_INTERP, .p_offset = offsetof(struct elf_file, interpreter), .p_filesz = strlen(name) + 1}},
	};
	memcpy(file.header.e_ident, ELFMAG, SELFMAG);
	file.header.e_ident[EI_CLASS] = ELFCLASS64;
	file.header.e_ident[EI_DATA] = ELFDATA2LSB;
	strcpy(file.interpreter, name);
	return file;
}

static struct gk_program read_elf(const struct elf_file *file, int *error) {
	return read_bytes(file, sizeof(*file), error);
}

static void the_loader_of_a_program_is_found(void) {
	int error;
	struct elf_file file = elf_with_interpreter("/lib64/ld-linux-x86-64.so.2");
	struct gk_program program = read_elf(&file, &error);
	CHECK(error == 0 && program.kind == GK_PROGRAM_ELF && program.interpreted && !program.loader, "%d", error);
	CHECK(strcmp(program.interpreter, "/lib64/ld-linux-x86-64.so.2") == 0);

	/* The kernel stops at the first NUL, and so must we. */
	file.interpreter[4] = '\0';
	program = read_elf(&file, &error);
	CHECK(error == 0 && strcmp(program.interpreter, "/lib") == 0 && program.interpreter_length == 4);
}

static void a_program_of_go_is_told_by_its_note(void) {
	static const struct {
		Elf64_Nhdr first;
		char gnu[4], build[4];
		Elf64_Nhdr second;
		char go[4], id[4];
	} notes = {{4, 4, NT_GNU_BUILD_ID}, "GNU", {1, 2, 3, 4}, {4, 4, 4}, "Go\0", {1, 2, 3, 4}};
	int error;
	struct elf_file file = elf_with_interpreter("/ld");
	CHECK(!read_elf(&file, &error).go && error == 0);
	file.program[0] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = offsetof(struct elf_file, dynamic), .p_filesz = sizeof(notes)};
	memcpy(file.dynamic, &notes, sizeof(notes));
	struct gk_program program = read_elf(&file, &error);
	CHECK(error == 0 && program.go && program.interpreted);
	/* A length that lies leads nowhere. */
	const Elf64_Nhdr endless = {4, UINT32_MAX, NT_GNU_BUILD_ID};
	memcpy(file.dynamic, &endless, sizeof(endless));
	CHECK(!read_elf(&file, &error).go && error == 0);
	file.program[0].p_offset = UINT64_MAX;
	CHECK(!read_elf(&file, &error).go && error == 0);
}

static void headers_that_lie_are_refused(void) {
	int error;
	struct elf_file file = elf_with_interpreter("/ld");
	static const struct {
		Elf64_Off offset;
		Elf64_Xword size;
	} rows[] = {{0, 0}, {0, 1}, {0, PATH_MAX + 1}, {UINT64_MAX - 2, 4}, {1 << 20, 4}, {sizeof(file) - 2, 16}, {1, 2}};
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		file.program[1].p_offset = rows[i].offset;
		file.program[1].p_filesz = rows[i].size;
		read_elf(&file, &error);
		CHECK(error == -ENOEXEC, "row %zu: %d", i, error);
	}
	file = elf_with_interpreter("/ld");
	file.header.e_phoff = UINT64_MAX - 8;
	read_elf(&file, &error);
	CHECK(error == -ENOEXEC, "%d", error);
	file = elf_with_interpreter("/ld");
	file.header.e_phnum = 0xffff;
	read_elf(&file, &error);
	CHECK(error == -ENOEXEC, "%d", error);
	file = elf_with_interpreter("/ld");
	file.header.e_phentsize = 1;
	read_elf(&file, &error);
	CHECK(error == -ENOEXEC, "%d", error);
}

static void other_machines_are_foreign(void) {
	int error;
	struct elf_file file = elf_with_interpreter("/ld");
	file.header.e_ident[EI_CLASS] = ELFCLASS32;
	CHECK(read_elf(&file, &error).kind == GK_PROGRAM_FOREIGN && error == 0);
	file = elf_with_interpreter("/ld");
	file.header.e_machine = EM_AARCH64;
	CHECK(read_elf(&file, &error).kind == GK_PROGRAM_FOREIGN && error == 0);
}

static void a_shared_object_that_is_started_by_itself_counts_as_a_loader(void) {
	int error;
	struct elf_file file = elf_with_interpreter("/ld");
	file.program[1] = (Elf64_Phdr){
		.p_type = PT_DYNAMIC, .p_offset = offsetof(struct elf_file, dynamic), .p_filesz = sizeof(file.dynamic)};
	file.dynamic[0].d_tag = DT_HASH;
	file.dynamic[1].d_tag = DT_SONAME;
	struct gk_program program = read_elf(&file, &error);
	CHECK(error == 0 && program.loader && !program.interpreted);
	file.dynamic[1].d_tag = DT_FLAGS_1; /* a static PIE program has no name of its own */
	CHECK(!read_elf(&file, &error).loader && error == 0);
	file.dynamic[0].d_tag = DT_NULL;
	file.dynamic[1].d_tag = DT_SONAME;
	CHECK(!read_elf(&file, &error).loader && error == 0);
}

static void other_files_are_unknown(void) {
	int error;
	CHECK(read_bytes("", 0, &error).kind == GK_PROGRAM_UNKNOWN && error == 0);
	CHECK(read_bytes("echo hi\n", 8, &error).kind == GK_PROGRAM_UNKNOWN && error == 0);
	CHECK(read_bytes(ELFMAG, SELFMAG, &error).kind == GK_PROGRAM_FOREIGN && error == 0);
}

static void loaders_are_known_by_name(void) {
	static const char *const loaders[] = {"ld-linux-x86-64.so.2", "ld-musl-x86_64.so.1", "ld.so", "ld-2.31.so"};
	static const char *const others[] = {"ld", "ldd", "ld.bfd", "ldconfig", "lld"};
	for (size_t i = 0; i < GK_COUNT(loaders); i++)
		CHECK(gk_program_is_loader_name(gk_slice_of(loaders[i])), "%s", loaders[i]);
	for (size_t i = 0; i < GK_COUNT(others); i++)
		CHECK(!gk_program_is_loader_name(gk_slice_of(others[i])), "%s", others[i]);
}

int main(void) {
	first_lines_are_read_as_the_kernel_reads_them();
	a_name_that_may_be_cut_is_refused_and_a_long_argument_is_cut();
	the_loader_of_a_program_is_found();
	a_program_of_go_is_told_by_its_note();
	headers_that_lie_are_refused();
	other_machines_are_foreign();
	a_shared_object_that_is_started_by_itself_counts_as_a_loader();
	other_files_are_unknown();
	loaders_are_known_by_name();
	return gk_check_status();
}
