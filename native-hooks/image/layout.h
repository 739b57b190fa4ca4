/* The policy image's records, overlaid on its bytes. Private to the image room. Format: docs/policy-image.md. */
#ifndef GK_IMAGE_LAYOUT_H
#define GK_IMAGE_LAYOUT_H

#include "image/decide.h"
#include "image/image.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "images are little-endian and read in place");

/* The bytes have no type of their own until they are overlaid. */
#define GK_OVERLAY __attribute__((may_alias))

#define GK_IMAGE_MAGIC "GKIMAGE\2"
#define GK_IMAGE_MAX_BYTES (256U << 20)
#define GK_IMAGE_MAX_FILES 64
#define GK_IMAGE_MAX_RULES 65535
#define GK_IMAGE_MAX_REGION 1024
#define GK_IMAGE_MAX_INJECTIONS 1024

enum gk_section_id {
	GK_SECTION_STRINGS = 1,
	GK_SECTION_FILES,
	GK_SECTION_RULES,
	GK_SECTION_ACTIONS,
	GK_SECTION_AUTOMATA,
	GK_SECTION_CLASSMAPS,
	GK_SECTION_WORDS,
	GK_SECTION_ACCEPTS,
	GK_SECTION_HOSTS,
	GK_SECTION_FLOOR,
	GK_SECTION_ROOTS,
	GK_SECTION_LAUNCHERS,
	GK_SECTION_META,
	GK_SECTION_REGION,
	GK_SECTION_TERMS,
	GK_SECTION_INJECTIONS,
};
#define GK_SECTION_COUNT 16

struct GK_OVERLAY gk_header_record {
	uint8_t magic[8];
	uint32_t size, sections;
	uint8_t zero[16];
};

struct GK_OVERLAY gk_section_record {
	uint32_t id, offset, length, count;
};

struct GK_OVERLAY gk_text_record {
	uint32_t offset, length;
};

struct GK_OVERLAY gk_file_record {
	struct gk_text_record name;
	uint8_t layer, zero[7];
	uint64_t pierces, zero2;
};

struct GK_OVERLAY gk_rule_record {
	uint8_t action, effect, flags, file;
	uint32_t line;
	struct gk_text_record reason, label, pattern;
	uint32_t timeout_ms;
	struct gk_text_record methods;
	uint32_t until; /* of a grant: seconds of CLOCK_BOOTTIME, 0 for ever */
};

struct GK_OVERLAY gk_action_record {
	uint8_t effect, stated, log, zero;
	uint32_t rule, first, count;
};

struct GK_OVERLAY gk_automaton_record {
	uint8_t action, kind;
	uint16_t zero;
	uint32_t classes, start, words, first, class_map;
};

struct GK_OVERLAY gk_host_record {
	uint32_t rule;
	uint8_t kind, prefix;
	uint16_t low, high;
	uint8_t zero[6];
	struct gk_text_record host;
	uint8_t address[16], zero2[24];
};

struct GK_OVERLAY gk_floor_record {
	struct gk_text_record path;
	uint32_t access, zero;
};

struct GK_OVERLAY gk_region_record {
	struct gk_text_record path;
	uint32_t flags, zero;
};
/* Every hierarchy of the region has it, or none. */
enum { GK_REGION_FILES = 1 };

/* What a rule says of the connections that it allows; 0 where it says nothing (1 and 2: sni any and match, inspect no and
 * yes). Sorted by rule, each once. */
struct GK_OVERLAY gk_terms_record {
	uint32_t rule;
	uint8_t inspect, sni;
	uint16_t zero;
};
enum { GK_INSPECT_YES = 2, GK_SNI_REQUIRED };

/* A header that the daemon puts into requests which it looks into. Sorted by rule. */
struct GK_OVERLAY gk_injection_record {
	uint32_t rule, source;
	struct gk_text_record header, value, secret;
};

_Static_assert(sizeof(struct gk_header_record) == 32, "header");
_Static_assert(sizeof(struct gk_section_record) == 16, "section");
_Static_assert(sizeof(struct gk_text_record) == 8, "text");
_Static_assert(sizeof(struct gk_file_record) == 32, "file");
_Static_assert(sizeof(struct gk_rule_record) == 48, "rule");
_Static_assert(sizeof(struct gk_action_record) == 16, "action");
_Static_assert(sizeof(struct gk_automaton_record) == 24, "automaton");
_Static_assert(sizeof(struct gk_host_record) == 64, "host");
_Static_assert(sizeof(struct gk_floor_record) == 16, "floor");
_Static_assert(sizeof(struct gk_region_record) == 16, "region");
_Static_assert(sizeof(struct gk_terms_record) == 8, "terms");
_Static_assert(sizeof(struct gk_injection_record) == 32, "injection");

typedef uint32_t GK_OVERLAY gk_word;

enum gk_automaton_kind { GK_AUTOMATON_PATH, GK_AUTOMATON_COMMAND_BASE, GK_AUTOMATON_COMMAND_PATH, GK_AUTOMATON_REQUEST_PATH };

enum gk_host_kind { GK_HOST_ANY, GK_HOST_NAME, GK_HOST_SUFFIX, GK_HOST_RANGE, GK_HOST_LOCALHOST };

struct gk_automaton {
	const gk_word *words;
	const uint8_t *class_map;
	uint32_t start, length, classes;
	enum gk_automaton_kind kind;
};

/* The verdict of one accept set as if nobody had granted anything, and whether it holds grants, which may end at any time. */
struct gk_outcome {
	struct gk_verdict verdict;
	bool granted;
};

struct gk_image {
	const uint8_t *bytes;
	size_t length;
	bool owns_bytes, has_digest;
	uint8_t digest[GK_IMAGE_DIGEST_BYTES];

	struct gk_slice strings;
	const struct gk_file_record *files;
	const struct gk_rule_record *rules;
	const struct gk_action_record *actions;
	const gk_word *accepts;
	const struct gk_host_record *hosts;
	const struct gk_floor_record *floor;
	const struct gk_region_record *region;
	const struct gk_terms_record *terms;
	const struct gk_injection_record *injections;
	const struct gk_text_record *roots, *launchers;
	uint32_t file_count, rule_count, automaton_count, accept_words, host_count, floor_count, launcher_count, region_count;
	uint32_t terms_count, injection_count;

	/* Made when the image is opened, so that deciding only looks up. */
	struct gk_automaton *automata;
	struct gk_outcome *outcomes;		      /* by accept set (index of its first word); 0 is unused */
	struct gk_verdict defaults[GK_ACTION_COUNT];  /* what is said when nothing matches */
};

static inline bool gk_is_grant(const struct gk_image *image, uint32_t rule) {
	return image->files[image->rules[rule].file].layer == GK_LAYER_GRANTS;
}

static inline bool gk_text_fits(const struct gk_image *image, struct gk_text_record text) {
	return text.offset <= image->strings.length && text.length <= image->strings.length - text.offset;
}

static inline struct gk_slice gk_text(const struct gk_image *image, struct gk_text_record text) {
	return gk_slice(image->strings.at + text.offset, text.length);
}

#endif
