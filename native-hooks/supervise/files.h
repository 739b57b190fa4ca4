/* What the file handlers share: descriptors of our own view, kinds of file systems, identities and terminals of the run. */
#ifndef GK_SUPERVISE_FILES_H
#define GK_SUPERVISE_FILES_H

#include "supervise/judge.h"
#include "supervise/offered.h"
#include "supervise/resolve.h"
#include "supervise/sticky.h"
#include "supervise/supervisor.h"

#include <stdatomic.h>

enum gk_fs_kind {
	GK_FS_LOCAL = 1, /* opening a regular file there does not wait for anybody */
	GK_FS_PROC = 2,
	GK_FS_SLOW = 3, /* network, FUSE, automounter, or a type we do not know */
};

enum { GK_FS_CACHE = 32, GK_FD_NAME = 12, GK_LINKS_MAX = 40, GK_RESTARTS_MAX = 8, GK_RESERVED_NAME = 24 };

struct gk_identities;
struct gk_mounts;
struct gk_git_drafts;
struct gk_terminals;

struct gk_files {
	int root;    /* "/", O_PATH */
	int proc;    /* "/proc", O_PATH */
	int self_fd; /* "/proc/self/fd", O_PATH: names of our own descriptors */
	char reserved[GK_RESERVED_NAME]; /* names that start so are ours for a moment; the run never opens them */
	dev_t memory_device; /* where memfds live: they have no name, whatever the kernel prints for them */
	_Atomic uint64_t fs_cache[GK_FS_CACHE]; /* device << 2 | kind; 0 is empty */
	struct gk_sticky sticky;
	struct gk_offered offered;
	struct gk_identities *identities;
	struct gk_mounts *mounts; /* NULL: no place has two names */
	struct gk_terminals *terminals;
	struct gk_git_drafts *drafts;
};

static inline struct gk_files *gk_files_of(const struct gk_call *call) {
	return call->supervisor->files;
}

/* The name of one of our descriptors beneath files->self_fd. */
void gk_fd_name(int fd, char out[GK_FD_NAME]);
/* The same as an absolute path, for calls that have no at-form. */
enum { GK_FD_PATH = 32 };
void gk_fd_path(int fd, char out[GK_FD_PATH]);

enum gk_fs_kind gk_fs_kind_of(struct gk_files *files, int fd, dev_t device);
/* The same of a device that it was asked for before; else GK_FS_SLOW. */
enum gk_fs_kind gk_fs_kind_known(struct gk_files *files, dev_t device);

/* Whether path's last component is one of ours. */
bool gk_is_reserved(const struct gk_files *files, struct gk_slice path);

/* A path argument, copied once from the caller's memory before anything else is looked at. */
struct gk_path {
	size_t length;
	char text[PATH_MAX];
};
int gk_read_path(struct gk_call *call, uint64_t address, struct gk_path *out) GK_MUST_CHECK;

/* gk_judge_path for an object: a nameless one (a pipe of the run, a memfd) needs no rule, and a file with several links is
 * refused when another name of it is denied. 0, -EACCES, or -ENOENT for a hidden name. */
int gk_judge_object(struct gk_call *call, enum gk_action action, const struct gk_object *object) GK_MUST_CHECK;

/* Gives this thread, which has a file system context of its own, the caller's umask, so that the kernel applies it together
 * with default ACLs exactly as it would for the caller. 0 or -errno. */
int gk_assume_umask(struct gk_call *call) GK_MUST_CHECK;

static inline struct gk_supervisor *gk_mutation_begin(struct gk_supervisor *supervisor) {
	pthread_mutex_lock(&supervisor->mutation);
	atomic_fetch_add(&supervisor->mutations_begun, 1);
	return supervisor;
}
static inline void gk_mutation_end(struct gk_supervisor **supervisor) {
	atomic_fetch_add(&(*supervisor)->mutations_ended, 1);
	pthread_mutex_unlock(&(*supervisor)->mutation);
}
/* Holds the run's mutation lock until the scope ends. */
#define GK_MUTATION_SCOPE(call)                                                                                                  \
	struct gk_supervisor *mutation_scope __attribute__((cleanup(gk_mutation_end), unused)) = gk_mutation_begin((call)->supervisor)

/* Answers 0 or -errno, as every call does that returns nothing else. */
static inline void gk_answer_result(struct gk_call *call, int rc) {
	if (rc < 0)
		gk_answer_error(call, rc);
	else
		gk_answer_value(call, 0);
}

#define GK_AUTO_OBJECT __attribute__((cleanup(gk_object_release)))
#define GK_AUTO_PLACE __attribute__((cleanup(gk_place_release)))

#endif
