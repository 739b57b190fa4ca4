/* What the supervisor reads from an image besides verdicts. */
#include "image/layout.h"

void gk_image_set_digest(struct gk_image *image, const uint8_t digest[GK_IMAGE_DIGEST_BYTES]) {
	memcpy(image->digest, digest, GK_IMAGE_DIGEST_BYTES);
	image->has_digest = true;
}

struct gk_slice gk_image_digest(const struct gk_image *image) {
	return image->has_digest ? gk_slice(image->digest, sizeof(image->digest)) : gk_slice(NULL, 0);
}

uint32_t gk_image_rule_count(const struct gk_image *image) {
	return image->rule_count;
}

bool gk_image_hides(const struct gk_image *image) {
	for (uint32_t i = 0; i < image->rule_count; i++)
		if (image->rules[i].flags & GK_RULE_HIDE)
			return true;
	return false;
}

struct gk_rule_view gk_image_rule(const struct gk_image *image, uint32_t rule) {
	const struct gk_rule_record *record = &image->rules[rule];
	return (struct gk_rule_view){
		.action = (enum gk_action)record->action,
		.effect = (enum gk_effect)record->effect,
		.flags = record->flags,
		.layer = image->files[record->file].layer,
		.line = record->line,
		.label = gk_text(image, record->label),
		.reason = gk_text(image, record->reason),
		.pattern = gk_text(image, record->pattern),
	};
}

uint32_t gk_image_default_rule(const struct gk_image *image, enum gk_action action) {
	return image->actions[action].rule;
}

struct gk_slice gk_image_root(const struct gk_image *image, enum gk_root root) {
	return gk_text(image, image->roots[root]);
}

uint32_t gk_image_floor_count(const struct gk_image *image) {
	return image->floor_count;
}

struct gk_slice gk_image_floor(const struct gk_image *image, uint32_t index, uint32_t *access) {
	*access = image->floor[index].access;
	return gk_text(image, image->floor[index].path);
}

uint32_t gk_image_region_count(const struct gk_image *image) {
	return image->region_count;
}

struct gk_slice gk_image_region(const struct gk_image *image, uint32_t index) {
	return gk_text(image, image->region[index].path);
}

bool gk_image_hints_files(const struct gk_image *image) {
	return image->region_count > 0 && (image->region[0].flags & GK_REGION_FILES) != 0;
}

bool gk_image_is_launcher(const struct gk_image *image, struct gk_slice base) {
	uint32_t low = 0, high = image->launcher_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = gk_slice_compare(gk_text(image, image->launchers[middle]), base);
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
