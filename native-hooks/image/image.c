#include "image/automaton.h"
#include "image/precedence.h"
#include "image/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

static int read_all(int fd, uint8_t *into, size_t length);
static int prepare(struct gk_image *image, const char **why);

/* The bytes are copied, not mapped from the file: what was validated is what is used, whatever happens to the file. */
int gk_image_open(int fd, struct gk_image **out, const char **why) {
	struct stat stat;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode) || stat.st_size <= 0 || stat.st_size > GK_IMAGE_MAX_BYTES) {
		*why = "not a regular file of a sensible size";
		return -EBADMSG;
	}
	size_t length = (size_t)stat.st_size;
	uint8_t *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	int error = read_all(fd, bytes, length);
	if (error == 0 && mprotect(bytes, length, PROT_READ) < 0)
		error = -errno;
	if (error == 0)
		error = gk_image_over(bytes, length, out, why);
	else if (error == -EBADMSG)
		*why = "file that shrinks while it is read";
	if (error < 0)
		munmap(bytes, length);
	else
		(*out)->owns_bytes = true;
	return error;
}

int gk_image_over(const void *bytes, size_t length, struct gk_image **out, const char **why) {
	if ((uintptr_t)bytes % 8 != 0)
		return -EINVAL;
	struct gk_image *image = calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	image->bytes = bytes;
	image->length = length;
	int error = prepare(image, why);
	if (error < 0) {
		gk_image_close(image);
		return error;
	}
	*out = image;
	return 0;
}

void gk_image_close(struct gk_image *image) {
	if (!image)
		return;
	if (image->owns_bytes)
		munmap((void *)(uintptr_t)image->bytes, image->length);
	free(image->automata);
	free(image->outcomes);
	free(image);
}

static int read_all(int fd, uint8_t *into, size_t length) {
	for (size_t done = 0; done < length;) {
		ssize_t n = pread(fd, into + done, length - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		done += (size_t)n;
	}
	return 0;
}

/* Every accept set's verdict is taken once, here: a decision over one automaton is then a walk and a look-up, however many
 * rules match. What was granted is not for ever, so it is left out and weighed at each decision. */
static int prepare_verdicts(struct gk_image *image) {
	image->outcomes = calloc(image->accept_words, sizeof(*image->outcomes));
	if (!image->outcomes)
		return -ENOMEM;
	for (unsigned action = 0; action < GK_ACTION_COUNT; action++)
		image->defaults[action] = gk_verdict_of_default(image, &image->actions[action]);
	for (uint32_t at = 0; at < image->accept_words; at += image->accepts[at] + 1) {
		if (image->accepts[at] == 0)
			continue;
		struct gk_matches matches;
		gk_matches_begin(&matches);
		bool granted = gk_matches_add_ungranted(&matches, image, at);
		/* A set of grants alone is decided by a default, which hangs on the action: whoever asks sees to it. */
		struct gk_verdict verdict = gk_matches_resolve(&matches, image, GK_ACTION_FILE_READ);
		image->outcomes[at] = (struct gk_outcome){verdict, granted};
	}
	return 0;
}

static int prepare(struct gk_image *image, const char **why) {
	struct gk_section sections[GK_SECTION_COUNT + 1];
	*why = gk_sections_read(gk_slice(image->bytes, image->length), sections);
	if (!*why)
		*why = gk_tables_read(image, sections);
	if (*why)
		return -EBADMSG;
	uint64_t *accept_starts = calloc(image->accept_words / 64 + 1, sizeof(*accept_starts));
	if (!accept_starts)
		return -ENOMEM;
	int error = 0;
	*why = gk_accepts_check(image, accept_starts);
	if (!*why)
		error = gk_automata_read(image, sections, accept_starts, why);
	free(accept_starts);
	if (error == 0 && !*why)
		*why = gk_actions_check(image, sections);
	if (*why)
		return -EBADMSG;
	return error < 0 ? error : prepare_verdicts(image);
}
