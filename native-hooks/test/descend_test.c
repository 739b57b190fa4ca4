/* Ending process trees: forkers that change their session and their parent, the killer inside its border, capabilities. */
#include "launch/killer.h"
#include "launch/report.h"
#include "sys/capability.h"
#include "sys/descend.h"
#include "sys/landlock.h"
#include "test/check.h"
#include "test/child.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define FORKERS 20

/* Forks a successor and exits, again and again, always in a session of its own: no process lives for long. */
static void keep_forking(volatile int *beats) {
	for (;;) {
		setsid();
		__atomic_add_fetch(beats, 1, __ATOMIC_RELAXED);
		if (fork() > 0)
			_exit(0);
		pause_ms(1);
	}
}

static volatile int *shared_counter(void) {
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static bool stands_still(volatile int *beats) {
	int before = *beats;
	pause_ms(100);
	return *beats == before;
}

static void kill_a_forking_tree(void) {
	volatile int *beats = shared_counter();
	EXPECT(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	for (int i = 0; i < FORKERS; i++)
		if (fork() == 0)
			keep_forking(beats);
	pause_ms(100);
	EXPECT(!stands_still(beats));
	EXPECT(gk_kill_descendants(0, NULL) == 0);
	EXPECT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	EXPECT(stands_still(beats));
}

static void keep_the_status_of_the_one_watched(void) {
	int status = -1;
	pid_t watched = fork();
	if (watched == 0)
		_exit(42);
	pause_ms(50);
	EXPECT(gk_kill_descendants(watched, &status) == 0);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

/* A killer and forkers inside a border, as at a start; the killer's pipe and its report. */
static void begin_inside(int life[2], volatile int *beats, bool with_border) {
	int pair[2];
	pid_t supervisor = getpid();
	EXPECT(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(life) == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	if (fork() == 0) {
		int border = -1;
		EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		EXPECT(gk_ruleset_open(&(struct gk_restriction){.scoped = GK_SCOPE_SIGNAL}, &border) == 0);
		EXPECT(!with_border || gk_ruleset_enforce(border) == 0);
		close(life[1]);
		if (fork() == 0)
			gk_killer(pair[1], life[0], supervisor);
		for (int i = 0; i < FORKERS && with_border; i++)
			if (fork() == 0)
				keep_forking(beats);
		_exit(0);
	}
	struct gk_report report;
	EXPECT(gk_report_receive(pair[0], &report) == 0 && report.stage == GK_STAGE_KILLER);
	EXPECT((report.error == 0) == with_border);
}

/* A bystander of the same user, which must not be hit. */
static pid_t start_bystander(void) {
	pid_t pid = fork();
	if (pid == 0) {
		pause_ms(5000);
		_exit(0);
	}
	return pid;
}

static void killer_ends_all_inside_and_nobody_else(void) {
	volatile int *beats = shared_counter();
	int life[2];
	pid_t bystander = start_bystander();
	begin_inside(life, beats, true);
	pause_ms(100);
	EXPECT(!stands_still(beats));
	EXPECT(write(life[1], "", 1) == 1);
	pause_ms(200);
	EXPECT(stands_still(beats));
	EXPECT(kill(bystander, SIGKILL) == 0 && waitpid(bystander, NULL, 0) == bystander);
}

static void killer_wakes_when_the_supervisor_is_gone(void) {
	volatile int *beats = shared_counter();
	int life[2];
	begin_inside(life, beats, true);
	pause_ms(50);
	close(life[1]);
	pause_ms(200);
	EXPECT(stands_still(beats));
}

static void killer_refuses_without_a_border(void) {
	int life[2];
	begin_inside(life, shared_counter(), false);
}

static void drop_every_capability(void) {
	bool had;
	EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	EXPECT(gk_drop_capabilities(&had) == 0);
	EXPECT(had == (geteuid() == 0) || geteuid() != 0);
	bool again;
	EXPECT(gk_drop_capabilities(&again) == 0 && !again);
	EXPECT(geteuid() != 0 || prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0);
	/* setuid(0) of root gives nothing back, and root without capabilities cannot become another user. */
	EXPECT(setuid(geteuid()) == 0 && gk_drop_capabilities(&again) == 0 && !again);
	EXPECT(geteuid() != 0 || setuid(65534) < 0);
}

int main(void) {
	CHECK(run_child(kill_a_forking_tree) == 0);
	CHECK(run_child(keep_the_status_of_the_one_watched) == 0);
	CHECK(run_child(killer_ends_all_inside_and_nobody_else) == 0);
	CHECK(run_child(killer_wakes_when_the_supervisor_is_gone) == 0);
	CHECK(run_child(killer_refuses_without_a_border) == 0);
	CHECK(run_child(drop_every_capability) == 0);
	return gk_check_status();
}
