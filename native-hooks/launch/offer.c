#include "launch/offer.h"

#include "sys/landlock.h"
#include "sys/probe.h"

#include <stdio.h>

int gk_offer_print(void) {
	char why[1024];
	int abi = gk_landlock_abi();
	printf("landlock-abi=%d\n", abi < 0 ? 0 : abi);
	if (gk_probe_requirements(why, sizeof(why)) == 0)
		return 0;
	printf("missing=%s\n", why);
	return 125;
}
