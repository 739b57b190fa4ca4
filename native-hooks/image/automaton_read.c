/* Checks every word of every automaton once, so that walking needs no checks. */
#include "image/automaton.h"
#include "image/sections.h"

#include <errno.h>
#include <stdlib.h>

static bool bit(const uint64_t *bits, uint32_t index) {
	return (bits[index / 64] >> (index % 64)) & 1;
}

/* Words of the state at `at`, or 0 when it is not a state. */
static uint32_t state_words(const struct gk_automaton *a, uint32_t at) {
	uint32_t left = a->length - at, need;
	if (left < 3)
		return 0;
	uint32_t head = a->words[at + 1], count = head & GK_STATE_KEYS;
	if (head & ~(GK_STATE_DENSE | GK_STATE_ABSORBING | GK_STATE_KEYS))
		return 0;
	if (head & GK_STATE_DENSE) {
		if (count != 0 && count != a->classes)
			return 0;
		need = 2 + a->classes;
	} else {
		if (count > 256)
			return 0;
		need = 3 + (count + 3) / 4 + count;
	}
	return need <= left ? need : 0;
}

/* First pass: states lie back to back; notes where each begins. */
static const char *mark_states(const struct gk_automaton *a, uint64_t *starts) {
	static const uint32_t dead[3] = {0, GK_STATE_ABSORBING, 0};
	if (a->length < 3 || memcmp(a->words, dead, sizeof(dead)) != 0)
		return "automaton without its dead state";
	for (uint32_t at = 0; at < a->length;) {
		uint32_t words = state_words(a, at);
		if (words == 0)
			return "automaton with a malformed state";
		starts[at / 64] |= 1ULL << (at % 64);
		at += words;
	}
	return NULL;
}

static const char *check_target(const struct gk_automaton *a, const uint64_t *starts, uint32_t from, uint32_t target) {
	if (target >= a->length || !bit(starts, target))
		return "transition that leads to no state";
	if (gk_automaton_absorbs(a, from) && target != from)
		return "absorbing state with a way out";
	return NULL;
}

/* Second pass: every transition leads to a state, every accept set exists. */
static const char *check_state(const struct gk_automaton *a, const uint64_t *starts, uint32_t at) {
	const gk_word *here = a->words + at;
	const char *wrong = NULL;
	if (here[1] & GK_STATE_DENSE) {
		for (uint32_t i = 0; i < a->classes && !wrong; i++)
			wrong = check_target(a, starts, at, here[2 + i]);
		return wrong;
	}
	uint32_t count = here[1] & GK_STATE_KEYS;
	const uint8_t *keys = (const uint8_t *)(here + 3);
	for (uint32_t i = 1; i < count; i++)
		if (keys[i - 1] >= keys[i])
			return "state with unsorted keys";
	wrong = check_target(a, starts, at, here[2]);
	for (uint32_t i = 0; i < count && !wrong; i++)
		wrong = check_target(a, starts, at, here[3 + (count + 3) / 4 + i]);
	return wrong;
}

static const char *check_words(const struct gk_image *image, const struct gk_automaton *a, uint64_t *starts,
			       const uint64_t *accept_starts) {
	memset(starts, 0, (a->length / 64 + 1) * sizeof(*starts));
	const char *wrong = mark_states(a, starts);
	if (wrong)
		return wrong;
	if (a->start >= a->length || !bit(starts, a->start))
		return "automaton starts in no state";
	for (uint32_t at = 0; at < a->length; at += state_words(a, at)) {
		uint32_t accept = gk_automaton_accept(a, at);
		if (accept >= image->accept_words || !bit(accept_starts, accept))
			return "state with an accept set that does not exist";
		wrong = check_state(a, starts, at);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static bool kind_fits(const struct gk_automaton_record *record) {
	switch (record->action) {
	case GK_ACTION_FILE_READ:
	case GK_ACTION_FILE_WRITE:
	case GK_ACTION_FILE_DELETE:
	case GK_ACTION_UNIX_SOCKET:
		return record->kind == GK_AUTOMATON_PATH;
	case GK_ACTION_SHELL_EXEC:
		return record->kind == GK_AUTOMATON_COMMAND_BASE || record->kind == GK_AUTOMATON_COMMAND_PATH;
	case GK_ACTION_NETWORK:
		return record->kind == GK_AUTOMATON_REQUEST_PATH;
	default:
		return false;
	}
}

static const char *read_record(const struct gk_automaton_record *record, const struct gk_section *sections,
			       struct gk_automaton *out) {
	const struct gk_section *words = &sections[GK_SECTION_WORDS], *maps = &sections[GK_SECTION_CLASSMAPS];
	if (record->zero != 0)
		return "reserved bytes are not zero";
	if (!kind_fits(record))
		return "automaton of a kind that its action does not have";
	if (record->classes < 1 || record->classes > 256)
		return "automaton with a wrong number of classes";
	if (record->first > words->count || record->words > words->count - record->first)
		return "automaton outside the words";
	if (maps->length < 256 || record->class_map > maps->length - 256)
		return "class map outside its section";
	*out = (struct gk_automaton){
		.words = (const gk_word *)(const void *)words->at + record->first,
		.class_map = maps->at + record->class_map,
		.start = record->start,
		.length = record->words,
		.classes = record->classes,
		.kind = (enum gk_automaton_kind)record->kind,
	};
	for (unsigned byte = 0; byte < 256; byte++)
		if (out->class_map[byte] >= record->classes)
			return "class map names a class that does not exist";
	return NULL;
}

int gk_automata_read(struct gk_image *image, const struct gk_section *sections, const uint64_t *accept_starts,
		     const char **why) {
	const struct gk_section *section = &sections[GK_SECTION_AUTOMATA];
	const struct gk_automaton_record *records = (const void *)section->at;
	if (section->count > GK_ACTION_COUNT * GK_CURSOR_AUTOMATA) {
		*why = "too many automata";
		return -EBADMSG;
	}
	image->automaton_count = section->count;
	image->automata = calloc((size_t)section->count + 1, sizeof(*image->automata));
	uint64_t *starts = calloc(sections[GK_SECTION_WORDS].count / 64 + 1, sizeof(*starts));
	int error = image->automata && starts ? 0 : -ENOMEM;
	for (uint32_t i = 0; error == 0 && i < section->count; i++) {
		const char *wrong = read_record(&records[i], sections, &image->automata[i]);
		if (!wrong)
			wrong = check_words(image, &image->automata[i], starts, accept_starts);
		if (wrong) {
			*why = wrong;
			error = -EBADMSG;
		}
	}
	free(starts);
	return error;
}
