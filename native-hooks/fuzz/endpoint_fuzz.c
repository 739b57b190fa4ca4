/* Any socket address: refused as the kernel would, or one endpoint that is judged the same however it was written. */
#include "fuzz/driver.h"
#include "image/address.h"
#include "supervise/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long taken, refused, unwrapped;

/* The text reads back as the address, and what was unwrapped once stays as it is. */
static void check(const struct gk_endpoint *endpoint) {
	char text[GK_ENDPOINT_TEXT];
	uint8_t again[16] = {[10] = 0xff, [11] = 0xff};
	struct gk_slice written = gk_endpoint_text(endpoint, text);
	bool v4 = memchr(written.at, ':', written.length) == NULL;
	if (written.length == 0 || inet_pton(v4 ? AF_INET : AF_INET6, text, v4 ? again + 12 : again) != 1 ||
	    memcmp(again, endpoint->address, sizeof again) != 0)
		abort();
	gk_address_unwrap(again);
	unwrapped += memcmp(again, endpoint->address, sizeof again) != 0;
	uint8_t twice[16];
	memcpy(twice, again, sizeof twice);
	gk_address_unwrap(twice);
	if (memcmp(again, twice, sizeof twice) != 0 || gk_address_class(again) != gk_address_class(twice))
		abort();
	if (gk_address_class(again) > GK_ADDRESS_RESERVED || !gk_address_in(again, twice, 128) || !gk_address_in(again, twice, 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
	static const int domains[] = {AF_INET, AF_INET6};
	struct gk_address address = {.length = (socklen_t)(length < sizeof address.room ? length : sizeof address.room)};
	memset(&address.room, 0, sizeof address.room);
	memcpy(&address.room, bytes, address.length);
	for (size_t i = 0; i < GK_COUNT(domains); i++) {
		struct gk_endpoint endpoint;
		int rc = gk_endpoint_of(&address, domains[i], &endpoint);
		if (rc != 0 && rc != -EINVAL && rc != -EAFNOSUPPORT)
			abort();
		taken += rc == 0;
		refused += rc != 0;
		if (rc == 0)
			check(&endpoint);
	}
	return 0;
}

struct gk_slice gk_fuzz_seed(unsigned index) {
	static const char *const addresses[] = {"::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1",
						"fe80::5efe:7f00:1", "2001::1", "fd00::1", "ff02::1", "::ffff:0:a9fe:a9fe"};
	uint8_t *room = calloc(1, sizeof(struct sockaddr_in6));
	if (room == NULL)
		abort();
	if (index < 2) {
		struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(index == 0 ? 0 : INADDR_LOOPBACK)};
		memcpy(room, &v4, sizeof v4);
		return gk_slice(room, sizeof v4);
	}
	if (index >= 2 + GK_COUNT(addresses)) {
		free(room);
		return gk_slice(NULL, 0);
	}
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	if (inet_pton(AF_INET6, addresses[index - 2], &v6.sin6_addr) != 1)
		abort();
	memcpy(room, &v6, sizeof v6);
	return gk_slice(room, sizeof v6);
}

int gk_fuzz_report(void) {
	printf("endpoint_fuzz: %lu endpoints (%lu carry another address), %lu refused\n", taken, unwrapped, refused);
	return taken == 0 || refused == 0 || unwrapped == 0;
}
