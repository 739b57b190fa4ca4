/* A run in small for tests: the real loop and file handlers with a policy of a few patterns, without daemon, Landlock floor
 * or spawn rules. */
#ifndef GK_TEST_FILES_RUN_H
#define GK_TEST_FILES_RUN_H

#include "include/gk_dispatch.gen.h"
#include "supervise/files.h"
#include "supervise/loop.h"
#include "supervise/pool.h"
#include "sys/notify.h"
#include "test/image_builder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FILE_CALLS(X)                                                                                                            \
	X(creat) X(openat2) X(unlink) X(unlinkat) X(rmdir) X(rename) X(renameat) X(renameat2) X(link) X(linkat)          \
	X(symlink) X(symlinkat) X(mkdir) X(mkdirat) X(mknod) X(mknodat) X(truncate) X(chmod) X(fchmod) X(fchmodat) X(fchmodat2)  \
	X(chown) X(fchown) X(lchown) X(fchownat) X(utime) X(utimes) X(futimesat) X(utimensat) X(setxattr) X(lsetxattr)           \
	X(fsetxattr) X(removexattr) X(lremovexattr) X(fremovexattr) X(setxattrat) X(removexattrat)

enum { RUN_DENY_MAX = 8 };

/* Everything is allowed but what these patterns match. guarded: writing and deleting, by a rule of the built-in guards. */
struct run_policy {
	const char *deny_read[RUN_DENY_MAX], *deny_write[RUN_DENY_MAX], *deny_delete[RUN_DENY_MAX], *guarded[RUN_DENY_MAX];
	const char *offered, *system; /* what is read in place of what lies in system; NULL: nothing */
	const char *root; /* workspace, home and tmp at once; NULL: none that exists */
};

TEST_INLINE void run_image(const struct run_policy *policy, const struct gk_image **out) {
	enum { GUARDS, OWN };
	struct builder b;
	build_begin(&b);
	for (unsigned i = 0; i < GK_ACTION_COUNT; i++)
		b.actions[i].effect = GK_EFFECT_ALLOW;
	const char *root = policy->root != NULL ? policy->root : "/nonexistent";
	b.section[GK_SECTION_ROOTS].length = 0;
	for (int i = 0; i < 6; i++) {
		struct gk_text_record text = build_text(&b, root);
		bytes_add(&b.section[GK_SECTION_ROOTS], &text, sizeof(text));
	}
	build_file(&b, 1, 0);
	build_file(&b, 3, 0);
	for (int i = 0; i < RUN_DENY_MAX; i++) {
		if (policy->guarded[i] != NULL) {
			build_path(&b, GK_ACTION_FILE_WRITE, GK_EFFECT_DENY, 0, GUARDS, policy->guarded[i]);
			build_path(&b, GK_ACTION_FILE_DELETE, GK_EFFECT_DENY, 0, GUARDS, policy->guarded[i]);
		}
		if (policy->deny_read[i] != NULL)
			build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, OWN, policy->deny_read[i]);
		if (policy->deny_write[i] != NULL)
			build_path(&b, GK_ACTION_FILE_WRITE, GK_EFFECT_DENY, 0, OWN, policy->deny_write[i]);
		if (policy->deny_delete[i] != NULL)
			build_path(&b, GK_ACTION_FILE_DELETE, GK_EFFECT_DENY, 0, OWN, policy->deny_delete[i]);
	}
	struct bytes bytes = build_end(&b); /* kept: the image lies in it */
	struct gk_image *image;
	const char *why = "";
	if (gk_image_over(bytes.at, bytes.length, &image, &why) < 0) {
		fprintf(stderr, "image: %s\n", why);
		exit(125);
	}
	*out = image;
}

/* File calls are put before the supervisor, opens with O_PATH excepted, as the product's filter has it. */
TEST_INLINE int run_filter(void) {
	static const uint32_t numbers[] = {
#define ROW(name) GK_NR_##name,
		FILE_CALLS(ROW)
#undef ROW
	};
	struct sock_filter program[2 * GK_COUNT(numbers) + 16];
	size_t n = 0;
	program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	static const struct { uint32_t number, flags; } opens[] = {{GK_NR_openat, 2}, {GK_NR_open, 1}};
	for (size_t i = 0; i < GK_COUNT(opens); i++) {
		size_t flags = offsetof(struct seccomp_data, args) + opens[i].flags * sizeof(uint64_t);
		program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, opens[i].number, 0, 4);
		program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)flags);
		program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_PATH, 0, 1);
		program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	for (size_t i = 0; i < GK_COUNT(numbers); i++) {
		program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i], 0, 1);
		program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	int listener;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || gk_notify_install(program, n, &listener) < 0 ? -1 : listener;
}

TEST_INLINE void run_child(int channel, int (*body)(void *), void *context) {
	int listener = run_filter();
	char go;
	if (listener < 0 || write(channel, &listener, sizeof(listener)) != sizeof(listener) || read(channel, &go, 1) != 1)
		_exit(125);
	close(listener);
	close(channel);
	int status = body(context);
	fflush(NULL);
	_exit(status);
}

/* Runs body in a supervised child and returns its status as a shell would give it. Call it once a process. */
TEST_INLINE int run_supervised(const struct run_policy *policy, int (*body)(void *), void *context) {
	static struct gk_supervisor supervisor = {.mutation = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, .run = "test"};
	char directory[] = "/tmp/gk-files-XXXXXX";
	int pair[2], number;
	const struct gk_image *image;
	run_image(policy, &image);
	atomic_store(&supervisor.image, image);
	supervisor.uid = getuid();
	supervisor.gid = getgid();
	supervisor.supervisor_pid = getpid();
	int where = mkdtemp(directory) == NULL ? -1 : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (where < 0 || gk_journal_open(where, gk_slice_of("test"), &supervisor.journal) < 0 ||
	    gk_tasks_open(&supervisor) < 0 || gk_files_open(&supervisor) < 0 ||
	    (policy->offered != NULL && gk_offered_open(policy->offered, policy->system, &supervisor.files->offered) < 0) ||
	    gk_network_open(&supervisor, 0, 0) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 125;
	unlinkat(where, "journal-000001", 0);
	rmdir(directory);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		run_child(pair[1], body, context);
	supervisor.first_pid = pid;
	if (read(pair[0], &number, sizeof(number)) != sizeof(number))
		return 125;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	supervisor.listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	gk_pool_open();
	if (supervisor.listener < 0 || gk_loop_start(&supervisor) < 0 ||
	    write(pair[0], "x", 1) != 1)
		return 125;
	int status;
	while (waitpid(pid, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
