/* The supervisor's command line, and which signals it passes on. */
#include "launch/forward.h"
#include "launch/options.h"
#include "test/check.h"

#include <string.h>

#define COMPLETE "--run", "r-1", "--run-dir", "/s/r-1", "--image", "/s/i", "--socket", "/s/k", "--proxy-port", "1", "--transparent-port", "65535"

/* The parser takes main's argv, which is writable by C's old custom; it writes nothing. */
static int parse(const char *const *words, struct gk_options *out) {
	char **argv = (char **)(uintptr_t)words;
	int argc = 0;
	char why[512];
	while (argv[argc] != NULL)
		argc++;
	return gk_options_parse(argc, argv, out, why, sizeof(why));
}

static void reads_a_complete_command_line(void) {
	struct gk_options o;
	const char *const argv[] = {"gk", COMPLETE, "--simulate", "--degrade", "--verbose", "--", "ls", "--run", NULL};
	CHECK(parse(argv, &o) == 0);
	CHECK(strcmp(o.run, "r-1") == 0 && strcmp(o.run_dir, "/s/r-1") == 0 && strcmp(o.image, "/s/i") == 0 && strcmp(o.socket, "/s/k") == 0);
	CHECK(o.proxy_port == 1 && o.transparent_port == 65535 && o.simulate && o.degrade && o.verbose);
	CHECK(strcmp(o.program[0], "ls") == 0 && strcmp(o.program[1], "--run") == 0 && o.program[2] == NULL);
}

static void reads_which_hooks_the_run_has(void) {
	struct gk_options o;
	const char *const without[] = {"gk", COMPLETE, "--", "ls", NULL}, *const with[] = {"gk", COMPLETE, "--hooks", "/s/h", "--", "ls", NULL};
	CHECK(parse(without, &o) == 0 && o.hooks == NULL);
	CHECK(parse(with, &o) == 0 && strcmp(o.hooks, "/s/h") == 0);
}

static void reads_what_the_run_is_offered(void) {
	struct gk_options o;
	const char *const without[] = {"gk", COMPLETE, "--", "ls", NULL}, *const with[] = {"gk", COMPLETE, "--offered", "/s/o", "--", "ls", NULL};
	CHECK(parse(without, &o) == 0 && o.offered == NULL);
	CHECK(parse(with, &o) == 0 && strcmp(o.offered, "/s/o") == 0);
}

static void reads_who_enforces(void) {
	struct gk_options o;
	const char *const plain[] = {"gk", COMPLETE, "--", "ls", NULL}, *const kernel[] = {"gk", COMPLETE, "--enforce", "kernel", "--", "ls", NULL},
		   *const hook[] = {"gk", COMPLETE, "--enforce", "hook", "--", "ls", NULL},
		   *const nobody[] = {"gk", COMPLETE, "--enforce", "none", "--", "ls", NULL};
	CHECK(parse(plain, &o) == 0 && !o.by_hook);
	CHECK(parse(kernel, &o) == 0 && !o.by_hook);
	CHECK(parse(hook, &o) == 0 && o.by_hook);
	CHECK(parse(nobody, &o) != 0);
}

static void reads_what_the_run_may_use(void) {
	struct gk_options o;
	const char *const argv[] = {"gk",	      COMPLETE, "--limit-processes",  "512", "--limit-memory", "4294967296",
				    "--limit-cpu-time", "7200",   "--limit-open-files", "64",  "--",		   "ls", NULL};
	CHECK(parse(argv, &o) == 0);
	CHECK(o.bounds.processes == 512 && o.bounds.memory == 4294967296 && o.bounds.cpu_time == 7200 && o.bounds.open_files == 64);
	const char *const unlimited[] = {"gk", COMPLETE, "--", "ls", NULL};
	CHECK(parse(unlimited, &o) == 0);
	CHECK(o.bounds.processes == 0 && o.bounds.memory == 0 && o.bounds.cpu_time == 0 && o.bounds.open_files == 0);
}

static void refuses_what_is_not_exactly_right(void) {
	struct gk_options o;
	const char *const bad[][20] = {
		{"gk", COMPLETE, "ls", NULL},
		{"gk", COMPLETE, NULL},
		{"gk", COMPLETE, "--", NULL},
		{"gk", COMPLETE, "--colour", "--", "ls", NULL},
		{"gk", "--run", "r", "--", "ls", NULL},
		{"gk", COMPLETE, "--run", "../r", "--", "ls", NULL},
		{"gk", COMPLETE, "--run", "", "--", "ls", NULL},
		{"gk", COMPLETE, "--run", "a-run-name-that-is-too-long-by-1", "--", "ls", NULL},
		{"gk", COMPLETE, "--run-dir", "relative", "--", "ls", NULL},
		{"gk", COMPLETE, "--hooks", "relative", "--", "ls", NULL},
		{"gk", COMPLETE, "--offered", "relative", "--", "ls", NULL},
		{"gk", COMPLETE, "--proxy-port", "0", "--", "ls", NULL},
		{"gk", COMPLETE, "--proxy-port", "65536", "--", "ls", NULL},
		{"gk", COMPLETE, "--proxy-port", "-1", "--", "ls", NULL},
		{"gk", COMPLETE, "--proxy-port", "12x", "--", "ls", NULL},
		{"gk", COMPLETE, "--proxy-port", NULL},
		{"gk", COMPLETE, "--limit-processes", "0", "--", "ls", NULL},
		{"gk", COMPLETE, "--limit-memory", "-1", "--", "ls", NULL},
		{"gk", COMPLETE, "--limit-memory", "4GiB", "--", "ls", NULL},
		{"gk", COMPLETE, "--limit-cpu-time", "9223372036854775808", "--", "ls", NULL},
		{"gk", COMPLETE, "--limit-open-files", "", "--", "ls", NULL},
	};
	for (size_t i = 0; i < GK_COUNT(bad); i++)
		CHECK(parse(bad[i], &o) < 0, "row %zu", i);
}

enum { GUARDIAN = 100, SHELL = 7 };
#define MS 1000000ULL

static enum gk_forward judge(struct gk_forwarder *f, int signal, int code, int sender, unsigned long long ms) {
	siginfo_t info = {.si_signo = signal, .si_code = code};
	info.si_pid = sender;
	return gk_forward_judge(f, &info, ms * MS);
}

static void passes_on_what_only_the_guardian_got(void) {
	struct gk_forwarder f = {.guardian = GUARDIAN};
	CHECK(judge(&f, SIGINT, SI_USER, GUARDIAN, 1000) == GK_FORWARD_AGENT);
	CHECK(judge(&f, SIGUSR1, SI_USER, GUARDIAN, 1000) == GK_FORWARD_AGENT);
}

static void drops_what_came_to_the_whole_group(void) {
	struct gk_forwarder f = {.guardian = GUARDIAN};
	CHECK(judge(&f, SIGINT, SI_KERNEL, 0, 1000) == GK_FORWARD_DROP);
	CHECK(judge(&f, SIGINT, SI_USER, GUARDIAN, 1100) == GK_FORWARD_DROP, "the echo of the command line");
	CHECK(judge(&f, SIGTERM, SI_USER, GUARDIAN, 1100) == GK_FORWARD_AGENT, "another signal is no echo");
	CHECK(judge(&f, SIGINT, SI_USER, GUARDIAN, 1600) == GK_FORWARD_AGENT, "later is a new one");
	CHECK(judge(&f, SIGHUP, SI_USER, SHELL, 2000) == GK_FORWARD_DROP);
}

static void ends_the_run_at_the_second_request(void) {
	struct gk_forwarder f = {.guardian = GUARDIAN};
	CHECK(judge(&f, SIGTERM, SI_USER, GUARDIAN, 1000) == GK_FORWARD_AGENT);
	CHECK(judge(&f, SIGTERM, SI_USER, GUARDIAN, 1100) == GK_FORWARD_AGENT, "a double of the first");
	CHECK(judge(&f, SIGTERM, SI_USER, GUARDIAN, 1600) == GK_FORWARD_END);
}

int main(void) {
	reads_a_complete_command_line();
	reads_which_hooks_the_run_has();
	reads_what_the_run_is_offered();
	reads_who_enforces();
	reads_what_the_run_may_use();
	refuses_what_is_not_exactly_right();
	passes_on_what_only_the_guardian_got();
	drops_what_came_to_the_whole_group();
	ends_the_run_at_the_second_request();
	return gk_check_status();
}
