#include "hook/enforce_judge.h"

#include "base/raw.h"
#include "hook/enforce.h"
#include "image/decide.h"
#include "wire/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* What a process was told at its start, from which nothing in it can turn it. */
static struct {
	char run_dir[PATH_MAX], image_path[PATH_MAX];
	struct gk_image *image;
	const _Atomic uint32_t *generation; /* of the policy; 0: always ask */
	uint32_t loaded;
	bool vouched, quiet;
	atomic_bool ready;
} state;

/* Of the program that was judged last. The thread that judges executes. */
static _Thread_local bool next_is_vouched __attribute__((tls_model("initial-exec")));

static int ask(struct gk_door_request *request, struct gk_slice first, struct gk_slice second);

static int open_raw(const char *path) {
	return (int)gk_raw4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
}

static bool keep(char *to, const char *text) {
	size_t length = strlen(text);
	if (length >= PATH_MAX || text[0] != '/')
		return false;
	memcpy(to, text, length + 1);
	return true;
}

static bool map_generation(void) {
	char path[PATH_MAX + sizeof("/" GK_DOOR_GENERATION)];
	size_t length = strlen(state.run_dir);
	memcpy(path, state.run_dir, length);
	memcpy(path + length, "/" GK_DOOR_GENERATION, sizeof("/" GK_DOOR_GENERATION));
	int fd = open_raw(path);
	if (fd < 0)
		return false;
	long at = gk_raw6(SYS_mmap, 0, sizeof(uint32_t), PROT_READ, MAP_SHARED, fd, 0);
	gk_raw4(SYS_close, fd, 0, 0, 0);
	if (at < 0 && at > -4096)
		return false;
	state.generation = (const _Atomic uint32_t *)at;
	/* Before the image is read: one that is replaced meanwhile is known to be old. */
	state.loaded = atomic_load(state.generation);
	return true;
}

static bool load_image(void) {
	const char *why;
	int fd = open_raw(state.image_path);
	if (fd < 0)
		return false;
	int error = gk_image_open(fd, &state.image, &why);
	gk_raw4(SYS_close, fd, 0, 0, 0);
	return error == 0;
}

void gk_enforce_begin(const char *hook) {
	int saved = errno;
	const char *colon = hook == NULL ? NULL : strchr(hook, ':'), *run_dir = getenv("GATEKEEPER_REPORT");
	if (!atomic_load(&state.ready) && colon != NULL && run_dir != NULL && keep(state.image_path, colon + 1) && keep(state.run_dir, run_dir)) {
		gk_enforce_remember_library();
		state.vouched = memchr(hook, 'c', (size_t)(colon - hook)) != NULL;
		state.quiet = memchr(hook, 'q', (size_t)(colon - hook)) != NULL;
		atomic_store(&state.ready, map_generation() && load_image());
	}
	errno = saved;
}

bool gk_enforce_is_ready(void) {
	return atomic_load(&state.ready);
}

const char *gk_enforce_next_letters(void) {
	return next_is_vouched ? (state.quiet ? "ceq:" : "ce:") : state.quiet ? "eq:" : "e:";
}

const char *gk_enforce_run_dir(void) {
	return state.run_dir;
}

const char *gk_enforce_image_path(void) {
	return state.image_path;
}

/* The image that was loaded may not be the policy in force. */
static bool is_stale(void) {
	uint32_t now = atomic_load(state.generation);
	return now == 0 || now != state.loaded;
}

bool gk_enforce_is_free(enum gk_action action, const struct gk_named *named) {
	if (!gk_enforce_is_ready() || named->of_process || is_stale())
		return false;
	struct gk_verdict verdict = gk_decide_path(state.image, action, gk_named_path(named));
	return verdict.effect == GK_EFFECT_ALLOW && !verdict.log;
}

int gk_enforce_judge(int nr, enum gk_action action, const struct gk_named *named) {
	if (!gk_enforce_is_ready())
		return -EACCES;
	if (named->anonymous || gk_enforce_is_free(action, named))
		return 0;
	struct gk_door_request request = {.kind = GK_DOOR_PATH, .nr = nr, .action = action};
	return ask(&request, gk_named_path(named), gk_slice(NULL, 0));
}

int gk_enforce_judge_move(const struct gk_named *from, const struct gk_named *to) {
	if (!gk_enforce_is_ready())
		return -EACCES;
	if (!is_stale() && !gk_move_loosens(state.image, gk_named_path(from), gk_named_path(to)))
		return 0;
	struct gk_door_request request = {.kind = GK_DOOR_MOVE, .nr = -1};
	return ask(&request, gk_named_path(from), gk_named_path(to));
}

int gk_enforce_judge_call(int nr, const long args[6]) {
	struct gk_door_request request = {.kind = GK_DOOR_CALL, .nr = nr};
	for (size_t i = 0; i < GK_COUNT(request.args); i++)
		request.args[i] = (uint64_t)args[i];
	return ask(&request, gk_slice(NULL, 0), gk_slice(NULL, 0));
}

static int ask(struct gk_door_request *request, struct gk_slice first, struct gk_slice second) {
	struct gk_door_answer answer;
	if (!gk_enforce_is_ready())
		return -EACCES;
	request->version = GK_DOOR_VERSION;
	request->stale = is_stale();
	request->vouched = state.vouched;
	request->first = (uint32_t)first.length;
	request->second = (uint32_t)second.length;
	/* Nobody there to record it: whatever it is, it is refused. */
	if (gk_door_ask(state.run_dir, request, first, second, &answer) < 0)
		return -EACCES;
	if (answer.error == 0)
		next_is_vouched = answer.vouched != 0;
	return answer.error > 0 ? GK_ENFORCE_DONE : answer.error;
}
