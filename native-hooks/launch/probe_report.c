#include "launch/probe_report.h"

#include "launch/setup.h"
#include "sys/landlock.h"
#include "sys/probe.h"

#include <stdio.h>

int gk_report_probe(void) {
	char why[1024];
	int abi = gk_landlock_abi();
	if (abi > 0)
		printf("landlock-abi=%d\n", abi);
	int error = gk_probe_requirements(why, sizeof(why));
	if (error < 0)
		printf("missing=%s\n", why);
	return error < 0 ? GK_EXIT_SETUP : 0;
}
