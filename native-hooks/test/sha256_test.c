/* SHA-256 against the examples of FIPS 180-4 and the million letters a. */
#include "sys/sha256.h"
#include "test/check.h"

#include <stdio.h>
#include <stdlib.h>

static bool has_digest(struct gk_slice bytes, const char *expected) {
	uint8_t digest[GK_SHA256_BYTES];
	char text[2 * GK_SHA256_BYTES + 1];
	gk_sha256(bytes, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return strcmp(text, expected) == 0;
}

int main(void) {
	CHECK(has_digest(gk_slice_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	CHECK(has_digest(gk_slice_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	CHECK(has_digest(gk_slice_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
			 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
	char *many = malloc(1000000);
	memset(many, 'a', 1000000);
	CHECK(has_digest(gk_slice(many, 1000000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
	free(many);
	return gk_check_status();
}
