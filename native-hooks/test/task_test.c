/* Bookkeeping of spawns: what is expected of whom, who is vouched for, who belongs to the run. */
#include "supervise/supervisor.h"
#include "supervise/task.h"
#include "supervise/task_table.h"
#include "test/check.h"
#include "test/child.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

static struct gk_supervisor supervisor;

static pid_t start_idle(void) {
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	return child;
}

static void stop(pid_t child) {
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void expectations_are_kept_by_thread_and_process(void) {
	struct gk_expectations *all;
	struct gk_expectation found;
	CHECK(gk_expectations_open(&all) == 0);
	pid_t child = start_idle();
	struct gk_expectation first = {.tgid = child, .tid = child, .inode = 1}, second = {.tgid = child, .tid = child + 1, .inode = 2};
	CHECK(!gk_expectations_next(all, child, 0, &found));
	CHECK(gk_expectations_add(all, &first) == 0 && gk_expectations_add(all, &second) == 0);
	CHECK(gk_expectations_next(all, child, 0, &found) && found.inode == 1);
	CHECK(gk_expectations_next(all, child, found.serial, &found) && found.inode == 2);
	CHECK(!gk_expectations_next(all, child, found.serial, &found));
	CHECK(!gk_expectations_next(all, getpid(), 0, &found));
	/* The same thread again: its former exec failed. */
	first.inode = 3;
	CHECK(gk_expectations_add(all, &first) == 0);
	CHECK(gk_expectations_next(all, child, 0, &found) && found.inode == 2);
	gk_expectations_drop(all, child, child + 1);
	CHECK(gk_expectations_next(all, child, 0, &found) && found.inode == 3);
	stop(child);
	CHECK(!gk_expectations_next(all, child, 0, &found)); /* the number may be another's now */
	CHECK(gk_expectations_add(all, &first) == -ESRCH);
	gk_expectations_close(all);
}

static void cover_is_bounded_and_forgets_the_dead_first(void) {
	struct gk_cover *cover;
	struct gk_birthmark mark = {.words = {1}}, other = {.words = {2}};
	CHECK(gk_cover_open(&cover) == 0);
	CHECK(!gk_cover_has(cover, &mark));
	gk_cover_add(cover, &mark, getpid());
	CHECK(gk_cover_has(cover, &mark) && !gk_cover_has(cover, &other));
	pid_t gone = start_idle();
	stop(gone);
	for (uint64_t i = 0; i < 400000; i++)
		gk_cover_add(cover, &(struct gk_birthmark){.words = {3, i}}, gone);
	CHECK(gk_cover_has(cover, &mark));
	gk_cover_close(cover);
}

static int ready[2];
static pid_t thread_id;

static void *call_from_thread(void *unused) {
	(void)unused;
	thread_id = (pid_t)syscall(SYS_gettid);
	CHECK(write(ready[1], "", 1) == 1);
	pause();
	return NULL;
}

static void a_thread_is_led_back_to_its_process(void) {
	pthread_t thread;
	char byte;
	CHECK(pipe(ready) == 0 && pthread_create(&thread, NULL, call_from_thread, NULL) == 0 && read(ready[0], &byte, 1) == 1);
	for (int i = 0; i < 2; i++) { /* read, then remembered */
		struct gk_call call = {.supervisor = &supervisor, .tid = thread_id, .proc = -1};
		CHECK(gk_task_arrive(&call) == 0 && call.tgid == getpid());
	}
	struct gk_call leader = {.supervisor = &supervisor, .tid = getpid(), .proc = -1};
	CHECK(gk_task_arrive(&leader) == 0 && leader.tgid == getpid());
	pid_t gone = start_idle();
	stop(gone);
	struct gk_call nobody = {.supervisor = &supervisor, .tid = gone, .proc = -1};
	CHECK(gk_task_arrive(&nobody) == -ESRCH);
}

static void only_filtered_descendants_belong_to_the_run(void) {
	supervisor.supervisor_pid = getpid();
	pid_t helper = start_idle();
	CHECK(!gk_task_in_run(&supervisor, helper)); /* a child, but no filter holds it */
	CHECK(!gk_task_in_run(&supervisor, getpid()) && !gk_task_in_run(&supervisor, 1) && !gk_task_in_run(&supervisor, getppid()));
	CHECK(!gk_task_in_run(&supervisor, 0) && !gk_task_in_run(&supervisor, -1));
	stop(helper);
}

static void a_tracer_is_known_by_its_tracee(void) {
	pid_t child = start_idle();
	CHECK(gk_task_tracer(child) == 0);
	CHECK(ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0);
	CHECK(gk_task_tracer(child) == (pid_t)syscall(SYS_gettid));
	CHECK(gk_task_tracer(0) == 0 && gk_task_tracer(-1) == 0);
	stop(child);
	CHECK(gk_task_tracer(child) == 0);
}

static void what_the_user_typed_is_known_by_process_and_file(void) {
	struct gk_tasks *tasks = supervisor.tasks;
	CHECK(!gk_task_is_typed(tasks, 7, gk_slice_of("/usr/bin/x")));
	gk_tasks_typed(&supervisor, 7, "/usr/bin/x");
	CHECK(gk_task_is_typed(tasks, 7, gk_slice_of("/usr/bin/x")));
	CHECK(!gk_task_is_typed(tasks, 8, gk_slice_of("/usr/bin/x")));
	CHECK(!gk_task_is_typed(tasks, 7, gk_slice_of("/tmp/x")));
}

static void loaders_are_remembered_by_identity(void) {
	struct stat one = {.st_dev = 1, .st_ino = 2}, two = {.st_dev = 2, .st_ino = 2};
	CHECK(!gk_loaders_have(supervisor.tasks, &one));
	gk_loaders_add(supervisor.tasks, &one);
	CHECK(gk_loaders_have(supervisor.tasks, &one) && !gk_loaders_have(supervisor.tasks, &two));
	struct stat system, made_up = {.st_dev = 3};
	CHECK(stat("/lib64/ld-linux-x86-64.so.2", &system) == 0 && gk_loaders_have(supervisor.tasks, &system));
	for (made_up.st_ino = 1; made_up.st_ino < 100; made_up.st_ino++)
		gk_loaders_add(supervisor.tasks, &made_up);
	CHECK(gk_loaders_have(supervisor.tasks, &system) && !gk_loaders_have(supervisor.tasks, &one));
}

int main(void) {
	CHECK(gk_tasks_open(&supervisor) == 0);
	expectations_are_kept_by_thread_and_process();
	cover_is_bounded_and_forgets_the_dead_first();
	a_thread_is_led_back_to_its_process();
	only_filtered_descendants_belong_to_the_run();
	a_tracer_is_known_by_its_tracee();
	what_the_user_typed_is_known_by_process_and_file();
	loaders_are_remembered_by_identity();
	return gk_check_status();
}
