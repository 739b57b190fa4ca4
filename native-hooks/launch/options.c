#include "launch/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set(struct gk_options *out, const char *name, const char *value);
static int check(const struct gk_options *options, const char **missing);
static bool is_run_id(const char *text);

int gk_options_parse(int argc, char **argv, struct gk_options *out, char *why, size_t capacity) {
	*out = (struct gk_options){.hints_why = "the policy gives no more"};
	int i = 1;
	while (i < argc && strcmp(argv[i], "--") != 0) {
		const char *name = argv[i++];
		if (strcmp(name, "--simulate") == 0) {
			out->simulate = true;
			continue;
		}
		if (strcmp(name, "--degrade") == 0) {
			out->degrade = true;
			continue;
		}
		if (strcmp(name, "--verbose") == 0) {
			out->verbose = true;
			continue;
		}
		if (strcmp(name, "--warn-on-tighten") == 0) {
			out->warn_on_tighten = true;
			continue;
		}
		int error = i < argc ? set(out, name, argv[i++]) : -EINVAL;
		if (error < 0) {
			snprintf(why, capacity, "gk-supervise: %s is unknown or has no valid value; start it through `gatekeeper run`", name);
			return error;
		}
	}
	out->program = argv + i + 1;
	const char *missing = "-- PROGRAM";
	if (i + 1 >= argc || check(out, &missing) < 0) {
		snprintf(why, capacity, "gk-supervise: %s is missing; start it through `gatekeeper run`", missing);
		return -EINVAL;
	}
	return 0;
}

static int set_path(const char **out, const char *value) {
	*out = value;
	return value[0] == '/' ? 0 : -EINVAL;
}

static int set_port(uint16_t *out, const char *value) {
	char *end;
	errno = 0;
	unsigned long port = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || value[0] < '0' || value[0] > '9' || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)port;
	return 0;
}

static int set_bound(uint64_t *out, const char *value) {
	char *end;
	errno = 0;
	unsigned long long bound = strtoull(value, &end, 10);
	if (errno != 0 || *end != '\0' || value[0] < '0' || value[0] > '9' || bound == 0 || bound > INT64_MAX)
		return -EINVAL;
	*out = bound;
	return 0;
}

static int set(struct gk_options *out, const char *name, const char *value) {
	if (strcmp(name, "--run") == 0) {
		out->run = value;
		return is_run_id(value) ? 0 : -EINVAL;
	}
	if (strcmp(name, "--run-dir") == 0)
		return set_path(&out->run_dir, value);
	if (strcmp(name, "--image") == 0)
		return set_path(&out->image, value);
	if (strcmp(name, "--socket") == 0)
		return set_path(&out->socket, value);
	if (strcmp(name, "--hooks") == 0)
		return set_path(&out->hooks, value);
	if (strcmp(name, "--offered") == 0)
		return set_path(&out->offered, value);
	if (strcmp(name, "--hints-why") == 0) {
		out->hints_why = value;
		return 0;
	}
	if (strcmp(name, "--proxy-port") == 0)
		return set_port(&out->proxy_port, value);
	if (strcmp(name, "--transparent-port") == 0)
		return set_port(&out->transparent_port, value);
	if (strcmp(name, "--enforce") == 0) {
		out->by_hook = strcmp(value, "hook") == 0;
		return out->by_hook || strcmp(value, "kernel") == 0 ? 0 : -EINVAL;
	}
	if (strcmp(name, "--limit-processes") == 0)
		return set_bound(&out->bounds.processes, value);
	if (strcmp(name, "--limit-memory") == 0)
		return set_bound(&out->bounds.memory, value);
	if (strcmp(name, "--limit-cpu-time") == 0)
		return set_bound(&out->bounds.cpu_time, value);
	if (strcmp(name, "--limit-open-files") == 0)
		return set_bound(&out->bounds.open_files, value);
	return -EINVAL;
}

static bool is_run_id(const char *text) {
	size_t length = strlen(text);
	return length > 0 && length <= GK_RUN_ID_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == length;
}

static int check(const struct gk_options *options, const char **missing) {
	const struct {
		bool given;
		const char *name;
	} needed[] = {
		{options->run != NULL, "--run"},
		{options->run_dir != NULL, "--run-dir"},
		{options->image != NULL, "--image"},
		{options->socket != NULL, "--socket"},
		{options->proxy_port != 0, "--proxy-port"},
		{options->transparent_port != 0, "--transparent-port"},
	};
	for (size_t i = 0; i < GK_COUNT(needed); i++) {
		if (!needed[i].given) {
			*missing = needed[i].name;
			return -EINVAL;
		}
	}
	return 0;
}
