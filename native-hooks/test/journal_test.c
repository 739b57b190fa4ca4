/* The journal: order across threads and segments, kill -9 at any moment, a full disk. */
#include "base/little.h"
#include "test/check.h"
#include "wire/crc32.h"
#include "wire/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What a reader that knows nothing but the document finds. */
struct found {
	unsigned segments, records;
	uint64_t last;	 /* number of the last record */
	bool damaged;	 /* a bad header, checksum, frame or sequence */
	bool dangling;	 /* an end mark without a next segment */
};

static uint8_t *read_segment(int directory, unsigned number, size_t *size) {
	char name[32];
	snprintf(name, sizeof(name), "journal-%06u", number);
	GK_AUTO_CLOSE int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	if (fd < 0 || fstat(fd, &stat) < 0)
		return NULL;
	*size = (size_t)stat.st_size;
	uint8_t *bytes = malloc(*size);
	if (!bytes || read(fd, bytes, *size) != stat.st_size)
		abort();
	return bytes;
}

/* True when an end mark says that another segment follows. */
static bool read_records(const uint8_t *bytes, size_t size, struct found *found) {
	size_t at = GK_JOURNAL_HEADER_BYTES;
	while (at + 8 <= size) {
		uint32_t length = gk_load32(bytes + at);
		if (length == 0)
			return false;
		if (length == GK_JOURNAL_SEGMENT_END)
			return true;
		struct gk_frame_view view;
		size_t used = 0;
		if (length > size - at - 8) {
			found->damaged = true;
			return false;
		}
		struct gk_slice frame = gk_slice(bytes + at + 8, length);
		found->damaged |= gk_crc32(frame) != gk_load32(bytes + at + 4) || gk_frame_parse(frame, &view, &used) != 0 ||
				  used != length || view.number != found->last + 1;
		found->last++;
		found->records++;
		at += (8 + length + 7) / 8 * 8;
	}
	found->damaged = true; /* neither an end nor a mark */
	return false;
}

static struct found read_journal(int directory) {
	struct found found = {0};
	for (bool more = true; more;) {
		size_t size = 0;
		uint8_t *bytes = read_segment(directory, found.segments + 1, &size);
		if (!bytes) {
			found.dangling = found.segments > 0;
			break;
		}
		found.segments++;
		found.damaged |= size != GK_JOURNAL_SEGMENT_BYTES || memcmp(bytes, GK_JOURNAL_MAGIC, 8) != 0 ||
				 gk_load32(bytes + 8) != GK_JOURNAL_HEADER_BYTES || gk_load32(bytes + 12) != found.segments ||
				 gk_load64(bytes + 16) != size || strcmp((const char *)bytes + 24, "run-1") != 0 ||
				 gk_load64(bytes + 56) != found.last + 1;
		more = !found.damaged && read_records(bytes, size, &found);
		free(bytes);
	}
	return found;
}

static int fresh_directory(char *path) {
	if (!mkdtemp(path))
		abort();
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static unsigned remove_directory(int fd, const char *path) {
	unsigned removed = 0;
	DIR *dir = fdopendir(fd);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' || entry->d_name[1] == 'j')
			removed += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
	closedir(dir);
	rmdir(path);
	return removed;
}

static struct gk_slice frame_of(uint8_t *buffer, size_t capacity, size_t text) {
	static const uint8_t filler[60000];
	struct gk_frame_writer w;
	gk_frame_begin(&w, buffer, capacity, GK_FRAME_NOTE, 0);
	gk_frame_bytes(&w, GK_FIELD_TEXT, gk_slice(filler, text));
	CHECK(gk_frame_end(&w) == 0);
	return gk_slice(buffer, w.length);
}

#define THREADS 4
#define EACH 8000

static void *append_many(void *journal) {
	uint8_t buffer[1024];
	for (unsigned i = 0; i < EACH; i++)
		CHECK(gk_journal_append(journal, frame_of(buffer, sizeof(buffer), i % 700)) == 0);
	return NULL;
}

static void threads_append_in_one_order_over_segments(void) {
	char path[] = "/tmp/gk-journal-XXXXXX";
	int directory = fresh_directory(path);
	struct gk_journal *journal = NULL, *second = NULL;
	CHECK(gk_journal_open(directory, gk_slice_of("run-1"), &journal) == 0);
	CHECK(gk_journal_open(directory, gk_slice_of("run-1"), &second) == -EEXIST, "a second journal in one place");
	pthread_t thread[THREADS];
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, append_many, journal) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	uint32_t segment = 0;
	uint64_t offset = 0;
	gk_journal_position(journal, &segment, &offset);
	gk_journal_close(journal);
	struct found found = read_journal(directory);
	CHECK(found.records == THREADS * EACH && !found.damaged && !found.dangling, "%u records", found.records);
	CHECK(found.segments > 2 && segment == found.segments && offset > GK_JOURNAL_HEADER_BYTES && offset % 8 == 0);
	CHECK(remove_directory(directory, path) == found.segments, "something besides the segments was left");
}

static void malformed_frames_are_not_written(void) {
	char path[] = "/tmp/gk-journal-XXXXXX";
	int directory = fresh_directory(path);
	struct gk_journal *journal = NULL;
	uint8_t buffer[256];
	CHECK(gk_journal_open(directory, gk_slice_of(""), &journal) == -EINVAL);
	CHECK(gk_journal_open(directory, gk_slice_of("0123456789abcdef0123456789abcdef"), &journal) == -EINVAL);
	CHECK(gk_journal_open(directory, gk_slice_of("run-1"), &journal) == 0);
	struct gk_slice frame = frame_of(buffer, sizeof(buffer), 10);
	CHECK(gk_journal_append(journal, gk_slice(frame.at, frame.length - 1)) == -EINVAL);
	CHECK(gk_journal_append(journal, gk_slice(frame.at, 8)) == -EINVAL);
	CHECK(gk_journal_append(journal, frame) == 0);
	gk_journal_close(journal);
	struct found found = read_journal(directory);
	CHECK(found.records == 1 && !found.damaged);
	remove_directory(directory, path);
}

/* Shared with the writer: how many appends had returned when it was killed. */
static void write_until_killed(int directory, atomic_uint *returned, unsigned seed) {
	static uint8_t buffer[60000];
	struct gk_journal *journal = NULL;
	if (gk_journal_open(directory, gk_slice_of("run-1"), &journal) != 0)
		_exit(1);
	for (;;) {
		if (gk_journal_append(journal, frame_of(buffer, sizeof(buffer), (size_t)rand_r(&seed) % 4000)) != 0)
			_exit(1);
		atomic_fetch_add(returned, 1);
	}
}

static void a_killed_writer_loses_nothing(unsigned rounds) {
	atomic_uint *returned = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned rolled = 0;
	for (unsigned round = 0; round < rounds; round++) {
		char path[] = "/tmp/gk-journal-XXXXXX";
		int directory = fresh_directory(path);
		atomic_store(returned, 0);
		pid_t writer = fork();
		if (writer == 0)
			write_until_killed(directory, returned, round);
		/* Spread over the start, the first records and the change of segments, however busy the machine is. */
		unsigned enough = (round % 5 == 0 ? 1900 : 0) + (round * 7919) % 400;
		for (int waited = 0; waited < 200000 && atomic_load(returned) < enough; waited++)
			usleep(50);
		usleep(round % 8 * 40);
		kill(writer, SIGKILL);
		int status = 0;
		waitpid(writer, &status, 0);
		CHECK(WIFSIGNALED(status), "the writer ended by itself");
		struct found found = read_journal(directory);
		unsigned at_least = atomic_load(returned);
		CHECK(!found.damaged && !found.dangling, "round %u", round);
		CHECK(found.records >= at_least && found.records <= at_least + 1, "round %u: %u records, %u returned", round,
		      found.records, at_least);
		rolled += found.segments > 1;
		remove_directory(directory, path);
	}
	CHECK(rolled > 0, "no round reached a second segment");
	munmap(returned, 4096);
}

/* 6 MiB: one segment fits, the second does not. */
static void fill_small_disk(const char *path) {
	uint8_t buffer[4096];
	struct gk_journal *journal = NULL;
	GK_AUTO_CLOSE int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(gk_journal_open(directory, gk_slice_of("run-1"), &journal) == 0);
	struct gk_slice frame = frame_of(buffer, sizeof(buffer), 2000);
	unsigned written = 0;
	int error = 0;
	while ((error = gk_journal_append(journal, frame)) == 0)
		written++;
	CHECK(error == -ENOSPC, "%d after %u", error, written);
	CHECK(gk_journal_append(journal, frame) == -ENOSPC);
	CHECK(read_journal(directory).records == written, "a failed append left something");
	unsigned final = 0;
	while (gk_journal_append_final(journal, frame) == 0)
		final++;
	CHECK(final >= GK_JOURNAL_RESERVE_BYTES / frame.length, "%u final records", final);
	struct found found = read_journal(directory);
	CHECK(found.records == written + final && !found.damaged && found.segments == 1);
	/* Room again: the journal goes on where it stood. */
	CHECK(mount(NULL, path, NULL, MS_REMOUNT, "size=12m") == 0);
	CHECK(gk_journal_append(journal, frame) == 0);
	found = read_journal(directory);
	CHECK(found.segments == 2 && found.records == written + final + 1 && !found.damaged && !found.dangling);
	gk_journal_close(journal);
	/* And a disk that is full from the start. */
	CHECK(mount(NULL, path, NULL, MS_REMOUNT, "size=9m") == 0);
	CHECK(mkdirat(directory, "other", 0700) == 0);
	GK_AUTO_CLOSE int other = openat(directory, "other", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(gk_journal_open(other, gk_slice_of("run-1"), &journal) == -ENOSPC);
	CHECK(read_journal(other).segments == 0 && unlinkat(directory, "other", AT_REMOVEDIR) == 0, "something was left");
}

static void a_full_disk_is_an_error_and_never_a_signal(void) {
	char path[] = "/tmp/gk-journal-XXXXXX";
	if (!mkdtemp(path))
		abort();
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", path, "tmpfs", 0, "size=6m") < 0) {
			printf("skipped: full disk: needs a mount namespace: %s\n", strerror(errno));
			fflush(stdout);
			_exit(0);
		}
		fill_small_disk(path);
		_exit(gk_check_status());
	}
	int status = 0;
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
	rmdir(path);
}

int main(void) {
	threads_append_in_one_order_over_segments();
	malformed_frames_are_not_written();
	a_killed_writer_loses_nothing(60);
	a_full_disk_is_an_error_and_never_a_signal();
	return gk_check_status();
}
