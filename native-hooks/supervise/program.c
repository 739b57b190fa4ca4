#include "supervise/program.h"

#include <elf.h>
#include <errno.h>
#include <unistd.h>

/* Entries of a dynamic section that are looked at; a real one has some thirty. */
#define DYNAMIC_ENTRIES 256
/* The kernel takes no more program headers than fit into 64 KiB. */
#define PROGRAM_HEADERS_BYTES 65536
#define PROGRAM_HEADERS_AT_ONCE 32
/* Notes are few and short. */
#define NOTES_BYTES 512

/* The file, and its first bytes: linkers put program headers and the loader's name there, so that one read does. */
struct source {
	int fd;
	size_t length;
	uint8_t head[1024];
};

static int parse_elf(const struct source *source, bool tells_go, struct gk_program *out);

/* Reads length bytes or, at the end of the file, fewer. */
static ssize_t read_at(const struct source *source, void *out, size_t length, uint64_t offset) {
	size_t done = 0;
	if (offset > INT64_MAX - length)
		return -ENOEXEC;
	if (offset + length <= source->length) {
		memcpy(out, source->head + offset, length);
		return (ssize_t)length;
	}
	while (done < length) {
		ssize_t n = pread(source->fd, (uint8_t *)out + done, length - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int gk_program_read(int fd, bool tells_go, struct gk_program *out) {
	struct source source = {.fd = fd};
	out->kind = GK_PROGRAM_UNKNOWN;
	out->loader = out->interpreted = out->argued = out->go = false;
	out->interpreter_length = out->argument_length = 0;
	ssize_t n = read_at(&source, source.head, sizeof(source.head), 0);
	if (n < 0)
		return (int)n;
	source.length = (size_t)n;
	if (source.head[0] == '#' && source.head[1] == '!')
		return gk_program_parse_script(source.head, out);
	if (memcmp(source.head, ELFMAG, SELFMAG) == 0)
		return parse_elf(&source, tells_go, out);
	return 0;
}

static bool is_blank(uint8_t byte) {
	return byte == ' ' || byte == '\t';
}

/* Both look at first … last inclusive, like the kernel's functions of these names. */
static const uint8_t *next_non_blank(const uint8_t *first, const uint8_t *last) {
	for (; first <= last; first++)
		if (!is_blank(*first))
			return first;
	return NULL;
}
static const uint8_t *next_terminator(const uint8_t *first, const uint8_t *last) {
	for (; first <= last; first++)
		if (is_blank(*first) || *first == '\0')
			return first;
	return NULL;
}

/* The end of the line: its newline, or the end of the head when the interpreter's name is surely whole. */
static const uint8_t *line_end(const uint8_t *head) {
	const uint8_t *last = head + GK_PROGRAM_HEAD - 1;
	for (const uint8_t *at = head; at <= last && *at != '\0'; at++)
		if (*at == '\n')
			return at;
	const uint8_t *name = next_non_blank(head + 2, last);
	if (name == NULL || next_terminator(name, last) == NULL)
		return NULL;
	return last;
}

/* The C string from at, ending before end: the kernel writes a NUL there. */
static size_t copy_word(char *to, const uint8_t *at, const uint8_t *end) {
	size_t length = at < end ? strnlen((const char *)at, (size_t)(end - at)) : 0;
	memcpy(to, at, length);
	to[length] = '\0';
	return length;
}

int gk_program_parse_script(const uint8_t head[GK_PROGRAM_HEAD], struct gk_program *out) {
	out->kind = GK_PROGRAM_SCRIPT;
	if (head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	const uint8_t *end = line_end(head);
	if (end == NULL)
		return -ENOEXEC;
	while (is_blank(end[-1]))
		end--;
	const uint8_t *name = next_non_blank(head + 2, end);
	if (name == NULL || name == end)
		return -ENOEXEC;
	const uint8_t *separator = next_terminator(name, end);
	const uint8_t *argument = NULL;
	if (separator != NULL && *separator != '\0')
		argument = next_non_blank(separator, end);
	out->interpreter_length = copy_word(out->interpreter, name, separator != NULL ? separator : end);
	out->interpreted = true;
	if (argument != NULL) {
		out->argument_length = copy_word(out->argument, argument, end);
		out->argued = true;
	}
	return 0;
}

/* The loader's name as the kernel reads it: NUL at the end, perhaps earlier as well. */
static int read_interpreter(const struct source *source, const Elf64_Phdr *header, struct gk_program *out) {
	if (header->p_filesz < 2 || header->p_filesz > PATH_MAX)
		return -ENOEXEC;
	ssize_t n = read_at(source, out->interpreter, header->p_filesz, header->p_offset);
	if (n < 0)
		return (int)n;
	if ((size_t)n != header->p_filesz || out->interpreter[n - 1] != '\0')
		return -ENOEXEC;
	out->interpreter_length = strlen(out->interpreter);
	out->interpreted = true;
	return 0;
}

/* Whether the dynamic section names the object: shared libraries and loaders do, static PIE programs do not. */
static int names_itself(const struct source *source, const Elf64_Phdr *dynamic, bool *out) {
	Elf64_Dyn entries[16];
	uint64_t count = dynamic->p_filesz / sizeof(entries[0]);
	*out = false;
	for (uint64_t i = 0; i < count && i < DYNAMIC_ENTRIES; i++) {
		size_t slot = (size_t)(i % GK_COUNT(entries));
		if (slot == 0) {
			ssize_t n = read_at(source, entries, sizeof(entries), dynamic->p_offset + i * sizeof(entries[0]));
			if (n < 0)
				return (int)n;
			memset((uint8_t *)entries + n, 0, sizeof(entries) - (size_t)n);
		}
		if (entries[slot].d_tag == DT_NULL)
			return 0;
		if (entries[slot].d_tag == DT_SONAME)
			*out = true;
	}
	return 0;
}

/* Go's linker leaves a note of its own (.note.go.buildid), however it links; others may stand before it. */
static bool has_note_of_go(const struct source *source, const Elf64_Phdr *header) {
	uint8_t bytes[NOTES_BYTES];
	size_t length = header->p_filesz < sizeof(bytes) ? (size_t)header->p_filesz : sizeof(bytes), at = 0;
	ssize_t n = read_at(source, bytes, length, header->p_offset);
	Elf64_Nhdr note;
	while (n > 0 && at + sizeof(note) + 4 <= (size_t)n) {
		memcpy(&note, bytes + at, sizeof(note));
		if (note.n_namesz == 4 && memcmp(bytes + at + sizeof(note), "Go\0", 4) == 0)
			return true;
		if (note.n_namesz > sizeof(bytes) || note.n_descsz > sizeof(bytes))
			return false;
		at += sizeof(note) + ((note.n_namesz + 3) & ~3U) + ((note.n_descsz + 3) & ~3U);
	}
	return false;
}

static int parse_elf(const struct source *source, bool tells_go, struct gk_program *out) {
	Elf64_Ehdr elf;
	memcpy(&elf, source->head, sizeof(elf));
	if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB || elf.e_machine != EM_X86_64) {
		out->kind = GK_PROGRAM_FOREIGN;
		return 0;
	}
	out->kind = GK_PROGRAM_ELF;
	size_t bytes = (size_t)elf.e_phnum * sizeof(Elf64_Phdr);
	if ((elf.e_type != ET_EXEC && elf.e_type != ET_DYN) || elf.e_phentsize != sizeof(Elf64_Phdr) || bytes == 0 ||
	    bytes > PROGRAM_HEADERS_BYTES)
		return -ENOEXEC;

	Elf64_Phdr headers[PROGRAM_HEADERS_AT_ONCE], dynamic = {.p_type = PT_NULL};
	for (size_t i = 0; i < elf.e_phnum && (tells_go || !out->interpreted); i++) {
		size_t slot = i % GK_COUNT(headers);
		if (slot == 0) {
			size_t left = (size_t)elf.e_phnum - i;
			size_t want = (left < GK_COUNT(headers) ? left : GK_COUNT(headers)) * sizeof(headers[0]);
			ssize_t n = read_at(source, headers, want, elf.e_phoff + i * sizeof(headers[0]));
			if (n < 0)
				return (int)n;
			if ((size_t)n != want)
				return -ENOEXEC;
		}
		/* The kernel takes the first. */
		int error = headers[slot].p_type == PT_INTERP && !out->interpreted ? read_interpreter(source, &headers[slot], out) : 0;
		if (error)
			return error;
		if (headers[slot].p_type == PT_DYNAMIC)
			dynamic = headers[slot];
		if (tells_go && headers[slot].p_type == PT_NOTE)
			out->go |= has_note_of_go(source, &headers[slot]);
	}
	if (elf.e_type == ET_DYN && !out->interpreted && dynamic.p_type == PT_DYNAMIC)
		return names_itself(source, &dynamic, &out->loader);
	return 0;
}

static bool starts_with(struct gk_slice bytes, const char *prefix) {
	size_t length = strlen(prefix);
	return bytes.length >= length && memcmp(bytes.at, prefix, length) == 0;
}

bool gk_program_is_loader_name(struct gk_slice base) {
	static const char *const prefixes[] = {"ld-linux", "ld-musl", "ld.so", "ld64.so", "ld-uClibc", "ld-2."};
	for (size_t i = 0; i < GK_COUNT(prefixes); i++)
		if (starts_with(base, prefixes[i]))
			return true;
	return false;
}
