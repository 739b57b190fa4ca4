/* The loop before a kernel that does its worst: nothing goes on unsupervised, nothing succeeds before its effect, and the next call is
 * served. The handlers, the files and the journal are real; the callers are threads of this test that only seem to wait. */
#include "supervise/loop.h"
#include "supervise/bounds.h"
#include "supervise/pool.h"
#include "test/check.h"
#include "test/child.h"
#include "test/fake_kernel.h"
#include "test/image_builder.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct gk_supervisor supervisor = {.mutation = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, .run = "test", .listener = -1};
static char directory[] = "/tmp/gk-loop-XXXXXX";

static const char *in(const char *name) {
	static char paths[64][64];
	static unsigned next;
	char *path = paths[next++ % GK_COUNT(paths)];
	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void allow(struct builder *b, enum gk_action action, unsigned flags, const char *name) {
	build_path(b, action, GK_EFFECT_ALLOW, flags, 0, name);
}

static const struct gk_image *make_image(void) {
	static struct builder b;
	struct gk_image *image;
	const char *why;
	build_begin(&b);
	build_file(&b, 3, 1);
	allow(&b, GK_ACTION_FILE_READ, 0, in("free*"));
	allow(&b, GK_ACTION_FILE_READ, GK_RULE_LOG, in("logged"));
	allow(&b, GK_ACTION_FILE_WRITE, 0, in("free*"));
	struct bytes bytes = build_end(&b);
	EXPECT(gk_image_over(bytes.at, bytes.length, &image, &why) == 0);
	return image;
}

static void make_file(const char *name) {
	int fd = open(in(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	EXPECT(fd >= 0 && close(fd) == 0);
}

/* Everything but the threads; calls that are put now find nobody at work. */
static void open_rooms(void) {
	sigset_t ending;
	sigemptyset(&ending);
	sigaddset(&ending, SIGRTMIN + 1); /* GK_SIGNAL_ENDING, for a main thread that waits */
	EXPECT(sigprocmask(SIG_BLOCK, &ending, NULL) == 0);
	EXPECT(mkdtemp(directory) != NULL);
	for (size_t i = 0; i < 3; i++)
		make_file((const char *[]){"free", "logged", "denied"}[i]);
	int where = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	atomic_store(&supervisor.image, make_image());
	supervisor.uid = getuid();
	supervisor.gid = getgid();
	supervisor.supervisor_pid = getpid();
	EXPECT(gk_journal_open(where, gk_slice_of("test"), &supervisor.journal) == 0);
	EXPECT(gk_tasks_open(&supervisor) == 0 && gk_files_open(&supervisor) == 0);
	gk_pool_open();
}

static void start(void) {
	open_rooms();
	EXPECT(gk_loop_start(&supervisor) == 0);
}

static void end(void) {
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	EXPECT(system(command) == 0);
}

static uint64_t put_open(pid_t tid, const char *path) {
	return fake_call(tid, SYS_open, (uint64_t)(uintptr_t)path);
}

static struct fake_call open_of(const char *path) {
	return fake_fate(put_open(getpid(), path));
}

static uint64_t put_mkdir(const char *path) {
	return fake_call(getpid(), SYS_mkdir, (uint64_t)(uintptr_t)path);
}

static bool is_error(struct fake_call call, int error) {
	return call.fate == FAKE_FAILED && call.error == -error && call.answers == 1;
}

static bool is_given(struct fake_call call) {
	return (call.fate == FAKE_GIVEN || (call.fate == FAKE_RETURNED && call.placed)) && call.answers == 1;
}

static bool exists(const char *path) {
	struct stat st;
	return stat(path, &st) == 0;
}

static pid_t start_idle(void) {
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	return child;
}

static void serves(void) {
	start();
	EXPECT(is_given(open_of(in("free"))));
	EXPECT(is_error(open_of(in("denied")), EACCES));
	EXPECT(is_error(fake_fate(fake_call(getpid(), 4000, 0)), ENOSYS)); /* no such call */
	EXPECT(is_error(fake_fate(fake_call(getpid(), -1, 0)), ENOSYS));
	end();
}

/* Whatever sign a handler writes, the caller sees an error; and none that says nothing looks like success. */
static void errors_are_errors(void) {
	const int answers[] = {EACCES, -EACCES, 0}, seen[] = {EACCES, EACCES, EIO};
	open_rooms();
	for (size_t i = 0; i < GK_COUNT(answers); i++)
		for (int set = 0; set < 2; set++) {
			union gk_notification n;
			struct gk_call call;
			uint64_t id = put_open(getpid(), in("free"));
			EXPECT(gk_notify_receive(-1, &n) == 0);
			gk_call_begin(&supervisor, &n.request, &call);
			if (set)
				gk_answer_error(&call, answers[i]);
			else
				call.answer.error = answers[i];
			gk_call_finish(&call);
			EXPECT(is_error(fake_fate(id), seen[i]));
		}
	end();
}

static void interrupted_receiving_goes_on(void) {
	fake.receive_errors = 1000;
	fake.receive_error = -EINTR;
	start();
	EXPECT(is_given(open_of(in("free"))));
	pthread_mutex_lock(&fake.lock);
	fake.receive_errors = 1000; /* callers that died before they were received */
	fake.receive_error = -ENOENT;
	pthread_mutex_unlock(&fake.lock);
	EXPECT(is_given(open_of(in("free"))) && !atomic_load(&supervisor.ending));
	end();
}

static void broken_receiving_ends_the_run(void) {
	start();
	pthread_mutex_lock(&fake.lock);
	fake.receive_errors = 1;
	fake.receive_error = -EFAULT;
	pthread_cond_broadcast(&fake.arrived);
	pthread_mutex_unlock(&fake.lock);
	while (!atomic_load(&supervisor.ending))
		pause_ms(1);
	uint64_t id = put_open(getpid(), in("free"));
	EXPECT(gk_loop_drain());
	pause_ms(20);
	EXPECT(fake.call[id - 1].answers == 0); /* waits for its kill */
	end();
}

static void callers_that_die_before_the_answer_are_forgotten(void) {
	start();
	pthread_mutex_lock(&fake.lock);
	fake.respond_errors = fake.give_errors = 1;
	fake.respond_error = fake.give_error = -ENOENT;
	pthread_mutex_unlock(&fake.lock);
	EXPECT(open_of(in("free")).fate == FAKE_GONE && open_of(in("denied")).fate == FAKE_GONE);
	EXPECT(is_given(open_of(in("free"))) && !atomic_load(&supervisor.ending));
	end();
}

static void answers_that_cannot_be_delivered_end_the_run(void) {
	start();
	pthread_mutex_lock(&fake.lock);
	fake.respond_errors = 1;
	fake.respond_error = -EINVAL;
	pthread_mutex_unlock(&fake.lock);
	uint64_t id = put_open(getpid(), in("denied"));
	while (!atomic_load(&supervisor.ending))
		pause_ms(1);
	EXPECT(fake.call[id - 1].answers == 0);
	end();
}

static void the_callers_own_limit_is_its_own(void) {
	start();
	pthread_mutex_lock(&fake.lock);
	fake.give_errors = 1;
	fake.give_error = -EMFILE;
	pthread_mutex_unlock(&fake.lock);
	EXPECT(is_error(open_of(in("free")), EMFILE));
	pthread_mutex_lock(&fake.lock);
	fake.give_errors = 1;
	fake.give_error = -EMFILE;
	pthread_mutex_unlock(&fake.lock);
	EXPECT(is_error(fake_fate(fake_call(getpid(), SYS_creat, (uint64_t)(uintptr_t)in("free"))), EMFILE));
	EXPECT(is_given(open_of(in("free"))));
	pthread_mutex_lock(&fake.lock);
	fake.give_errors = 3;
	fake.give_error = -EINTR;
	pthread_mutex_unlock(&fake.lock);
	EXPECT(is_given(open_of(in("free"))));
	end();
}

/* The caller is found gone at each of the moments when that is asked: a directory is there or not, as the answer says. */
static void a_lost_caller_leaves_no_effect_behind(void) {
	start();
	unsigned made = 0;
	for (int checks = 0; checks < 12; checks++) {
		char name[24];
		snprintf(name, sizeof(name), "free-%d", checks);
		const char *path = in(name);
		pthread_mutex_lock(&fake.lock);
		fake.valid_left = checks;
		pthread_mutex_unlock(&fake.lock);
		struct fake_call call = fake_fate(put_mkdir(path));
		EXPECT(call.fate == FAKE_FAILED || call.fate == FAKE_RETURNED);
		EXPECT((call.fate == FAKE_RETURNED && call.value == 0) == exists(path));
		made += exists(path);
	}
	EXPECT(made > 0 && made < 12);
	end();
}

static void calls_of_the_dead_are_not_carried_out(void) {
	enum { CALLS = 200 };
	static char paths[CALLS][64];
	open_rooms();
	for (int i = 0; i < CALLS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/free-%d", directory, i);
		uint64_t id = put_mkdir(paths[i]);
		if (i % 2 == 0)
			fake_kill(id);
	}
	EXPECT(gk_loop_start(&supervisor) == 0);
	for (uint64_t id = 1; id <= CALLS; id++)
		EXPECT(fake_fate(id).fate == (id % 2 == 1 ? FAKE_GONE : FAKE_RETURNED));
	for (int i = 0; i < CALLS; i++)
		EXPECT(exists(paths[i]) == (i % 2 == 1));
	end();
}

/* The directory is gone, so a segment that is full has no successor. */
static void what_cannot_be_recorded_is_refused(void) {
	enum { CALLS = 30000 };
	start();
	EXPECT(is_given(open_of(in("logged"))));
	const char *logged = in("logged");
	EXPECT(mkdir(in(".journal-next"), 0700) == 0);
	uint64_t last = 0;
	for (int i = 0; i < CALLS; i++)
		last = put_open(getpid(), logged);
	for (uint64_t id = 2; id <= last; id++) {
		struct fake_call call = fake_fate(id);
		EXPECT(is_given(call) || is_error(call, EACCES));
	}
	EXPECT(is_error(fake_fate(last), EACCES) && gk_unrecorded_pending(&supervisor));
	EXPECT(is_given(open_of(in("free")))); /* an allowed open leaves no record */
	EXPECT(rmdir(in(".journal-next")) == 0 && is_given(open_of(logged)));
	end();
}

/* Many calls of one process have come before one of another: that one is not served last. */
static void processes_take_turns(void) {
	enum { CALLS = 4000 };
	open_rooms();
	const char *path = in("free");
	pid_t other = start_idle(); /* its memory is a copy of ours, with the path */
	for (int i = 0; i < CALLS; i++)
		put_open(getpid(), path);
	uint64_t id = put_open(other, path);
	EXPECT(gk_loop_start(&supervisor) == 0);
	struct fake_call call = fake_fate(id);
	kill(other, SIGKILL);
	EXPECT(is_given(call) && call.order < CALLS / 10);
	for (uint64_t i = 1; i < id; i++)
		EXPECT(is_given(fake_fate(i)));
	end();
}

/* All receivers wait for a lock, as they would for a file server that does not answer: others are started, and not all of them for the
 * process that makes them wait. */
static void stuck_receivers_are_replaced(void) {
	enum { CALLS = 1000 };
	static char paths[CALLS][64];
	open_rooms();
	const char *path = in("free");
	pid_t other = start_idle();
	pthread_mutex_lock(&supervisor.mutation);
	for (int i = 0; i < CALLS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/free-%d", directory, i);
		put_mkdir(paths[i]);
	}
	EXPECT(gk_loop_start(&supervisor) == 0);
	for (int i = 0; i < 100; i++)
		EXPECT(is_given(fake_fate(put_open(other, path))));
	EXPECT(!exists(paths[0]) && !exists(paths[CALLS - 1]));
	pthread_mutex_unlock(&supervisor.mutation);
	for (uint64_t id = 1; id <= CALLS; id++)
		EXPECT(fake_fate(id).fate == FAKE_RETURNED);
	kill(other, SIGKILL);
	end();
}

/* The kernel lets go of a call before its caller has run and has taken the descriptor, which may last on a busy machine. */
static void whoever_hands_over_a_descriptor_is_not_interrupted(void) {
	fake.callers_sleep = true;
	start();
	EXPECT(is_given(open_of(in("free"))) && is_given(open_of(in("free"))));
	end();
	EXPECT(gk_loop_drain() && atomic_load(&fake.torn) == 0);
}

/* A pool with room for few: more is refused, others still have some of it, and what waits is answered when its time comes. */
static void a_full_pool_refuses(void) {
	enum { ASKED = 2000 };
	struct rlimit limit;
	EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 256;
	EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	start();
	const char *fifo = in("free-fifo");
	pid_t other = start_idle();
	EXPECT(mkfifo(fifo, 0600) == 0);
	size_t refused = 0;
	uint64_t ids[ASKED];
	for (int i = 0; i < ASKED; i++)
		ids[i] = put_open(getpid(), fifo);
	/* The last was taken in, and with it all of them. */
	EXPECT(is_error(fake_fate(ids[ASKED - 1]), ENOMEM) && is_given(open_of(in("free"))));
	uint64_t others = put_open(other, fifo);
	EXPECT(is_given(open_of(in("free"))));
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);
	EXPECT(fd >= 0 && is_given(fake_fate(others)));
	for (int i = 0; i < ASKED; i++) {
		struct fake_call call = fake_fate(ids[i]);
		EXPECT(is_given(call) || is_error(call, ENOMEM));
		refused += call.fate == FAKE_FAILED;
	}
	EXPECT(refused > ASKED / 2 && refused < ASKED && ASKED - refused <= gk_bounds_now().jobs);
	kill(other, SIGKILL);
	end();
}

/* The descriptors are taken away and come back: calls fail meanwhile, with an error and without an effect. */
static void without_descriptors_calls_fail(void) {
	struct rlimit limit, none;
	start();
	const char *free_file = in("free"), *made = in("free-made");
	EXPECT(is_given(open_of(free_file)) && getrlimit(RLIMIT_NOFILE, &limit) == 0);
	none = limit;
	none.rlim_cur = 0;
	for (int round = 0; round < 20; round++) {
		EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
		EXPECT(is_error(open_of(free_file), EMFILE) && is_error(open_of(in("denied")), EMFILE));
		struct fake_call call = fake_fate(put_mkdir(made));
		EXPECT(call.fate == FAKE_FAILED && !exists(made));
		EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0 && is_given(open_of(free_file)));
	}
	EXPECT(!atomic_load(&supervisor.ending));
	end();
}

static void the_end_of_all_callers_ends_the_receivers(void) {
	start();
	EXPECT(is_given(open_of(in("free"))));
	fake_close();
	EXPECT(gk_loop_drain() && !atomic_load(&supervisor.ending));
	end();
}

int main(void) {
	static void (*const scripts[])(void) = {
		serves,
		errors_are_errors,
		interrupted_receiving_goes_on,
		broken_receiving_ends_the_run,
		callers_that_die_before_the_answer_are_forgotten,
		answers_that_cannot_be_delivered_end_the_run,
		the_callers_own_limit_is_its_own,
		a_lost_caller_leaves_no_effect_behind,
		calls_of_the_dead_are_not_carried_out,
		what_cannot_be_recorded_is_refused,
		processes_take_turns,
		stuck_receivers_are_replaced,
		whoever_hands_over_a_descriptor_is_not_interrupted,
		a_full_pool_refuses,
		without_descriptors_calls_fail,
		the_end_of_all_callers_ends_the_receivers,
	};
	for (size_t i = 0; i < GK_COUNT(scripts); i++) {
		int status = run_child(scripts[i]);
		CHECK(status == 0, "script %zu: status %x", i, (unsigned)status);
	}
	return gk_check_status();
}
