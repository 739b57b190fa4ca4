/* Lets a fuzz target run without libFuzzer: seeds of its own, files given as arguments, and pseudo-random changes to them. Build
 * with -DGK_LIBFUZZER and -fsanitize=fuzzer to leave the main function to libFuzzer. */
#ifndef GK_FUZZ_DRIVER_H
#define GK_FUZZ_DRIVER_H

#include "base/bytes.h"

/* libFuzzer's entry. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The target's own seed number `index`, from malloc; at == NULL when there are no more. */
struct gk_slice gk_fuzz_seed(unsigned index);

/* Prints what the runs came to; non-zero when they did not reach what they are for. */
int gk_fuzz_report(void);

#ifndef GK_LIBFUZZER

#include <stdio.h>
#include <stdlib.h>

#define GK_FUZZ_SEEDS_MAX 256

struct gk_fuzz_random {
	uint64_t state;
};

static uint32_t gk_fuzz_next(struct gk_fuzz_random *random) {
	random->state = random->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random->state >> 33);
}

/* One change, mostly to an aligned word: formats made of offsets and counts break there. */
static void gk_fuzz_change(struct gk_fuzz_random *random, uint8_t *bytes, size_t *length) {
	static const uint32_t interesting[] = {0, 1, 2, 3, 7, 8, 16, 255, 256, 0x7fff, 0xffff, 0x40000000, 0x7fffffff, 0x80000000,
					       0xfffffff8, 0xffffffff};
	size_t at = gk_fuzz_next(random) % *length, word = at & ~(size_t)3;
	uint32_t value;
	switch (gk_fuzz_next(random) % 8) {
	case 0:
		bytes[at] ^= (uint8_t)(1U << (gk_fuzz_next(random) % 8));
		return;
	case 1:
		bytes[at] = (uint8_t)gk_fuzz_next(random);
		return;
	case 2:
		if (gk_fuzz_next(random) % 8 == 0)
			*length = at + 1;
		return;
	case 3:
		value = interesting[gk_fuzz_next(random) % (sizeof(interesting) / sizeof(interesting[0]))];
		break;
	case 4:
		value = gk_fuzz_next(random) % (uint32_t)*length;
		break;
	default:
		if (word + 4 > *length)
			return;
		memcpy(&value, bytes + word, 4);
		value += gk_fuzz_next(random) % 9 - 4;
		break;
	}
	if (word + 4 <= *length)
		memcpy(bytes + word, &value, 4);
}

static void gk_fuzz_mutate(struct gk_slice seed, struct gk_fuzz_random *random) {
	/* A buffer of its own and of the exact size, so that a sanitizer sees every step outside. */
	uint8_t *scratch = malloc(seed.length);
	size_t length = seed.length;
	if (!scratch)
		abort();
	memcpy(scratch, seed.at, length);
	for (uint32_t changes = 1 + gk_fuzz_next(random) % 4; changes > 0; changes--)
		gk_fuzz_change(random, scratch, &length);
	uint8_t *exact = malloc(length);
	if (!exact)
		abort();
	memcpy(exact, scratch, length);
	LLVMFuzzerTestOneInput(exact, length);
	free(exact);
	free(scratch);
}

static struct gk_slice gk_fuzz_read(const char *name) {
	FILE *file = fopen(name, "re");
	if (!file || fseek(file, 0, SEEK_END) != 0) {
		perror(name);
		exit(2);
	}
	long length = ftell(file);
	rewind(file);
	uint8_t *bytes = malloc(length > 0 ? (size_t)length : 1);
	if (!bytes || length < 0 || fread(bytes, 1, (size_t)length, file) != (size_t)length) {
		perror(name);
		exit(2);
	}
	fclose(file);
	return gk_slice(bytes, (size_t)length);
}

/* Writes the seeds as files into a directory that exists, for libFuzzer to start from. */
static int gk_fuzz_write_seeds(const char *directory, const struct gk_slice *seeds, unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		char name[4096];
		snprintf(name, sizeof(name), "%s/seed-%u", directory, i);
		FILE *file = fopen(name, "we");
		if (!file || fwrite(seeds[i].at, 1, seeds[i].length, file) != seeds[i].length || fclose(file) != 0) {
			perror(name);
			return 2;
		}
	}
	return 0;
}

/* Usage: PROGRAM [MUTATIONS [FILE...]], or PROGRAM --seeds DIRECTORY */
int main(int argc, char **argv) {
	struct gk_slice seeds[GK_FUZZ_SEEDS_MAX];
	unsigned count = 0;
	while (count < GK_FUZZ_SEEDS_MAX && (seeds[count] = gk_fuzz_seed(count)).at)
		count++;
	if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
		return gk_fuzz_write_seeds(argv[2], seeds, count);
	for (int i = 2; i < argc && count < GK_FUZZ_SEEDS_MAX; i++)
		seeds[count++] = gk_fuzz_read(argv[i]);
	for (unsigned i = 0; i < count; i++)
		LLVMFuzzerTestOneInput(seeds[i].at, seeds[i].length);
	struct gk_fuzz_random random = {.state = 0x6761746b};
	unsigned long mutations = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	for (unsigned long i = 0; i < mutations; i++) {
		struct gk_slice seed = seeds[gk_fuzz_next(&random) % count];
		if (seed.length > 0)
			gk_fuzz_mutate(seed, &random);
	}
	for (unsigned i = 0; i < count; i++)
		free((void *)(uintptr_t)seeds[i].at);
	return gk_fuzz_report();
}

#endif
#endif
