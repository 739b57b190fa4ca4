/* CRC-32 of IEEE 802.3 (reflected, 0xEDB88320), as in zlib. */
#ifndef GK_WIRE_CRC32_H
#define GK_WIRE_CRC32_H

#include "base/bytes.h"

uint32_t gk_crc32(struct gk_slice bytes);

#endif
