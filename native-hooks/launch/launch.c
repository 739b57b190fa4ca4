#include "launch/launch.h"

#include "launch/killer.h"
#include "sys/landlock.h"
#include "sys/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

/* Nothing here waits for anything slow. */
#define STEP_TIMEOUT_S 10

struct ends {
	int ours, theirs;     /* the socket pair */
	int life_read, life_write;
};

static int open_ends(struct ends *ends);
static _Noreturn void midwife(const struct gk_agent *agent, const struct gk_floor *floor, struct ends *ends);
static int collect(int socket, bool killed, struct gk_launched *out, enum gk_stage *stage);
static int adopt(int socket, pid_t midwife_pid, bool filtered, struct gk_launched *out, enum gk_stage *stage);
static int await_ready(int socket, enum gk_stage *stage);
static int receive_listener(int socket, struct gk_launched *out, enum gk_stage *stage);

int gk_launch(const struct gk_agent *agent, const struct gk_floor *floor, struct gk_launched *out, enum gk_stage *stage) {
	struct ends ends = {.ours = -1, .theirs = -1, .life_read = -1, .life_write = -1};
	*out = (struct gk_launched){.listener = -1, .life = -1, .socket = -1};
	*stage = GK_STAGE_BORN;
	int error = open_ends(&ends);
	if (error < 0)
		return error;
	pid_t child = fork();
	if (child == 0)
		midwife(agent, floor, &ends);
	error = child < 0 ? -errno : 0;
	close(ends.theirs);
	close(ends.life_read);
	out->socket = ends.ours;
	out->life = ends.life_write;
	if (error == 0)
		error = collect(ends.ours, floor->border >= 0, out, stage);
	if (error == 0)
		error = adopt(ends.ours, child, agent->asks == NULL, out, stage);
	return error;
}

static int open_ends(struct ends *ends) {
	int pair[2], life[2];
	const struct timeval timeout = {.tv_sec = STEP_TIMEOUT_S};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 || pipe2(life, O_CLOEXEC) < 0) {
		int error = -errno;
		close(pair[0]);
		close(pair[1]);
		return error;
	}
	*ends = (struct ends){.ours = pair[0], .theirs = pair[1], .life_read = life[0], .life_write = life[1]};
	return 0;
}

/* A process in between enters the border and gives birth to the two: so both are inside, the supervisor stays outside, and when
 * it exits both become the supervisor's children. */
static void midwife(const struct gk_agent *agent, const struct gk_floor *floor, struct ends *ends) {
	close(ends->ours);
	close(ends->life_write); /* or the killer would never see its end */
	int error = floor->border < 0 ? 0 : gk_ruleset_enforce(floor->border);
	if (error < 0)
		gk_report_and_exit(ends->theirs, GK_STAGE_LANDLOCK, error);
	/* Without a border its signals would end the user's session. */
	pid_t killer = floor->border < 0 ? 0 : fork();
	if (killer == 0 && floor->border >= 0)
		gk_killer(ends->theirs, ends->life_read, agent->supervisor);
	close(ends->life_read);
	pid_t pid = killer < 0 ? -1 : fork();
	if (pid == 0)
		gk_agent(agent, ends->theirs);
	if (pid < 0)
		gk_report_and_exit(ends->theirs, GK_STAGE_BORN, -errno);
	gk_report_send(ends->theirs, GK_STAGE_BORN, 0, pid);
	_exit(0);
}

/* killed: there is a killer to wait for. */
static int collect(int socket, bool killed, struct gk_launched *out, enum gk_stage *stage) {
	while (out->agent == 0 || (out->killer == 0 && killed)) {
		struct gk_report report;
		int error = gk_report_receive(socket, &report);
		if (error < 0)
			return error;
		*stage = report.stage;
		if (report.error < 0)
			return report.error;
		if (report.stage == GK_STAGE_KILLER)
			out->killer = report.pid;
		else if (report.stage == GK_STAGE_BORN)
			out->agent = report.pid;
		else
			return -EPROTO;
	}
	return 0;
}

static int adopt(int socket, pid_t midwife_pid, bool filtered, struct gk_launched *out, enum gk_stage *stage) {
	*stage = GK_STAGE_PARENT;
	while (waitpid(midwife_pid, NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	int error = gk_go_send(socket);
	if (error < 0)
		return error;
	return filtered ? receive_listener(socket, out, stage) : await_ready(socket, stage);
}

/* Of an agent without a filter. */
static int await_ready(int socket, enum gk_stage *stage) {
	struct gk_report report;
	*stage = GK_STAGE_FILTER;
	int error = gk_report_receive(socket, &report);
	if (error < 0)
		return error;
	*stage = report.stage;
	return report.error;
}

/* A descriptor comes with one byte; a report of what failed instead of it is longer. */
static int receive_listener(int socket, struct gk_launched *out, enum gk_stage *stage) {
	struct gk_report report;
	*stage = GK_STAGE_FILTER;
	if (recv(socket, &report, sizeof(report), MSG_PEEK) != sizeof(report))
		return gk_receive_descriptor(socket, &out->listener);
	int error = gk_report_receive(socket, &report);
	if (error < 0)
		return error;
	*stage = report.stage;
	return report.error < 0 ? report.error : -EPROTO;
}

int gk_launch_go(struct gk_launched *launched) {
	const struct timeval forever = {0};
	setsockopt(launched->socket, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	int error = gk_go_send(launched->socket);
	struct gk_report report;
	if (error == 0)
		error = gk_report_receive(launched->socket, &report);
	close(launched->socket);
	launched->socket = -1;
	if (error == -EPIPE)
		return 0; /* closed by the exec, or by death, which the wait tells */
	return error < 0 ? error : report.error;
}
