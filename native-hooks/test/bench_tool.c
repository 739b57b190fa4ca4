/* bench_tool IMAGE ACTION PATHFILE [SECONDS]: decides each line of PATHFILE over and over; prints one line of JSON with decisions
 * a second and the median and 99th percentile of one decision in nanoseconds. */
#include "image/decide.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Decisions timed as one: the clock costs about as much as a decision. */
#define BATCH 8
#define MAX_SAMPLES (1U << 20)

static uint64_t now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static size_t read_paths(const char *name, struct gk_slice **out) {
	FILE *file = fopen(name, "re");
	size_t count = 0, capacity = 0;
	char *line = NULL;
	struct gk_slice *paths = NULL;
	if (!file)
		return 0;
	for (ssize_t n; (n = getline(&line, &(size_t){0}, file)) > 0; line = NULL) {
		if (line[n - 1] == '\n')
			n--;
		if (count == capacity)
			paths = realloc(paths, (capacity = capacity ? capacity * 2 : 1024) * sizeof(*paths));
		if (!paths)
			abort();
		paths[count++] = gk_slice(line, (size_t)n);
	}
	free(line);
	fclose(file);
	*out = paths;
	return count;
}

static int ascending(const void *a, const void *b) {
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void measure(const struct gk_image *image, enum gk_action action, const struct gk_slice *paths, size_t count,
		    double seconds) {
	uint32_t *samples = calloc(MAX_SAMPLES, sizeof(*samples));
	if (!samples)
		abort();
	unsigned denied = 0;
	size_t taken = 0, next = 0;
	uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), before = start;
	while (before < end && taken < MAX_SAMPLES) {
		for (unsigned i = 0; i < BATCH; i++) {
			denied += gk_decide_path(image, action, paths[next]).effect == GK_EFFECT_DENY;
			next = next + 1 == count ? 0 : next + 1;
		}
		uint64_t after = now_ns();
		samples[taken++] = (uint32_t)((after - before) * 10 / BATCH);
		before = after;
	}
	double elapsed = (double)(before - start) / 1e9;
	qsort(samples, taken, sizeof(*samples), ascending);
	printf("{\"decisions\":%zu,\"perSecond\":%.0f,\"p50Ns\":%.1f,\"p99Ns\":%.1f,\"denied\":%u}\n", taken * BATCH,
	       (double)(taken * BATCH) / elapsed, samples[taken / 2] / 10.0, samples[taken * 99 / 100] / 10.0, denied);
	free(samples);
}

int main(int argc, char **argv) {
	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: bench_tool IMAGE ACTION PATHFILE [SECONDS]\n");
		return 2;
	}
	GK_AUTO_CLOSE int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	struct gk_image *image;
	const char *why = NULL;
	int error = fd < 0 ? -errno : gk_image_open(fd, &image, &why);
	if (error < 0) {
		fprintf(stderr, "bench_tool: %s: %s\n", argv[1], why ? why : strerror(-error));
		return 1;
	}
	struct gk_slice *paths = NULL;
	size_t count = read_paths(argv[3], &paths);
	int action = atoi(argv[2]);
	if (count == 0 || action < 0 || action >= GK_ACTION_COUNT) {
		fprintf(stderr, "bench_tool: no paths, or not an action's number\n");
		return 1;
	}
	measure(image, (enum gk_action)action, paths, count, argc == 5 ? atof(argv[4]) : 1.0);
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)paths[i].at);
	free(paths);
	gk_image_close(image);
	return 0;
}
