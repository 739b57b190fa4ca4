#include "launch/agent.h"

#include "include/gk_filter.gen.h"
#include "launch/birth_filter.h"
#include "launch/hooked.h"
#include "launch/report.h"
#include "sys/landlock.h"
#include "sys/notify.h"
#include "sys/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#define SOCKET_FD 3
#define MORE_KILLABLE 500
#define MOST_KILLABLE 1000

static int tie_to_parent(pid_t supervisor);
static int restore_defaults(const struct gk_agent *agent);
static void offer_to_oom_killer(void);
static int keep_only_streams(int *socket);
static int install_filter(const struct gk_agent *agent, int *listener);
static _Noreturn void wait_and_ask(const struct gk_agent *agent, int socket);
static int execute(const struct gk_agent *agent);
static int give_way(const struct gk_agent *agent, const char *path, char *const *argv);

void gk_agent(const struct gk_agent *agent, int socket) {
	int error = gk_go_await(socket); /* until the supervisor has become the parent */
	if (error == 0)
		error = tie_to_parent(agent->supervisor);
	if (error < 0)
		gk_report_and_exit(socket, GK_STAGE_PARENT, error);
	error = restore_defaults(agent);
	if (error < 0)
		gk_report_and_exit(socket, GK_STAGE_LIMITS, error);
	error = agent->ruleset < 0 ? 0 : gk_ruleset_enforce(agent->ruleset); /* none: docs/hooks.md */
	if (error < 0)
		gk_report_and_exit(socket, GK_STAGE_LANDLOCK, error);
	error = keep_only_streams(&socket);
	if (error < 0)
		gk_report_and_exit(socket, GK_STAGE_DESCRIPTORS, error);
	if (agent->asks != NULL)
		wait_and_ask(agent, socket);
	int listener;
	error = install_filter(agent, &listener);
	if (error < 0)
		gk_report_and_exit(socket, GK_STAGE_FILTER, error);
	/* From here on only calls that the filter lets through: nobody answers the others yet. */
	error = gk_pass_descriptor(socket, listener);
	close(listener); /* the agent must never answer for itself */
	if (error == 0)
		error = gk_go_await(socket);
	if (error < 0)
		gk_report_and_exit(socket, GK_STAGE_FILTER, error);
	gk_report_and_exit(socket, GK_STAGE_EXEC, execute(agent));
}

/* When the supervisor dies, its first child dies in the same moment; the others are the killer's. */
static int tie_to_parent(pid_t supervisor) {
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == supervisor ? 0 : -ESRCH;
}

static int restore_defaults(const struct gk_agent *agent) {
	/* Parents such as Node ignore SIGPIPE, which a shell's children expect to die of; an inherited SIG_IGN of SIGCHLD would break
	 * every wait. All others stay as they are: nohup must hold. */
	const int defaults[] = {SIGPIPE, SIGCHLD};
	for (size_t i = 0; i < GK_COUNT(defaults); i++)
		if (signal(defaults[i], SIG_DFL) == SIG_ERR)
			return -errno;
	if (sigprocmask(SIG_SETMASK, agent->signals, NULL) < 0)
		return -errno;
	/* The supervisor hides its memory; what it is to read must not be hidden. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return -errno;
	offer_to_oom_killer();
	return gk_limits_restore(agent->limits);
}

/* Memory runs out because of the agent, not of what watches it. Best effort. */
static void offer_to_oom_killer(void) {
	GK_AUTO_CLOSE int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char text[16] = "";
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return;
	long score = strtol(text, NULL, 10) + MORE_KILLABLE;
	int length = snprintf(text, sizeof(text), "%ld", score > MOST_KILLABLE ? MOST_KILLABLE : score);
	(void)!pwrite(fd, text, (size_t)length, 0);
}

static int keep_only_streams(int *socket) {
	if (*socket != SOCKET_FD && dup3(*socket, SOCKET_FD, O_CLOEXEC) < 0)
		return -errno;
	*socket = SOCKET_FD;
	return close_range(SOCKET_FD + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* No filter: what the user typed is judged as the hook asks about everything after it. */
static void wait_and_ask(const struct gk_agent *agent, int socket) {
	gk_report_send(socket, GK_STAGE_FILTER, 0, 0);
	int error = gk_go_await(socket);
	if (error < 0)
		gk_report_and_exit(socket, GK_STAGE_FILTER, error);
	gk_report_and_exit(socket, GK_STAGE_EXEC, execute(agent));
}

static int install_filter(const struct gk_agent *agent, int *listener) {
	const struct gk_filter *filter = &gk_filters[agent->hiding][agent->hints];
	if (agent->limits->bounds.processes == 0)
		return gk_notify_install(filter->program, filter->length, listener);
	struct sock_filter *counting;
	size_t length;
	int error = gk_birth_filter(filter->program, filter->length, &counting, &length);
	return error < 0 ? error : gk_notify_install(counting, length, listener);
}

/* Returns when it failed, with -errno. */
static int execute(const struct gk_agent *agent) {
	const struct gk_typed *typed = agent->typed;
	if (typed->script[0] == '\0')
		return give_way(agent, typed->path, agent->argv);
	size_t count = 0;
	while (agent->argv[count] != NULL)
		count++;
	const char **argv = calloc(count + 2, sizeof(*argv));
	if (argv == NULL)
		return -ENOMEM;
	argv[0] = typed->path;
	argv[1] = typed->script;
	for (size_t i = 1; i < count; i++)
		argv[i + 1] = agent->argv[i];
	return give_way(agent, typed->path, (char *const *)argv);
}

static int give_way(const struct gk_agent *agent, const char *path, char *const *argv) {
	if (agent->asks != NULL) {
		int error = gk_hooked_ask(agent->asks, path, argv);
		if (error < 0)
			return error;
	}
	execve(path, argv, environ);
	return -errno;
}
