#include "launch/report.h"

#include <errno.h>
#include <sys/socket.h>

const char *gk_stage_text(enum gk_stage stage) {
	static const char *const text[GK_STAGE_COUNT] = {
		[GK_STAGE_KILLER] = "prepare the process that ends the run",
		[GK_STAGE_BORN] = "create the agent's process",
		[GK_STAGE_PARENT] = "tie the agent's process to its supervisor",
		[GK_STAGE_LIMITS] = "restore resource limits and signals",
		[GK_STAGE_DESCRIPTORS] = "close inherited descriptors",
		[GK_STAGE_LANDLOCK] = "enforce the Landlock floor",
		[GK_STAGE_FILTER] = "install the seccomp filter",
		[GK_STAGE_EXEC] = "execute the program",
	};
	return stage >= 0 && stage < GK_STAGE_COUNT ? text[stage] : "start";
}

void gk_report_send(int socket, enum gk_stage stage, int error, pid_t pid) {
	const struct gk_report report = {.stage = stage, .error = error, .pid = pid};
	(void)!send(socket, &report, sizeof(report), MSG_NOSIGNAL);
}

int gk_report_receive(int socket, struct gk_report *out) {
	ssize_t length;
	do
		length = recv(socket, out, sizeof(*out), 0);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	return length == 0 ? -EPIPE : length == sizeof(*out) ? 0 : -EBADMSG;
}

void gk_report_and_exit(int socket, enum gk_stage stage, int error) {
	gk_report_send(socket, stage, error, 0);
	_exit(125);
}

int gk_go_send(int socket) {
	return send(socket, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int gk_go_await(int socket) {
	char byte;
	ssize_t length;
	do
		length = recv(socket, &byte, 1, 0);
	while (length < 0 && errno == EINTR);
	return length == 1 ? 0 : length == 0 ? -EPIPE : -errno;
}
