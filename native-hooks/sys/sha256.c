#include "sys/sha256.h"

#include <errno.h>

struct state {
	uint32_t hash[8];
	uint64_t total;
	uint8_t block[64];
	size_t filled;
};

static const uint32_t rounds[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
	0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void begin(struct state *s);
static void feed(struct state *s, const uint8_t *at, size_t length);
static void finish(struct state *s, uint8_t digest[GK_SHA256_BYTES]);

void gk_sha256(struct gk_slice bytes, uint8_t digest[GK_SHA256_BYTES]) {
	struct state s;
	begin(&s);
	feed(&s, bytes.at, bytes.length);
	finish(&s, digest);
}

int gk_sha256_file(int fd, uint8_t digest[GK_SHA256_BYTES]) {
	struct state s;
	uint8_t buffer[16384];
	begin(&s);
	for (off_t offset = 0;;) {
		ssize_t length = pread(fd, buffer, sizeof(buffer), offset);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		if (length == 0)
			break;
		feed(&s, buffer, (size_t)length);
		offset += length;
	}
	finish(&s, digest);
	return 0;
}

static void begin(struct state *s) {
	*s = (struct state){.hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

static uint32_t rotate(uint32_t x, unsigned by) {
	return x >> by | x << (32 - by);
}

static void compress(uint32_t hash[8], const uint8_t block[64]) {
	uint32_t w[64], v[8];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
	memcpy(v, hash, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t e = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t first = v[7] + e + ((v[4] & v[5]) ^ (~v[4] & v[6])) + rounds[i] + w[i];
		uint32_t a = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t second = a + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += first;
		v[0] = first + second;
	}
	for (int i = 0; i < 8; i++)
		hash[i] += v[i];
}

static void feed(struct state *s, const uint8_t *at, size_t length) {
	s->total += length;
	while (length > 0) {
		size_t part = sizeof(s->block) - s->filled < length ? sizeof(s->block) - s->filled : length;
		memcpy(s->block + s->filled, at, part);
		s->filled += part;
		at += part;
		length -= part;
		if (s->filled == sizeof(s->block)) {
			compress(s->hash, s->block);
			s->filled = 0;
		}
	}
}

static void finish(struct state *s, uint8_t digest[GK_SHA256_BYTES]) {
	uint64_t bits = s->total * 8;
	uint8_t length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	feed(s, (const uint8_t[]){0x80}, 1);
	while (s->filled != 56)
		feed(s, (const uint8_t[]){0}, 1);
	feed(s, length, sizeof(length));
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 4; j++)
			digest[4 * i + j] = (uint8_t)(s->hash[i] >> (24 - 8 * j));
}
