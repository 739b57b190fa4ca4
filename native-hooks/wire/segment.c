#include "wire/segment.h"

#include "base/little.h"
#include "wire/crc32.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define RECORD_HEADER_BYTES 8

/* Until a segment is whole it has this name, which no reader looks for. */
static const char unfinished[] = ".journal-next";

static int allocate(int fd);
static int map_with_header(int fd, uint32_t number, const char *run, uint64_t first_record, struct gk_segment *out);
static int publish(int directory, uint32_t number);

int gk_segment_create(int directory, uint32_t number, const char run[GK_JOURNAL_RUN_BYTES], uint64_t first_record,
		      struct gk_segment *out) {
	GK_AUTO_CLOSE int fd =
		openat(directory, unfinished, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return -errno;
	int error = allocate(fd);
	if (error == 0)
		error = map_with_header(fd, number, run, first_record, out);
	if (error == 0) {
		error = publish(directory, number);
		if (error < 0)
			gk_segment_unmap(out);
	}
	unlinkat(directory, unfinished, 0);
	return error;
}

void gk_segment_unmap(struct gk_segment *segment) {
	if (segment->map)
		munmap(segment->map, segment->size);
	segment->map = NULL;
}

static uint64_t record_bytes(size_t length) {
	return (RECORD_HEADER_BYTES + (uint64_t)length + 7) / 8 * 8;
}

bool gk_segment_has_room(const struct gk_segment *segment, size_t length, uint64_t reserve) {
	return segment->offset + record_bytes(length) + reserve + RECORD_HEADER_BYTES <= segment->size;
}

/* A reader that sees the length sees all that was stored before it. */
static void release_length(struct gk_segment *segment, uint32_t length) {
	uint32_t *at = (uint32_t *)(void *)(segment->map + segment->offset);
	__atomic_store_n(at, htole32(length), __ATOMIC_RELEASE);
}

void gk_segment_write(struct gk_segment *segment, struct gk_slice frame, uint64_t number) {
	uint8_t *at = segment->map + segment->offset, *copy = at + RECORD_HEADER_BYTES;
	memcpy(copy, frame.at, frame.length);
	gk_store64(copy + 8, number);
	gk_store32(at + 4, gk_crc32(gk_slice(copy, frame.length)));
	release_length(segment, (uint32_t)frame.length);
	segment->offset += record_bytes(frame.length);
}

void gk_segment_end(struct gk_segment *segment) {
	release_length(segment, GK_JOURNAL_SEGMENT_END);
}

/* Real blocks, not a promise: writing to a hole of a full file system through a mapping is a SIGBUS. */
static int allocate(int fd) {
	int error;
	do
		error = posix_fallocate(fd, 0, GK_JOURNAL_SEGMENT_BYTES);
	while (error == EINTR);
	return -error;
}

static int map_with_header(int fd, uint32_t number, const char *run, uint64_t first_record, struct gk_segment *out) {
	uint8_t *map = mmap(NULL, GK_JOURNAL_SEGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	memcpy(map, GK_JOURNAL_MAGIC, 8);
	gk_store32(map + 8, GK_JOURNAL_HEADER_BYTES);
	gk_store32(map + 12, number);
	gk_store64(map + 16, GK_JOURNAL_SEGMENT_BYTES);
	memcpy(map + 24, run, GK_JOURNAL_RUN_BYTES);
	gk_store64(map + 56, first_record);
	*out = (struct gk_segment){
		.map = map,
		.size = GK_JOURNAL_SEGMENT_BYTES,
		.offset = GK_JOURNAL_HEADER_BYTES,
		.number = number,
	};
	return 0;
}

/* A link, because it never replaces a segment that exists. */
static int publish(int directory, uint32_t number) {
	char name[32];
	snprintf(name, sizeof(name), "journal-%06u", number);
	return linkat(directory, unfinished, directory, name, 0) < 0 ? -errno : 0;
}
