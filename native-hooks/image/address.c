#include "image/address.h"

#include "base/attr.h"

#include <string.h>

static enum gk_address_class table_class(const uint8_t address[16]);
static bool embedded(const uint8_t address[16], uint8_t v4[16]);

enum gk_address_class gk_address_class(const uint8_t address[16]) {
	enum gk_address_class class = table_class(address);
	uint8_t v4[16];
	return class == GK_ADDRESS_PUBLIC && embedded(address, v4) ? table_class(v4) : class;
}

void gk_address_unwrap(uint8_t address[16]) {
	static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff}, any6[16] = {0};
	uint8_t v4[16];
	if (memcmp(address, any6, 16) == 0) {
		address[15] = 1;
		return;
	}
	if (embedded(address, v4))
		memcpy(address, v4, 16);
	if (memcmp(address, any4, 16) == 0) {
		address[12] = 127;
		address[15] = 1;
	}
}

bool gk_address_in(const uint8_t address[16], const uint8_t base[16], unsigned bits) {
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(address, base, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ base[whole]) >> (8 - rest)) == 0;
}

static void map_v4(const uint8_t *from, uint8_t v4[16]) {
	uint8_t bytes[4];
	memcpy(bytes, from, 4);
	memset(v4, 0, 10);
	v4[10] = v4[11] = 0xff;
	memcpy(v4 + 12, bytes, 4);
}

/* RFC 3056, 6052, 2765, 4291 and 5214, in this order. */
static bool embedded(const uint8_t address[16], uint8_t v4[16]) {
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}, siit[12] = {[8] = 0xff, [9] = 0xff}, zero[12] = {0};
	if (address[0] == 0x20 && address[1] == 0x02) {
		map_v4(address + 2, v4);
		return true;
	}
	bool isatap = (address[8] == 0 || address[8] == 2) && address[9] == 0 && address[10] == 0x5e && address[11] == 0xfe;
	bool compatible = memcmp(address, zero, 12) == 0 && (address[12] != 0 || address[13] != 0);
	if (isatap || compatible || memcmp(address, nat64, 12) == 0 || memcmp(address, siit, 12) == 0) {
		map_v4(address + 12, v4);
		return true;
	}
	return false;
}

struct range {
	uint8_t base[16];
	uint8_t bits;
	enum gk_address_class class;
};

#define V4(a, b, c, d, length, name) {{[10] = 0xff, 0xff, a, b, c, d}, 96 + (length), GK_ADDRESS_##name}
#define V6(first, second, length, name) \
	{{(first) >> 8, (first) & 0xff, (second) >> 8, (second) & 0xff}, length, GK_ADDRESS_##name}

/* The IANA special-purpose registries (RFC 6890 and successors) and where clouds hand out credentials. First match. */
static const struct range ranges[] = {
	V4(169, 254, 169, 254, 32, METADATA), /* AWS, Google, Azure and most others */
	V4(169, 254, 170, 2, 32, METADATA),   /* AWS ECS */
	V4(169, 254, 170, 23, 32, METADATA),  /* AWS EKS */
	V4(168, 63, 129, 16, 32, METADATA),   /* Azure wire server */
	V4(100, 100, 100, 200, 32, METADATA), /* Alibaba */
	V4(192, 0, 0, 192, 32, METADATA),     /* Oracle */
	{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128, GK_ADDRESS_METADATA}, /* AWS, fd00:ec2::254 */
	{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x00, 0x23}, 128, GK_ADDRESS_METADATA}, /* AWS EKS, fd00:ec2::23 */
	{{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54}, 128, GK_ADDRESS_METADATA}, /* Google, fd20:ce::254 */
	V4(0, 0, 0, 0, 8, UNSPECIFIED),
	V4(10, 0, 0, 0, 8, PRIVATE),
	V4(100, 64, 0, 0, 10, SHARED),
	V4(127, 0, 0, 0, 8, LOOPBACK),
	V4(169, 254, 0, 0, 16, LINK_LOCAL),
	V4(172, 16, 0, 0, 12, PRIVATE),
	V4(192, 0, 0, 0, 24, RESERVED),
	V4(192, 0, 2, 0, 24, RESERVED),
	V4(192, 88, 99, 0, 24, RESERVED),
	V4(192, 168, 0, 0, 16, PRIVATE),
	V4(198, 18, 0, 0, 15, SYNTHETIC),
	V4(198, 51, 100, 0, 24, RESERVED),
	V4(203, 0, 113, 0, 24, RESERVED),
	V4(224, 0, 0, 0, 4, MULTICAST),
	V4(240, 0, 0, 0, 4, RESERVED),
	V4(0, 0, 0, 0, 0, PUBLIC),
	{{0}, 128, GK_ADDRESS_UNSPECIFIED},
	{{[15] = 1}, 128, GK_ADDRESS_LOOPBACK},
	V6(0x0064, 0xff9b, 96, PUBLIC), /* NAT64: the IPv4 address inside decides */
	V6(0xfc00, 0, 7, UNIQUE_LOCAL),
	V6(0xfe80, 0, 10, LINK_LOCAL),
	V6(0xfec0, 0, 10, PRIVATE),
	V6(0xff00, 0, 8, MULTICAST),
	V6(0x2001, 0x0002, 48, SYNTHETIC),
	V6(0x2001, 0, 23, RESERVED), /* Teredo, ORCHID and other protocol assignments */
	V6(0x2001, 0x0db8, 32, RESERVED),
	V6(0x2002, 0, 16, RESERVED), /* 6to4 that nobody unwrapped */
	V6(0x3fff, 0, 20, RESERVED),
	V6(0x2000, 0, 3, PUBLIC),
};

static enum gk_address_class table_class(const uint8_t address[16]) {
	for (size_t i = 0; i < GK_COUNT(ranges); i++)
		if (gk_address_in(address, ranges[i].base, ranges[i].bits))
			return ranges[i].class;
	return GK_ADDRESS_RESERVED;
}
