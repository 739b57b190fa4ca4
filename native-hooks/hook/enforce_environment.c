#include "hook/enforce.h"
#include "hook/enforce_judge.h"

#include <stdlib.h>
#include <string.h>

enum kept { KEPT_PRELOAD, KEPT_HOOK, KEPT_REPORT, KEPT_COUNT };
static const char *const names[KEPT_COUNT] = {"LD_PRELOAD=", "GATEKEEPER_HOOK=", "GATEKEEPER_REPORT="};

/* Our own environment's, from the start of the program; what it says of itself later does not count. */
static char library[PATH_MAX];

/* The first library of LD_PRELOAD, which gk-supervise has made sure of. */
void gk_enforce_remember_library(void) {
	const char *preload = getenv("LD_PRELOAD");
	size_t length = preload == NULL ? 0 : strcspn(preload, ": ");
	if (length == 0 || length >= sizeof(library))
		return;
	memcpy(library, preload, length);
	library[length] = '\0';
}

static enum kept kept_of(const char *entry) {
	for (enum kept i = 0; i < KEPT_COUNT; i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return i;
	return KEPT_COUNT;
}

/* What somebody else wants loaded, without ours. */
static const char *other_libraries(char *const envp[]) {
	for (; envp != NULL && *envp != NULL; envp++) {
		if (kept_of(*envp) != KEPT_PRELOAD)
			continue;
		const char *value = *envp + strlen(names[KEPT_PRELOAD]);
		size_t length = strlen(library);
		if (strncmp(value, library, length) != 0 || (value[length] != '\0' && value[length] != ':' && value[length] != ' '))
			return value;
		return value[length] == '\0' ? value + length : value + length + 1;
	}
	return "";
}

static size_t count(char *const envp[]) {
	size_t entries = 0;
	while (envp != NULL && envp[entries] != NULL)
		entries++;
	return entries;
}

/* The letter of GATEKEEPER_HOOK hangs on what is executed, so it is always written anew. */
size_t gk_enforce_environment_size(char *const envp[]) {
	if (!gk_enforce_is_ready())
		return 0;
	size_t texts = strlen(names[KEPT_PRELOAD]) + strlen(library) + 1 + strlen(other_libraries(envp)) + 1 + strlen(names[KEPT_HOOK]) + sizeof("ceq:") +
		       strlen(gk_enforce_image_path()) + strlen(names[KEPT_REPORT]) + strlen(gk_enforce_run_dir()) + 1;
	return (count(envp) + KEPT_COUNT + 1) * sizeof(char *) + texts;
}

static bool begins(const char **text, const char *part) {
	size_t length = strlen(part);
	bool same = strncmp(*text, part, length) == 0;
	*text += same ? length : 0;
	return same;
}

static bool is_as_it_should(enum kept kept, const char *value) {
	switch (kept) {
	case KEPT_PRELOAD: return begins(&value, library) && (value[0] == '\0' || value[0] == ':' || value[0] == ' ');
	case KEPT_HOOK: return begins(&value, gk_enforce_next_letters()) && begins(&value, gk_enforce_image_path()) && value[0] == '\0';
	case KEPT_REPORT: return begins(&value, gk_enforce_run_dir()) && value[0] == '\0';
	case KEPT_COUNT: break;
	}
	return true;
}

bool gk_enforce_environment_is_whole(char *const envp[]) {
	unsigned seen = 0;
	for (; envp != NULL && *envp != NULL; envp++) {
		enum kept kept = kept_of(*envp);
		if (kept == KEPT_COUNT)
			continue;
		if ((seen & 1U << kept) != 0 || !is_as_it_should(kept, *envp + strlen(names[kept])))
			return false;
		seen |= 1U << kept;
	}
	return seen == (1U << KEPT_COUNT) - 1;
}

static char *write_entry(char *at, enum kept kept, const char *first, const char *second) {
	return stpcpy(stpcpy(stpcpy(at, names[kept]), first), second) + 1;
}

char *const *gk_enforce_environment(char *const envp[], void *room) {
	char **out = room, *text = (char *)(out + count(envp) + KEPT_COUNT + 1);
	const char *others = other_libraries(envp);
	size_t entries = 0;
	out[entries++] = text;
	text = write_entry(text, KEPT_PRELOAD, library, others[0] == '\0' ? "" : ":");
	if (others[0] != '\0')
		text = stpcpy(text - 1, others) + 1;
	out[entries++] = text;
	text = write_entry(text, KEPT_HOOK, gk_enforce_next_letters(), gk_enforce_image_path());
	out[entries++] = text;
	write_entry(text, KEPT_REPORT, gk_enforce_run_dir(), "");
	for (; envp != NULL && *envp != NULL; envp++)
		if (kept_of(*envp) == KEPT_COUNT)
			out[entries++] = *envp;
	out[entries] = NULL;
	return out;
}
