/* gk-supervise: starts one run and supervises it. docs/supervisor-usage.md */
#include "launch/complain.h"
#include "launch/guardian.h"
#include "launch/offer.h"
#include "launch/setup.h"
#include "launch/streams.h"
#include "sys/probe.h"

#include <string.h>

int main(int argc, char **argv) {
	char why[1024];
	struct gk_options options;
	if (argc == 2 && strcmp(argv[1], "--probe") == 0)
		return gk_offer_print();
	if (gk_streams_check(why, sizeof(why)) < 0 || gk_options_parse(argc, argv, &options, why, sizeof(why)) < 0 ||
	    (options.by_hook ? gk_probe_hook(why, sizeof(why)) : gk_probe_requirements(why, sizeof(why))) < 0) {
		gk_complain("%s", why);
		return GK_EXIT_SETUP;
	}
	return gk_guard(&options);
}
