/* Looking at a caller that waits in a notification: its memory, its descriptors, its umask; and work that blocks for it. */
#include "supervise/call.h"
#include "supervise/loop.h"
#include "supervise/pool.h"
#include "supervise/watch.h"
#include "sys/notify.h"
#include "sys/pass.h"
#include "test/check.h"
#include "test/child.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAGE 4096

/* getppid is the trapped call: what it is given and returns is up to the test. */
static const struct sock_filter trap_getppid[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static pid_t caller, parent;
static int listener;
static struct gk_supervisor supervisor;

static void start_caller(void (*body)(void)) {
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	caller = fork();
	if (caller == 0) {
		int own;
		EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
		EXPECT(gk_notify_install(trap_getppid, GK_COUNT(trap_getppid), &own) == 0);
		EXPECT(gk_pass_descriptor(pair[1], own) == 0);
		close(own);
		body();
		_exit(0);
	}
	CHECK(gk_receive_descriptor(pair[0], &listener) == 0);
	close(pair[0]);
	close(pair[1]);
}

static struct gk_call next_call(void) {
	union gk_notification n;
	struct gk_call call = {.proc = -1, .listener = listener, .supervisor = &supervisor, .answer = {.fd = -1}};
	CHECK(gk_notify_receive(listener, &n) == 0);
	call.id = n.request.id;
	call.tid = call.tgid = (pid_t)n.request.pid;
	call.nr = n.request.data.nr;
	for (size_t i = 0; i < GK_COUNT(call.args); i++)
		call.args[i] = n.request.data.args[i];
	gk_loop_hold();
	return call;
}

static void end_caller(void) {
	int status;
	CHECK(waitpid(caller, &status, 0) == caller && status == 0, "status %x", (unsigned)status);
	close(listener);
}

static char *two_pages_then_nothing(void) {
	char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(at + 2 * PAGE, PAGE);
	return at;
}

static void give_strings(void) {
	char *at = two_pages_then_nothing();
	memset(at, 'a', 2 * PAGE);
	strcpy(at + PAGE - 3, "across");		/* over a page's end */
	memcpy(at + 2 * PAGE - 4, "end", 4);		/* up to the last mapped byte */
	EXPECT(syscall(SYS_getppid, at + PAGE - 3) == 1);
	EXPECT(syscall(SYS_getppid, at + 2 * PAGE - 4) == 2);
	at[2 * PAGE - 1] = 'x'; /* no NUL before the hole */
	EXPECT(syscall(SYS_getppid, at + 2 * PAGE - 4) == 3);
	EXPECT(syscall(SYS_getppid, NULL) == 4);
	memset(at, 'l', PATH_MAX);
	EXPECT(syscall(SYS_getppid, at) == 5);
}

static void reads_strings(void) {
	static const struct {
		int error;
		const char *text;
	} rows[] = {{0, "across"}, {0, "end"}, {-EFAULT, ""}, {-EFAULT, ""}, {-ENAMETOOLONG, ""}};
	start_caller(give_strings);
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		char text[PATH_MAX];
		size_t length;
		struct gk_call call = next_call();
		int error = gk_read_string(&call, call.args[0], text, sizeof(text), &length);
		CHECK(error == rows[i].error, "row %zu: %d", i, error);
		CHECK(error < 0 || (length == strlen(rows[i].text) && strcmp(text, rows[i].text) == 0), "row %zu", i);
		char exact[4];
		error = gk_read_memory(&call, call.args[0], exact, sizeof(exact));
		CHECK(error == (call.args[0] == 0 ? -EFAULT : 0), "row %zu: %d", i, error);
		gk_answer_value(&call, (int64_t)i + 1);
		gk_call_finish(&call);
		CHECK(!gk_call_valid(&call));
		CHECK(gk_read_memory(&call, call.args[0], exact, sizeof(exact)) == -ESRCH, "an answered call is gone");
	}
	end_caller();
}

static void *call_from_a_thread_of_its_own(void *unused) {
	(void)unused;
	EXPECT(unshare(CLONE_FILES | CLONE_FS) == 0 && dup2(open("/", O_PATH), 50) == 50);
	umask(0123);
	EXPECT(syscall(SYS_getppid, 50) == 9);
	return NULL;
}

static void use_two_tables(void) {
	pthread_t thread;
	EXPECT(dup2(open("/proc", O_PATH), 50) == 50);
	umask(077);
	EXPECT(pthread_create(&thread, NULL, call_from_a_thread_of_its_own, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

static void sees_the_thread_and_not_its_leader(void) {
	start_caller(use_two_tables);
	struct gk_call call = next_call();
	struct stat taken, root;
	int fd = -1;
	mode_t mask = 0;
	CHECK(gk_take_descriptor(&call, 50, &fd) == 0 && fstat(fd, &taken) == 0 && stat("/", &root) == 0);
	CHECK(taken.st_ino == root.st_ino && taken.st_dev == root.st_dev, "not the leader's descriptor 50");
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	CHECK(gk_take_descriptor(&call, 51, &fd) == -EBADF);
	CHECK(gk_caller_umask(&call, &mask) == 0 && mask == 0123, "%o", (unsigned)mask);
	gk_answer_value(&call, 9);
	gk_call_finish(&call);
	CHECK(gk_take_descriptor(&call, 50, &fd) == -ESRCH);
	end_caller();
}

static void expect_answers(void) {
	EXPECT(syscall(SYS_getppid) == -1 && errno == EIO);
	EXPECT(syscall(SYS_getppid) == -1 && errno == EACCES);
	EXPECT(syscall(SYS_getppid) == -1 && errno == EPERM);
	long fd = syscall(SYS_getppid);
	EXPECT(fd > 2 && fcntl((int)fd, F_GETFD) == FD_CLOEXEC);
	EXPECT(syscall(SYS_getppid) == parent);
}

static void answers_are_what_was_meant(void) {
	start_caller(expect_answers);
	struct gk_call call = next_call();
	gk_call_finish(&call); /* nothing was answered */
	call = next_call();
	gk_answer_error(&call, EACCES);
	gk_call_finish(&call);
	call = next_call();
	gk_answer_fd(&call, open("/dev/null", O_RDONLY), false);
	gk_answer_error(&call, -EPERM); /* the later answer counts, the earlier descriptor is closed */
	gk_call_finish(&call);
	call = next_call();
	gk_answer_fd(&call, open("/dev/null", O_RDONLY), true);
	gk_call_finish(&call);
	call = next_call();
	gk_answer_continue(&call);
	gk_call_finish(&call);
	end_caller();
}

static volatile int interrupted;

/* Opens a FIFO that nobody will ever write to. */
static void open_fifo(struct gk_call *call, void *context) {
	int fd = -1;
	do
		fd = open(context, O_RDONLY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR && gk_call_waits(call));
	interrupted = fd < 0;
	free(context);
	gk_answer_error(call, EINTR);
}

static char *make_fifo(void) {
	char *fifo = strdup("/tmp/gk-fifo-XXXXXX");
	CHECK(mkdtemp(fifo) != NULL && rmdir(fifo) == 0 && mkfifo(fifo, 0600) == 0);
	return fifo;
}

static void wait_for_ever(void) {
	syscall(SYS_getppid);
}

static void blocked_work_ends_with_its_caller(void) {
	char *fifo = make_fifo();
	start_caller(wait_for_ever);
	struct gk_call call = next_call();
	CHECK(gk_run_blocking(&call, open_fifo, strdup(fifo)) == 0);
	CHECK(call.answer.kind == GK_ANSWER_NONE);
	gk_call_finish(&call);
	pause_ms(150);
	CHECK(!interrupted, "it waits as long as its caller lives");
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	CHECK(gk_loop_drain());
	CHECK(interrupted);
	unlink(fifo);
	free(fifo);
	close(listener);
}

static volatile sig_atomic_t handled;

static void count_signal(int signal) {
	(void)signal;
	handled++;
}

static void wait_with_handlers(void) {
	struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	EXPECT(syscall(SYS_getppid) == 7 && handled == 1); /* repeated by the kernel after the handler */
	action.sa_flags = 0;
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	EXPECT(syscall(SYS_getppid) == -1 && errno == EINTR && handled == 2);
}

static void block_and_signal(const char *fifo) {
	struct gk_call call = next_call();
	CHECK(gk_run_blocking(&call, open_fifo, strdup(fifo)) == 0);
	gk_call_finish(&call);
	pause_ms(30);
	CHECK(kill(caller, SIGUSR1) == 0);
}

static void signals_reach_a_caller_whose_work_blocks(void) {
	char *fifo = make_fifo();
	start_caller(wait_with_handlers);
	block_and_signal(fifo);
	struct gk_call again = next_call();
	gk_answer_value(&again, 7);
	gk_call_finish(&again);
	block_and_signal(fifo);
	end_caller();
	unlink(fifo);
	free(fifo);
}

int main(void) {
	parent = getpid();
	gk_pool_open();
	CHECK(gk_watch_start() == 0);
	reads_strings();
	sees_the_thread_and_not_its_leader();
	answers_are_what_was_meant();
	blocked_work_ends_with_its_caller();
	signals_reach_a_caller_whose_work_blocks();
	return gk_check_status();
}
