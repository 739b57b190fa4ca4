#include "supervise/cover.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define SETS 4096U
#define WAYS 8U

struct entry {
	struct gk_birthmark mark;
	uint64_t used; /* 0: free */
	pid_t owner;
};

struct gk_cover {
	pthread_mutex_t lock;
	uint64_t clock;
	struct entry sets[SETS][WAYS];
};

int gk_cover_open(struct gk_cover **out) {
	struct gk_cover *cover = calloc(1, sizeof(*cover));
	if (cover == NULL)
		return -ENOMEM;
	pthread_mutex_init(&cover->lock, NULL);
	*out = cover;
	return 0;
}

void gk_cover_close(struct gk_cover *cover) {
	if (cover != NULL)
		pthread_mutex_destroy(&cover->lock);
	free(cover);
}

static struct entry *set_of(struct gk_cover *cover, const struct gk_birthmark *mark) {
	uint64_t mix = 0;
	for (size_t i = 0; i < GK_COUNT(mark->words); i++)
		mix = (mix ^ mark->words[i]) * 0x9e3779b97f4a7c15U;
	return cover->sets[(mix >> 40) % SETS];
}

static struct entry *find(struct entry *set, const struct gk_birthmark *mark) {
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].used != 0 && gk_birthmark_equal(&set[i].mark, mark))
			return &set[i];
	return NULL;
}

static bool is_gone(pid_t process) {
	return kill(process, 0) < 0 && errno == ESRCH;
}

static struct entry *place_for(struct entry *set) {
	struct entry *oldest = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used == 0)
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	for (size_t i = 0; i < WAYS; i++)
		if (is_gone(set[i].owner))
			return &set[i];
	return oldest;
}

void gk_cover_add(struct gk_cover *cover, const struct gk_birthmark *mark, pid_t owner) {
	pthread_mutex_lock(&cover->lock);
	struct entry *set = set_of(cover, mark), *entry = find(set, mark);
	if (entry == NULL)
		entry = place_for(set);
	*entry = (struct entry){.mark = *mark, .used = ++cover->clock, .owner = owner};
	pthread_mutex_unlock(&cover->lock);
}

bool gk_cover_has(struct gk_cover *cover, const struct gk_birthmark *mark) {
	pthread_mutex_lock(&cover->lock);
	struct entry *entry = find(set_of(cover, mark), mark);
	if (entry != NULL)
		entry->used = ++cover->clock;
	pthread_mutex_unlock(&cover->lock);
	return entry != NULL;
}
