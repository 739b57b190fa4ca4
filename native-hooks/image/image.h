/* The policy image, mapped read-only. Format: docs/policy-image.md. */
#ifndef GK_IMAGE_IMAGE_H
#define GK_IMAGE_IMAGE_H

#include "base/attr.h"
#include "base/bytes.h"
#include "include/gk_wire.gen.h"

#include <stdint.h>

struct gk_image;

/* Reads and validates the image behind fd (which stays the caller's) into a private copy: what was checked is what is used. 0
 * with *out owned by the caller, or -errno: -EBADMSG when the bytes are not a valid image; *why then points to a constant text
 * that says what is wrong. */
int gk_image_open(int fd, struct gk_image **out, const char **why) GK_MUST_CHECK;
/* The same over bytes in memory, which must outlive the image (tests, fuzzing). */
int gk_image_over(const void *bytes, size_t length, struct gk_image **out, const char **why) GK_MUST_CHECK;
void gk_image_close(struct gk_image *image);

/* The layer whose rules answer those that ask, and do nothing else. They may end at any time. */
enum { GK_LAYER_GRANTS = 6 };

struct gk_rule_view {
	enum gk_action action;
	enum gk_effect effect;
	uint8_t flags; /* GK_RULE_* */
	uint8_t layer;
	uint32_t line;
	struct gk_slice label, reason, pattern;
};
enum {
	GK_RULE_OVERRIDE = 1,
	GK_RULE_LOG = 2,
	GK_RULE_CHECK_CHILDREN = 4,
	GK_RULE_HIDE = 8,
	GK_RULE_ANY_PROGRAM = 16,
	GK_RULE_PROTECTION = 32,
	GK_RULE_METHODS = 64,	     /* of network rules: speaks of requests with certain methods alone */
	GK_RULE_REQUEST_PATHS = 128, /* of network rules: of requests for certain paths alone */
};
/* Whether some rule hides names. */
bool gk_image_hides(const struct gk_image *image);
uint32_t gk_image_rule_count(const struct gk_image *image);
/* What receipts call the image: the SHA-256 of its bytes. Set once by whoever loads it, before it is shared; empty until then. */
enum { GK_IMAGE_DIGEST_BYTES = 32 };
void gk_image_set_digest(struct gk_image *image, const uint8_t digest[GK_IMAGE_DIGEST_BYTES]);
struct gk_slice gk_image_digest(const struct gk_image *image);
/* rule < gk_image_rule_count. */
struct gk_rule_view gk_image_rule(const struct gk_image *image, uint32_t rule);

/* The rule-like entry that states an action's default, or UINT32_MAX when nobody did. */
uint32_t gk_image_default_rule(const struct gk_image *image, enum gk_action action);

enum gk_root { GK_ROOT_HOME, GK_ROOT_HOME_REAL, GK_ROOT_WORKSPACE, GK_ROOT_WORKSPACE_REAL, GK_ROOT_TMP, GK_ROOT_TMP_REAL };
struct gk_slice gk_image_root(const struct gk_image *image, enum gk_root root);

enum { GK_FLOOR_READ = 1, GK_FLOOR_WRITE = 2, GK_FLOOR_EXECUTE = 4 };
uint32_t gk_image_floor_count(const struct gk_image *image);
struct gk_slice gk_image_floor(const struct gk_image *image, uint32_t index, uint32_t *access);

/* The region: hierarchies, none beneath another, at and beneath which every path may be read, without a receipt. They are canonical:
 * whoever opens one follows no symbolic link. */
uint32_t gk_image_region_count(const struct gk_image *image);
/* index < gk_image_region_count. */
struct gk_slice gk_image_region(const struct gk_image *image, uint32_t index);
/* Whether everything that a run may execute lies in the region, so that its files may be hinted as well as its directories. */
bool gk_image_hints_files(const struct gk_image *image);

/* Whether base is the base name of a shell or launcher, whose children are judged by themselves. */
bool gk_image_is_launcher(const struct gk_image *image, struct gk_slice base);

#endif
