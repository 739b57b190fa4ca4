#include "wire/crc32.h"

#include "base/little.h"

/* Eight bytes a step: a receipt is summed on the way of the call that it tells of. */
static uint32_t table[8][256];

__attribute__((constructor)) static void fill_table(void) {
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ (c & 1 ? 0xedb88320U : 0);
		table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (unsigned step = 1; step < 8; step++)
			table[step][i] = (table[step - 1][i] >> 8) ^ table[0][table[step - 1][i] & 0xff];
}

uint32_t gk_crc32(struct gk_slice bytes) {
	uint32_t c = 0xffffffffU;
	const uint8_t *at = bytes.at;
	size_t left = bytes.length;
	for (; left >= 8; left -= 8, at += 8) {
		uint32_t low = gk_load32(at) ^ c, high = gk_load32(at + 4);
		c = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^
		    table[3][high & 0xff] ^ table[2][(high >> 8) & 0xff] ^ table[1][(high >> 16) & 0xff] ^ table[0][high >> 24];
	}
	for (; left > 0; left--, at++)
		c = (c >> 8) ^ table[0][(c ^ *at) & 0xff];
	return ~c;
}
