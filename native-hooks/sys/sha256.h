/* SHA-256 (FIPS 180-4), for naming policy images. */
#ifndef GK_SYS_SHA256_H
#define GK_SYS_SHA256_H

#include "base/attr.h"
#include "base/bytes.h"

#define GK_SHA256_BYTES 32

void gk_sha256(struct gk_slice bytes, uint8_t digest[GK_SHA256_BYTES]);
/* Of the file behind fd, from its beginning; the offset is not moved. 0 or -errno. */
int gk_sha256_file(int fd, uint8_t digest[GK_SHA256_BYTES]) GK_MUST_CHECK;

#endif
