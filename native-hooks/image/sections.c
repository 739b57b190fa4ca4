#include "image/sections.h"

/* Bytes of one item; 0 where the count of items carries no meaning of its own. */
static const uint32_t item_bytes[GK_SECTION_COUNT + 1] = {
	[GK_SECTION_STRINGS] = 0,
	[GK_SECTION_FILES] = sizeof(struct gk_file_record),
	[GK_SECTION_RULES] = sizeof(struct gk_rule_record),
	[GK_SECTION_ACTIONS] = sizeof(struct gk_action_record),
	[GK_SECTION_AUTOMATA] = sizeof(struct gk_automaton_record),
	[GK_SECTION_CLASSMAPS] = 256,
	[GK_SECTION_WORDS] = sizeof(gk_word),
	[GK_SECTION_ACCEPTS] = sizeof(gk_word),
	[GK_SECTION_HOSTS] = sizeof(struct gk_host_record),
	[GK_SECTION_FLOOR] = sizeof(struct gk_floor_record),
	[GK_SECTION_ROOTS] = sizeof(struct gk_text_record),
	[GK_SECTION_LAUNCHERS] = sizeof(struct gk_text_record),
	[GK_SECTION_META] = 0,
	[GK_SECTION_REGION] = sizeof(struct gk_region_record),
	[GK_SECTION_TERMS] = sizeof(struct gk_terms_record),
	[GK_SECTION_INJECTIONS] = sizeof(struct gk_injection_record),
};

static const char *read_entry(struct gk_slice bytes, const struct gk_section_record *entry,
			      struct gk_section section[GK_SECTION_COUNT + 1]) {
	if (entry->id < 1 || entry->id > GK_SECTION_COUNT)
		return "unknown section";
	struct gk_section *slot = &section[entry->id];
	if (slot->at)
		return "section occurs twice";
	if (entry->offset % 8 != 0)
		return "section is not aligned";
	size_t directory = sizeof(struct gk_header_record) + GK_SECTION_COUNT * sizeof(struct gk_section_record);
	if (entry->offset < directory || entry->offset > bytes.length || entry->length > bytes.length - entry->offset)
		return "section lies outside the image";
	uint32_t item = item_bytes[entry->id];
	if (item != 0 && (uint64_t)entry->count * item != entry->length)
		return "section's count and length disagree";
	*slot = (struct gk_section){.at = bytes.at + entry->offset, .length = entry->length, .count = entry->count};
	return NULL;
}

static bool overlap(const struct gk_section *a, const struct gk_section *b) {
	return a->length > 0 && b->length > 0 && a->at < b->at + b->length && b->at < a->at + a->length;
}

const char *gk_sections_read(struct gk_slice bytes, struct gk_section section[GK_SECTION_COUNT + 1]) {
	const struct gk_header_record *header = (const void *)bytes.at;
	if (bytes.length < sizeof(*header) + GK_SECTION_COUNT * sizeof(struct gk_section_record))
		return "shorter than its header";
	if (memcmp(header->magic, GK_IMAGE_MAGIC, sizeof(header->magic)) != 0)
		return "not a policy image";
	if (header->size != bytes.length)
		return "size differs from the header's";
	if (header->sections != GK_SECTION_COUNT)
		return "wrong number of sections";
	for (size_t i = 0; i < sizeof(header->zero); i++)
		if (header->zero[i] != 0)
			return "reserved bytes are not zero";

	memset(section, 0, (GK_SECTION_COUNT + 1) * sizeof(section[0]));
	const struct gk_section_record *entries = (const void *)(header + 1);
	for (unsigned i = 0; i < GK_SECTION_COUNT; i++) {
		const char *wrong = read_entry(bytes, &entries[i], section);
		if (wrong)
			return wrong;
	}
	for (unsigned a = 1; a <= GK_SECTION_COUNT; a++)
		for (unsigned b = a + 1; b <= GK_SECTION_COUNT; b++)
			if (overlap(&section[a], &section[b]))
				return "sections overlap";
	return NULL;
}
