/* Little-endian integers at any address. */
#ifndef GK_BASE_LITTLE_H
#define GK_BASE_LITTLE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t gk_load16(const void *at) {
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static inline uint32_t gk_load32(const void *at) {
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t gk_load64(const void *at) {
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline void gk_store16(void *at, uint16_t value) {
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void gk_store32(void *at, uint32_t value) {
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void gk_store64(void *at, uint64_t value) {
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

#endif
