#include "image/region.h"

/* Absolute, not the root, and names only: what the kernel opens must be what the compiler looked at. */
static bool is_canonical(struct gk_slice path) {
	if (path.length < 2 || path.at[0] != '/' || memchr(path.at, 0, path.length))
		return false;
	for (size_t start = 1; start <= path.length;) {
		const uint8_t *name = path.at + start, *slash = memchr(name, '/', path.length - start);
		size_t length = slash ? (size_t)(slash - name) : path.length - start;
		if (length == 0 || (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		start += length + 1;
	}
	return true;
}

static bool is_beneath(struct gk_slice path, struct gk_slice directory) {
	return path.length >= directory.length && memcmp(path.at, directory.at, directory.length) == 0 &&
	       (path.length == directory.length || path.at[directory.length] == '/');
}

/* What lies there changes with who looks. */
static bool is_reserved(struct gk_slice path) {
	return is_beneath(path, gk_slice_of("/proc")) || is_beneath(path, gk_slice_of("/dev"));
}

static const char *check_order(const struct gk_image *image, uint32_t index) {
	struct gk_slice path = gk_text(image, image->region[index].path);
	if (index > 0 && gk_slice_compare(gk_text(image, image->region[index - 1].path), path) >= 0)
		return "region is not sorted";
	for (uint32_t before = 0; before < index; before++)
		if (is_beneath(path, gk_text(image, image->region[before].path)))
			return "region entry beneath another";
	return NULL;
}

const char *gk_region_check(const struct gk_image *image) {
	if (image->region_count > GK_IMAGE_MAX_REGION)
		return "too many hierarchies in the region";
	for (uint32_t i = 0; i < image->region_count; i++) {
		const struct gk_region_record *entry = &image->region[i];
		if (entry->path.offset > image->strings.length || entry->path.length > image->strings.length - entry->path.offset)
			return "region entry outside the strings";
		if (!is_canonical(gk_text(image, entry->path)))
			return "region entry that is no canonical path";
		if (is_reserved(gk_text(image, entry->path)))
			return "region entry where the kernel makes the files";
		if ((entry->flags & ~(uint32_t)GK_REGION_FILES) != 0 || entry->flags != image->region[0].flags)
			return "region entry with odd flags";
		if (entry->zero != 0)
			return "reserved bytes are not zero";
		const char *wrong = check_order(image, i);
		if (wrong)
			return wrong;
	}
	return NULL;
}
