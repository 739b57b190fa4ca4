/* Taking a new policy image while the run goes on. */
#ifndef GK_SUPERVISE_TAKE_IMAGE_H
#define GK_SUPERVISE_TAKE_IMAGE_H

#include "supervise/supervisor.h"
#include "sys/sha256.h"

/* Opens the image file name in the directory images (a plain name, a plain file of ours that nobody else can write), validates
 * it and hashes it. *out and digest are set on 0; *why is a constant text on -EBADMSG. */
int gk_image_load(int images, const char *name, struct gk_image **out, uint8_t digest[GK_SHA256_BYTES], const char **why) GK_MUST_CHECK;

/* Loads path, which must lie in images and have the digest, and makes it the run's image. Decisions under way finish with the
 * image that they began with: it stays mapped. 0 or -errno, and then the image in force stays. */
int gk_image_take(struct gk_supervisor *supervisor, const char *images, struct gk_slice path, struct gk_slice digest) GK_MUST_CHECK;

#endif
