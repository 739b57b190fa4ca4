/* The command line of gk-supervise: docs/supervisor-usage.md. */
#ifndef GK_LAUNCH_OPTIONS_H
#define GK_LAUNCH_OPTIONS_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest run identifier that fits a journal's header with its NUL. */
#define GK_RUN_ID_MAX 31

/* What the policy lets the run use; 0: as much as the system. */
struct gk_bounds {
	uint64_t processes;                      /* all of the run together */
	uint64_t memory, cpu_time, open_files; /* each process: bytes, seconds, descriptors */
};

/* Everything is borrowed from argv. */
struct gk_options {
	const char *run, *run_dir, *image, *socket;
	const char *hooks;   /* NULL: the run has none */
	const char *offered; /* NULL: the run reads the system's own files */
	uint16_t proxy_port, transparent_port;
	struct gk_bounds bounds;
	bool simulate, verbose;
	bool degrade;		/* a journal that is full stops nothing */
	bool by_hook; /* --enforce hook */
	bool warn_on_tighten;   /* a policy that tightens where hints read does not end the run */
	const char *hints_why; /* why the policy gives no more hints, for --verbose */
	char **program; /* what follows --, NULL-terminated, never empty */
};

/* 0, or -EINVAL with one line in why. */
int gk_options_parse(int argc, char **argv, struct gk_options *out, char *why, size_t capacity) GK_MUST_CHECK;

#endif
