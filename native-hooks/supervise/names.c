#include "supervise/names.h"

#include <errno.h>
#include <stdlib.h>

void gk_names_clear(struct gk_names *names) {
	free(names->name);
	*names = (struct gk_names){.name = NULL};
}

int gk_names_add(struct gk_names *names, const struct stat *st) {
	if (names->count == names->capacity) {
		size_t capacity = names->capacity == 0 ? 1024 : names->capacity * 2;
		struct gk_name *grown = reallocarray(names->name, capacity, sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		names->name = grown;
		names->capacity = capacity;
	}
	names->name[names->count++] = (struct gk_name){.device = st->st_dev, .inode = st->st_ino};
	return 0;
}

static int compare(const void *left, const void *right) {
	const struct gk_name *a = left, *b = right;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return a->device == b->device ? 0 : a->device < b->device ? -1 : 1;
}

void gk_names_sort(struct gk_names *names) {
	if (names->count > 0)
		qsort(names->name, names->count, sizeof *names->name, compare);
}

size_t gk_names_count(const struct gk_names *names, const struct stat *st) {
	const struct gk_name wanted = {.device = st->st_dev, .inode = st->st_ino};
	size_t low = 0, high = names->count, count = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&names->name[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + count < names->count && compare(&names->name[low + count], &wanted) == 0)
		count++;
	return count;
}
