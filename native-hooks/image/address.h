/* What kind of place an address is, and which IPv4 address hides in an IPv6 one. 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#ifndef GK_IMAGE_ADDRESS_H
#define GK_IMAGE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum gk_address_class {
	GK_ADDRESS_PUBLIC,
	GK_ADDRESS_LOOPBACK,
	GK_ADDRESS_UNSPECIFIED,
	GK_ADDRESS_PRIVATE,
	GK_ADDRESS_UNIQUE_LOCAL,
	GK_ADDRESS_LINK_LOCAL,
	GK_ADDRESS_SHARED, /* carrier-grade NAT */
	GK_ADDRESS_METADATA,
	GK_ADDRESS_MULTICAST,
	GK_ADDRESS_SYNTHETIC, /* 198.18.0.0/15 and 2001:2::/48: stands for a name inside a run */
	GK_ADDRESS_RESERVED,
};

/* Everything but public is reached only by a rule that names the range. */
enum gk_address_class gk_address_class(const uint8_t address[16]);

/* Replaces an address that carries an IPv4 address by that one (IPv4-compatible, SIIT, NAT64 64:ff9b::/96, 6to4, ISATAP), and
 * 0.0.0.0 and :: by loopback, since connecting to them reaches this host. Teredo stays: its peer is not one address, and its
 * class is reserved. */
void gk_address_unwrap(uint8_t address[16]);

/* Whether the first bits of address are those of base. bits <= 128. */
bool gk_address_in(const uint8_t address[16], const uint8_t base[16], unsigned bits);

#endif
