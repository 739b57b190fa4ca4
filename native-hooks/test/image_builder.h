/* Builds small policy images for tests, independently of the compiler in TypeScript. Patterns: bytes, `*` (any but a slash),
 * `**` (anything). Subset construction without minimising: slow, plain, and easy to believe. */
#ifndef GK_TEST_IMAGE_BUILDER_H
#define GK_TEST_IMAGE_BUILDER_H

#include "image/layout.h"

#include <stdio.h>
#include <stdlib.h>

#define TEST_INLINE static inline __attribute__((unused))

struct bytes {
	uint8_t *at;
	size_t length, capacity;
};

TEST_INLINE uint32_t bytes_add(struct bytes *b, const void *from, size_t length) {
	while (b->length + length > b->capacity) {
		b->capacity = b->capacity ? b->capacity * 2 : 256;
		b->at = realloc(b->at, b->capacity);
		if (!b->at)
			abort();
	}
	if (length > 0)
		memcpy(b->at + b->length, from, length);
	b->length += length;
	return (uint32_t)(b->length - length);
}

struct test_pattern {
	char *text;
	uint32_t rule;
};

struct test_automaton {
	enum gk_action action;
	enum gk_automaton_kind kind;
	struct test_pattern *patterns;
	size_t count;
};

struct builder {
	struct bytes section[GK_SECTION_COUNT + 1];
	struct gk_action_record actions[GK_ACTION_COUNT];
	struct test_automaton automata[128];
	size_t automaton_count;
	size_t dense_from; /* states with more keys than this are dense */
};

TEST_INLINE struct gk_text_record build_text(struct builder *b, const char *text) {
	uint32_t length = (uint32_t)strlen(text);
	return (struct gk_text_record){bytes_add(&b->section[GK_SECTION_STRINGS], text, length), length};
}

/* Everything denied, file 0 of layer 3 that pierces itself. */
TEST_INLINE void build_begin(struct builder *b) {
	memset(b, 0, sizeof(*b));
	b->dense_from = 12;
	for (unsigned i = 0; i < GK_ACTION_COUNT; i++)
		b->actions[i] = (struct gk_action_record){.effect = GK_EFFECT_DENY, .rule = UINT32_MAX};
	uint32_t empty = 0;
	bytes_add(&b->section[GK_SECTION_ACCEPTS], &empty, 4);
	static const char *const roots[] = {"/home/u", "/home/u", "/home/u/p", "/home/u/p", "/tmp", "/tmp"};
	for (unsigned i = 0; i < GK_COUNT(roots); i++) {
		struct gk_text_record root = build_text(b, roots[i]);
		bytes_add(&b->section[GK_SECTION_ROOTS], &root, sizeof(root));
	}
}

TEST_INLINE void build_file(struct builder *b, uint8_t layer, uint64_t pierces) {
	struct gk_file_record file = {.name = build_text(b, "file"), .layer = layer, .pierces = pierces};
	bytes_add(&b->section[GK_SECTION_FILES], &file, sizeof(file));
}

TEST_INLINE uint32_t build_rule(struct builder *b, enum gk_action action, enum gk_effect effect, unsigned flags, uint8_t file) {
	struct bytes *rules = &b->section[GK_SECTION_RULES];
	uint32_t index = (uint32_t)(rules->length / sizeof(struct gk_rule_record));
	struct gk_rule_record rule = {
		.action = (uint8_t)action, .effect = (uint8_t)effect, .flags = (uint8_t)flags, .file = file,
		.line = index + 1, .label = build_text(b, "user:test.yaml:1"), .reason = build_text(b, "because"),
	};
	bytes_add(rules, &rule, sizeof(rule));
	return index;
}

/* Into the action's automaton of that kind; group tells several apart. Automata of an action must be built in one row. */
TEST_INLINE void build_pattern(struct builder *b, enum gk_action action, enum gk_automaton_kind kind, unsigned group,
			       const char *text, uint32_t rule) {
	struct test_automaton *automaton = NULL;
	unsigned seen = 0;
	for (size_t i = 0; i < b->automaton_count && !automaton; i++)
		if (b->automata[i].action == action && b->automata[i].kind == kind && seen++ == group)
			automaton = &b->automata[i];
	if (!automaton) {
		automaton = &b->automata[b->automaton_count++];
		*automaton = (struct test_automaton){.action = action, .kind = kind};
	}
	if ((automaton->count & (automaton->count - 1)) == 0)
		automaton->patterns = realloc(automaton->patterns, (automaton->count * 2 + 1) * sizeof(struct test_pattern));
	automaton->patterns[automaton->count++] = (struct test_pattern){strdup(text), rule};
}

/* A path rule and its pattern in one. */
TEST_INLINE uint32_t build_path(struct builder *b, enum gk_action action, enum gk_effect effect, unsigned flags, uint8_t file,
				const char *text) {
	uint32_t rule = build_rule(b, action, effect, flags, file);
	build_pattern(b, action, GK_AUTOMATON_PATH, 0, text, rule);
	return rule;
}

TEST_INLINE void build_host(struct builder *b, uint32_t rule, enum gk_host_kind kind, const uint8_t address[16],
			    uint8_t prefix, uint16_t low, uint16_t high) {
	struct gk_host_record host = {.rule = rule, .kind = (uint8_t)kind, .prefix = prefix, .low = low, .high = high};
	if (address)
		memcpy(host.address, address, 16);
	bytes_add(&b->section[GK_SECTION_HOSTS], &host, sizeof(host));
}

/* A state of the automaton being built: the places (pattern, offset) that it stands for, ascending. */
struct test_state {
	uint64_t *places;
	size_t count;
	uint32_t next[256], offset;
};

struct test_states {
	struct test_state *at;
	size_t count, capacity;
	uint32_t *table; /* open addressing, index plus one */
	size_t slots;
};

TEST_INLINE uint64_t places_hash(const uint64_t *places, size_t count) {
	uint64_t hash = 1469598103934665603ULL;
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ places[i]) * 0x9e3779b97f4a7c15ULL, hash ^= hash >> 29;
	return hash;
}

/* Takes ownership of places. */
TEST_INLINE uint32_t state_of(struct test_states *states, uint64_t *places, size_t count) {
	if (states->count * 2 >= states->slots) {
		free(states->table);
		states->slots = states->slots ? states->slots * 4 : 1024;
		states->table = calloc(states->slots, sizeof(uint32_t));
		for (size_t i = 0; i < states->count; i++) {
			size_t slot = places_hash(states->at[i].places, states->at[i].count) % states->slots;
			while (states->table[slot])
				slot = (slot + 1) % states->slots;
			states->table[slot] = (uint32_t)i + 1;
		}
	}
	size_t slot = places_hash(places, count) % states->slots;
	for (; states->table[slot]; slot = (slot + 1) % states->slots) {
		struct test_state *found = &states->at[states->table[slot] - 1];
		if (found->count == count && (count == 0 || memcmp(found->places, places, count * sizeof(*places)) == 0)) {
			free(places);
			return states->table[slot] - 1;
		}
	}
	if (states->count == states->capacity) {
		states->capacity = states->capacity ? states->capacity * 2 : 64;
		states->at = realloc(states->at, states->capacity * sizeof(*states->at));
	}
	states->at[states->count] = (struct test_state){.places = places, .count = count};
	states->table[slot] = (uint32_t)++states->count;
	return (uint32_t)states->count - 1;
}

TEST_INLINE int compare_places(const void *a, const void *b) {
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Adds a place and those that it reaches for nothing (a star may match no byte). */
TEST_INLINE void add_place(uint64_t *places, size_t *count, const char *text, uint64_t pattern, uint64_t offset) {
	places[(*count)++] = pattern << 16 | offset;
	while (text[offset] == '*') {
		offset += text[offset + 1] == '*' ? 2 : 1;
		places[(*count)++] = pattern << 16 | offset;
	}
}

TEST_INLINE uint32_t finish_places(struct test_states *states, uint64_t *places, size_t count) {
	qsort(places, count, sizeof(*places), compare_places);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || places[kept - 1] != places[i])
			places[kept++] = places[i];
	places = realloc(places, (kept + 1) * sizeof(*places));
	return state_of(states, places, kept);
}

TEST_INLINE uint32_t step_state(struct test_states *states, const struct test_automaton *automaton, uint32_t from, uint8_t byte) {
	struct test_state *state = &states->at[from];
	uint64_t *places = malloc((state->count * 16 + 1) * sizeof(*places));
	size_t count = 0;
	for (size_t i = 0; i < state->count; i++) {
		uint64_t pattern = state->places[i] >> 16, offset = state->places[i] & 0xffff;
		const char *text = automaton->patterns[pattern].text;
		if (text[offset] == '*' && (text[offset + 1] == '*' || byte != '/'))
			add_place(places, &count, text, pattern, offset);
		else if (text[offset] != '*' && text[offset] != 0 && (uint8_t)text[offset] == byte)
			add_place(places, &count, text, pattern, offset + 1);
	}
	return finish_places(states, places, count);
}

TEST_INLINE uint32_t accept_of(struct builder *b, const struct test_automaton *automaton, const struct test_state *state) {
	uint64_t *rules = malloc((state->count + 1) * sizeof(*rules));
	size_t count = 0;
	for (size_t i = 0; i < state->count; i++) {
		const struct test_pattern *pattern = &automaton->patterns[state->places[i] >> 16];
		if (pattern->text[state->places[i] & 0xffff] == 0)
			rules[count++] = pattern->rule;
	}
	qsort(rules, count, sizeof(*rules), compare_places);
	uint32_t *set = malloc((count + 1) * sizeof(*set));
	set[0] = 0;
	for (size_t i = 0; i < count; i++)
		if (set[0] == 0 || set[set[0]] != rules[i])
			set[++set[0]] = (uint32_t)rules[i];
	struct bytes *accepts = &b->section[GK_SECTION_ACCEPTS];
	uint32_t found = 0, words = (uint32_t)(accepts->length / 4);
	const uint32_t *at = (const uint32_t *)(void *)accepts->at;
	if (set[0] > 0)
		for (found = 1; found < words; found += at[found] + 1)
			if (at[found] == set[0] && memcmp(at + found, set, (set[0] + 1) * sizeof(*set)) == 0)
				break;
	if (found >= words)
		found = bytes_add(accepts, set, (set[0] + 1) * sizeof(*set)) / 4;
	free(set);
	free(rules);
	return found;
}

/* The target that most bytes lead to, for a sparse state. */
TEST_INLINE uint32_t commonest(const uint32_t next[256]) {
	uint32_t best = next[1], best_votes = 0;
	for (unsigned i = 0; i < 256; i++) {
		uint32_t votes = 0;
		for (unsigned j = 0; j < 256; j++)
			votes += next[j] == next[i];
		if (votes > best_votes)
			best = next[i], best_votes = votes;
	}
	return best;
}

struct test_shape {
	uint32_t other, keys;
	bool dense, absorbing;
};

TEST_INLINE struct test_shape shape_of(const struct builder *b, const struct test_states *states, uint32_t index) {
	const struct test_state *state = &states->at[index];
	struct test_shape shape = {.other = commonest(state->next), .absorbing = true};
	for (unsigned byte = 0; byte < 256; byte++) {
		shape.keys += state->next[byte] != shape.other;
		shape.absorbing &= state->next[byte] == index;
	}
	shape.dense = shape.keys > b->dense_from;
	return shape;
}

/* Classes: bytes that no state tells apart. */
TEST_INLINE uint32_t classes_of(const struct test_states *states, uint8_t map[256], uint8_t first[256]) {
	uint32_t classes = 0;
	for (unsigned byte = 0; byte < 256; byte++) {
		uint32_t class = 0;
		for (; class < classes; class++) {
			size_t i = 0;
			while (i < states->count && states->at[i].next[byte] == states->at[i].next[first[class]])
				i++;
			if (i == states->count)
				break;
		}
		if (class == classes)
			first[classes++] = (uint8_t)byte;
		map[byte] = (uint8_t)class;
	}
	return classes;
}

TEST_INLINE void emit_state(struct bytes *words, const struct test_states *states, const struct test_state *state,
			    const struct test_shape *shape, uint32_t accept, uint32_t classes, const uint8_t first[256]) {
	uint32_t head = (shape->dense ? 0x80000000U : shape->keys) | (shape->absorbing ? 0x40000000U : 0);
	bytes_add(words, &accept, 4);
	bytes_add(words, &head, 4);
	if (shape->dense) {
		for (uint32_t class = 0; class < classes; class++)
			bytes_add(words, &states->at[state->next[first[class]]].offset, 4);
		return;
	}
	uint8_t keys[260] = {0};
	uint32_t count = 0, targets[256];
	for (unsigned byte = 0; byte < 256; byte++)
		if (state->next[byte] != shape->other) {
			keys[count] = (uint8_t)byte;
			targets[count++] = states->at[state->next[byte]].offset;
		}
	bytes_add(words, &states->at[shape->other].offset, 4);
	bytes_add(words, keys, (count + 3) / 4 * 4);
	bytes_add(words, targets, count * 4);
}

/* Bytes that occur in no pattern all behave like this one. */
TEST_INLINE uint8_t bytes_used(const struct test_automaton *automaton, bool used[256]) {
	uint8_t unused = 1;
	memset(used, 0, 256);
	used['/'] = true;
	for (size_t i = 0; i < automaton->count; i++)
		for (const char *at = automaton->patterns[i].text; *at; at++)
			used[(uint8_t)*at] = true;
	while (used[unused])
		unused++;
	return unused;
}

TEST_INLINE void add_successors(struct test_states *states, const struct test_automaton *automaton, uint32_t from) {
	bool used[256];
	uint8_t unused = bytes_used(automaton, used);
	uint32_t other = step_state(states, automaton, from, unused);
	for (unsigned byte = 0; byte < 256; byte++) {
		uint32_t next = used[byte] ? step_state(states, automaton, from, (uint8_t)byte) : other;
		states->at[from].next[byte] = next;
	}
}

TEST_INLINE void build_automaton(struct builder *b, const struct test_automaton *automaton) {
	struct test_states states = {0};
	state_of(&states, malloc(1), 0); /* state 0 is the dead state */
	uint64_t *places = malloc((automaton->count * 16 + 1) * sizeof(*places));
	size_t count = 0;
	for (size_t i = 0; i < automaton->count; i++)
		add_place(places, &count, automaton->patterns[i].text, i, 0);
	uint32_t start = finish_places(&states, places, count);
	for (uint32_t i = 0; i < states.count; i++)
		add_successors(&states, automaton, i);
	uint8_t map[256], first[256];
	uint32_t classes = classes_of(&states, map, first), offset = 0;
	struct test_shape *shapes = malloc(states.count * sizeof(*shapes));
	for (uint32_t i = 0; i < states.count; i++) {
		shapes[i] = shape_of(b, &states, i);
		states.at[i].offset = offset;
		offset += shapes[i].dense ? 2 + classes : 3 + (shapes[i].keys + 3) / 4 + shapes[i].keys;
	}
	struct gk_automaton_record record = {
		.action = (uint8_t)automaton->action, .kind = (uint8_t)automaton->kind, .classes = classes,
		.start = states.at[start].offset, .words = offset,
		.first = (uint32_t)(b->section[GK_SECTION_WORDS].length / 4),
		.class_map = bytes_add(&b->section[GK_SECTION_CLASSMAPS], map, 256),
	};
	for (uint32_t i = 0; i < states.count; i++)
		emit_state(&b->section[GK_SECTION_WORDS], &states, &states.at[i], &shapes[i],
			   accept_of(b, automaton, &states.at[i]), classes, first);
	bytes_add(&b->section[GK_SECTION_AUTOMATA], &record, sizeof(record));
	for (size_t i = 0; i < states.count; i++)
		free(states.at[i].places);
	free(states.at);
	free(states.table);
	free(shapes);
}

/* Lays the sections out. The caller frees the bytes; the builder is used up. */
TEST_INLINE struct bytes build_end(struct builder *b) {
	static const uint32_t item[GK_SECTION_COUNT + 1] = {0, 1, 32, 48, 16, 24, 256, 4, 4, 64, 16, 8, 8, 1, 16, 8, 32};
	uint32_t made = 0;
	for (unsigned action = 0; action < GK_ACTION_COUNT; action++) {
		b->actions[action].first = made;
		for (size_t i = 0; i < b->automaton_count; i++)
			if ((unsigned)b->automata[i].action == action) {
				build_automaton(b, &b->automata[i]);
				made++;
			}
		b->actions[action].count = made - b->actions[action].first;
	}
	bytes_add(&b->section[GK_SECTION_ACTIONS], b->actions, sizeof(b->actions));
	struct gk_header_record header = {.magic = GK_IMAGE_MAGIC, .sections = GK_SECTION_COUNT};
	struct gk_section_record directory[GK_SECTION_COUNT];
	uint32_t at = sizeof(header) + sizeof(directory);
	for (uint32_t id = 1; id <= GK_SECTION_COUNT; id++) {
		uint32_t length = (uint32_t)b->section[id].length;
		directory[id - 1] = (struct gk_section_record){id, at, length, length / item[id]};
		at = (at + length + 7) / 8 * 8;
	}
	header.size = at;
	struct bytes out = {0};
	bytes_add(&out, &header, sizeof(header));
	bytes_add(&out, directory, sizeof(directory));
	for (uint32_t id = 1; id <= GK_SECTION_COUNT; id++) {
		bytes_add(&out, b->section[id].at, b->section[id].length);
		while (out.length % 8 != 0)
			bytes_add(&out, "", 1);
		free(b->section[id].at);
	}
	for (size_t i = 0; i < b->automaton_count; i++) {
		for (size_t j = 0; j < b->automata[i].count; j++)
			free(b->automata[i].patterns[j].text);
		free(b->automata[i].patterns);
	}
	return out;
}

#endif
