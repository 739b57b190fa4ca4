#include "supervise/door.h"

#include "include/gk_dispatch.gen.h"
#include "supervise/files.h"
#include "supervise/judge.h"
#include "supervise/loop.h"
#include "supervise/pool.h"
#include "supervise/procfs.h"
#include "supervise/task.h"
#include "supervise/watch.h"
#include "wire/door.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/* Who has connected and said nothing yet. More wait in the kernel, and each only so long. */
#define GUESTS_MAX 512
#define GUESTS_OF_ONE 64
#define PATIENCE_MS 5000
#define BACKLOG 1024
#define SHORTAGE_MS 10
/* Notes about questions that an honest hook does not ask. */
#define DISAGREEMENTS_NOTED 16
/* From 512 up they are the kernel's own (include/linux/errno.h). */
#define ERRNO_MAX 511

struct guest {
	int socket;
	pid_t process;
	uint64_t since_ms;
};

/* One run a process, so one door. */
static struct {
	int listener;
	_Atomic uint32_t *generation;
	atomic_uint disagreements;
	struct guest guest[GUESTS_MAX];
	size_t guests;
} door = {.listener = -1};

static void *serve(void *argument);
static void hear(struct gk_supervisor *supervisor, int socket);

static int listen_in(const char *run_dir) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	GK_AUTO_CLOSE int directory = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	GK_AUTO_CLOSE int socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (directory < 0 || socket_fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" GK_DOOR_SOCKET, directory);
	if (bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(socket_fd, BACKLOG) < 0)
		return -errno;
	door.listener = gk_take_fd(&socket_fd);
	return 0;
}

static int share_generation(const char *run_dir) {
	GK_AUTO_CLOSE int directory = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	GK_AUTO_CLOSE int fd = openat(directory, GK_DOOR_GENERATION, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (directory < 0 || fd < 0 || ftruncate(fd, sizeof(*door.generation)) < 0)
		return -errno;
	void *at = mmap(NULL, sizeof(*door.generation), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	door.generation = at;
	atomic_store(door.generation, 1);
	return 0;
}

int gk_door_open(struct gk_supervisor *supervisor, const char *run_dir) {
	int error = listen_in(run_dir);
	if (error == 0)
		error = share_generation(run_dir);
	supervisor->by_hook = true;
	return error;
}

int gk_door_start(struct gk_supervisor *supervisor) {
	/* What is shown at another place as well is judged under both names, which the hook does not know. */
	if (supervisor->files->mounts != NULL)
		atomic_store(door.generation, 0);
	int error = gk_watch_start();
	return error == 0 ? gk_handler_thread_start(serve, supervisor) : error;
}

void gk_door_policy_changed(struct gk_supervisor *supervisor) {
	if (supervisor->by_hook && door.generation != NULL && atomic_load(door.generation) != 0)
		atomic_fetch_add(door.generation, 1);
}

/* --- the thread at the door --- */

static uint64_t now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void dismiss(size_t index) {
	door.guest[index] = door.guest[--door.guests];
}

/* Who says nothing on many connections takes them from itself. */
static void make_room_for(pid_t process) {
	size_t many = 0, oldest = 0;
	for (size_t i = 0; i < door.guests; i++) {
		if (door.guest[i].process != process)
			continue;
		if (many++ == 0 || door.guest[i].since_ms < door.guest[oldest].since_ms)
			oldest = i;
	}
	if (many < GUESTS_OF_ONE)
		return;
	close(door.guest[oldest].socket);
	dismiss(oldest);
}

static void take_guests(void) {
	while (door.guests < GUESTS_MAX) {
		int socket = accept4(door.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		/* Without descriptors it stays ready, and would be asked for again at once. */
		if (socket < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
			poll(NULL, 0, SHORTAGE_MS);
		if (socket < 0)
			return;
		struct ucred peer = {0};
		socklen_t length = sizeof(peer);
		getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length);
		make_room_for(peer.pid);
		door.guest[door.guests++] = (struct guest){.socket = socket, .process = peer.pid, .since_ms = now_ms()};
	}
}

static void *serve(void *argument) {
	struct gk_supervisor *supervisor = argument;
	struct pollfd ready[GUESTS_MAX + 1];
	if (gk_handler_thread_begin() < 0)
		gk_kill_run(supervisor, "the thread that answers the hook could not be prepared");
	while (!atomic_load(&supervisor->ending)) {
		size_t guests = door.guests;
		for (size_t i = 0; i < guests; i++)
			ready[i] = (struct pollfd){.fd = door.guest[i].socket, .events = POLLIN};
		ready[guests] = (struct pollfd){.fd = guests < GUESTS_MAX ? door.listener : -1, .events = POLLIN};
		if (poll(ready, guests + 1, guests > 0 ? PATIENCE_MS : -1) < 0 && errno != EINTR)
			gk_kill_run(supervisor, "the hook's questions cannot be received");
		uint64_t now = now_ms();
		/* From the last, since whoever is dismissed is replaced by the last. */
		for (size_t i = guests; i-- > 0;) {
			bool patient = now - door.guest[i].since_ms < PATIENCE_MS;
			if (ready[i].revents == 0 && patient)
				continue;
			int socket = door.guest[i].socket;
			dismiss(i);
			if (ready[i].revents & POLLIN)
				hear(supervisor, socket);
			else
				close(socket);
		}
		take_guests();
	}
	return NULL;
}

/* --- one question --- */

static void answer(struct gk_call *call, void *context);

struct question {
	struct gk_door_request head;
	char paths[2 * PATH_MAX];
};

static bool is_whole(const struct question *question, ssize_t length) {
	const struct gk_door_request *request = &question->head;
	return length >= (ssize_t)sizeof(*request) && request->version == GK_DOOR_VERSION && request->first < PATH_MAX && request->second < PATH_MAX &&
	       (size_t)length == sizeof(*request) + request->first + request->second && request->action < GK_ACTION_COUNT;
}

/* The asker as the kernel names it. What it says of itself counts for nothing. */
static int identify(struct gk_supervisor *supervisor, int socket, struct gk_call *out) {
	struct ucred peer;
	socklen_t length = sizeof(peer);
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	char name[32];
	snprintf(name, sizeof(name), "/proc/%d", peer.pid);
	out->tid = out->tgid = peer.pid;
	out->proc = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (out->proc < 0)
		return -errno;
	/* Held first, so that what has the number by now is not taken for the one that is looked at. */
	return peer.uid == supervisor->uid && gk_task_in_run(supervisor, peer.pid) && faccessat(out->proc, "stat", F_OK, 0) == 0 ? 0 : -EPERM;
}

static void hear(struct gk_supervisor *supervisor, int socket) {
	struct question *question = malloc(sizeof(*question));
	ssize_t length = question == NULL ? -1 : recv(socket, question, sizeof(*question), MSG_DONTWAIT);
	struct gk_call call = {
		.supervisor = supervisor,
		.listener = -1,
		.proc = -1,
		.by_door = true,
		.door = socket,
		.answer = {.kind = GK_ANSWER_ERROR, .error = EACCES, .fd = -1},
	};
	gk_loop_hold();
	if (question != NULL && is_whole(question, length) && identify(supervisor, socket, &call) == 0) {
		call.nr = question->head.nr;
		call.vouched = question->head.vouched != 0;
		memcpy(call.args, question->head.args, sizeof(call.args));
		/* What is judged by its text alone waits for nothing. */
		if (question->head.kind != GK_DOOR_CALL)
			answer(&call, question);
		else if (gk_run_blocking(&call, answer, question) < 0)
			free(question);
		question = NULL;
	}
	free(question);
	gk_call_finish(&call);
}

/* The others are judged by calls, or are nothing that a hook asks about: a question must not make receipts of what nobody did. */
static bool is_of_paths(enum gk_action action) {
	return action == GK_ACTION_FILE_READ || action == GK_ACTION_FILE_WRITE || action == GK_ACTION_FILE_DELETE || action == GK_ACTION_UNIX_SOCKET;
}

static int judge_path(struct gk_call *call, const struct question *question) {
	const struct gk_door_request *request = &question->head;
	enum gk_action action = (enum gk_action)request->action;
	struct gk_object object = {.fd = -1, .length = request->first};
	memcpy(object.path, question->paths, request->first);
	if (object.length == 0 || object.path[0] != '/' || !is_of_paths(action))
		return -EACCES;
	if (gk_procfs_in_process(gk_object_path(&object))) {
		int error = gk_procfs_admit(call, &object);
		if (error)
			return error;
	} else if (!request->stale && gk_path_is_free(call, action, gk_object_path(&object)) &&
		   atomic_fetch_add(&door.disagreements, 1) < DISAGREEMENTS_NOTED) {
		gk_note(call, "hook-disagrees", gk_object_path(&object));
	}
	return gk_judge_path(call, action, gk_object_path(&object));
}

/* Whether names beneath are judged less strictly at the new place. */
static int judge_move(struct gk_call *call, const struct question *question) {
	const struct gk_door_request *request = &question->head;
	const struct gk_image *image = gk_current_image(call->supervisor);
	struct gk_slice source = gk_slice(question->paths, request->first), destination = gk_slice(question->paths + request->first, request->second);
	if (source.length == 0 || destination.length == 0 || source.at[0] != '/' || destination.at[0] != '/')
		return -EACCES;
	if (!gk_move_loosens(image, source, destination))
		return 0;
	struct gk_subject subject = {.action = GK_ACTION_FILE_DELETE, .target = source, .target2 = destination};
	bool protects = gk_move_unprotects(image, source, destination);
	return gk_refuse(call, &subject, protects ? GK_REASON_SELF_PROTECTION : GK_REASON_MOVE_LOOSENS);
}

static void judge_call(struct gk_call *call) {
	switch (call->nr) {
	case SYS_execve: return gk_do_execve(call);
	case SYS_execveat: return gk_do_execveat(call);
	case SYS_connect: return gk_do_connect(call);
	case SYS_bind: return gk_do_bind(call);
	case SYS_listen: return gk_do_listen(call);
	default: return gk_answer_error(call, EACCES);
	}
}

static void answer(struct gk_call *call, void *context) {
	struct question *question = context;
	int error;
	switch ((enum gk_door_kind)question->head.kind) {
	case GK_DOOR_PATH: error = judge_path(call, question); break;
	case GK_DOOR_MOVE: error = judge_move(call, question); break;
	case GK_DOOR_CALL:
		free(question);
		return judge_call(call);
	default: error = -EACCES; break;
	}
	free(question);
	if (error)
		gk_answer_error(call, error);
	else
		gk_answer_continue(call);
}

/* --- the answer --- */

bool gk_door_waits(const struct gk_call *call) {
	struct pollfd end = {.fd = call->door, .events = POLLRDHUP};
	return call->door >= 0 && poll(&end, 1, 0) == 0 && faccessat(call->proc, "stat", F_OK, 0) == 0;
}

void gk_door_answer(struct gk_call *call) {
	struct gk_door_answer said = {.error = -EACCES, .vouched = call->vouched};
	switch (call->answer.kind) {
	case GK_ANSWER_CONTINUE: said.error = 0; break;
	case GK_ANSWER_VALUE: said.error = 1; break;
	/* What tells the kernel to repeat a call is no answer of a socket. */
	case GK_ANSWER_ERROR: said.error = abs(call->answer.error) > ERRNO_MAX ? -EINTR : -abs(call->answer.error); break;
	case GK_ANSWER_FD:
	case GK_ANSWER_NONE: break;
	}
	if (call->door >= 0) {
		if (call->answer.kind != GK_ANSWER_NONE)
			(void)!send(call->door, &said, sizeof(said), MSG_NOSIGNAL | MSG_DONTWAIT);
		close(call->door);
	}
	call->door = -1;
}
