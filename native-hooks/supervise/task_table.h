/* What task.c keeps for the run, for the files that judge and verify spawns. */
#ifndef GK_SUPERVISE_TASK_TABLE_H
#define GK_SUPERVISE_TASK_TABLE_H

#include "supervise/cover.h"
#include "supervise/expect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define GK_LOADERS_KEPT 16
#define GK_THREADS_CACHED 4096

struct gk_tasks {
	struct gk_expectations *expectations;
	struct gk_cover *cover;
	atomic_bool typed_open; /* the first process has not become what the user typed yet */
	pid_t typed_process;
	char typed_path[PATH_MAX]; /* canonical, or a bare name */
	/* Files that programs named as their loader; running one directly runs any file. */
	pthread_mutex_t loaders_lock;
	size_t loaders_next;
	struct {
		dev_t device;
		ino_t inode;
	} loaders[GK_LOADERS_KEPT];
	/* tid << 32 | tgid of threads that are not their group's leader; checked whenever it is used. */
	_Atomic uint64_t threads[GK_THREADS_CACHED];
};

void gk_loaders_add(struct gk_tasks *tasks, const struct stat *loader);
bool gk_loaders_have(struct gk_tasks *tasks, const struct stat *file);

/* Whether this exec by process of the file with that canonical path is what the user typed. */
bool gk_task_is_typed(struct gk_tasks *tasks, pid_t process, struct gk_slice program);

/* Checks what became of the calling process's approved exec. 0, or -errno: the run is being killed, or the caller is gone. */
int gk_verify_exec(struct gk_call *call) GK_MUST_CHECK;

#endif
