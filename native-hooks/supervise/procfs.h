/* Whose corner of /proc a name lies in. The supervisor looks through its own eyes, so every such name is checked. */
#ifndef GK_SUPERVISE_PROCFS_H
#define GK_SUPERVISE_PROCFS_H

#include "supervise/files.h"

enum gk_procfs_owner {
	GK_PROCFS_GLOBAL,  /* no process: /proc/meminfo, /proc/sys/… */
	GK_PROCFS_OWN,	   /* the caller's own process or one of its threads */
	GK_PROCFS_RUN,	   /* another process of the run */
	GK_PROCFS_FOREIGN, /* any other process, the supervisor and the daemon among them */
	GK_PROCFS_ELSEWHERE, /* a procfs that is not the one at /proc */
};

/* path: canonical text of an object on procfs. *rest is what follows the process directory, without a leading slash. */
enum gk_procfs_owner gk_procfs_owner_of(struct gk_call *call, struct gk_slice path, struct gk_slice *rest);

/* Whether path, canonical and on procfs, names something beneath a process directory. */
bool gk_procfs_in_process(struct gk_slice path);

/* Refuses what the caller may not reach and rewrites names of its own process to /proc/self/…. 0 or -EACCES. */
int gk_procfs_admit(struct gk_call *call, struct gk_object *object) GK_MUST_CHECK;

#endif
