#include "supervise/identity.h"

#include "supervise/names.h"
#include "supervise/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

/* A denied file that has other names. */
struct denied {
	dev_t device;
	ino_t inode;
	uint8_t actions; /* 1 << action */
};

/* A file with several links that was found to have no denied name; any new link changes its change time. */
struct clean {
	dev_t device;
	ino_t inode;
	struct timespec changed;
};

enum {
	CLEAN_SLOTS = 8192,
	NAMES_MAX = 1000000,
	STALE_SECONDS = 3,
	/* Inode times come from a clock that ticks at most every 10 ms. */
	CLOCK_SLACK_NS = 20 * 1000 * 1000,
	READ = 0,
	WRITE = 1,
};

struct gk_identities {
	pthread_mutex_t lock;
	const struct gk_image *image; /* what the rest was found with */
	uint8_t ruled;		      /* actions that some rule is strict about */
	bool walked, complete;
	bool shut; /* names may lie in directories that could not be read: those that were found are counted */
	struct gk_names names;
	struct timespec started;   /* real time: compared with change times */
	struct timespec ended;	   /* monotonic */
	double took;
	struct denied *denied;
	size_t count, capacity;
	struct clean clean[CLEAN_SLOTS];
};

static bool is_known(struct gk_identities *ids, const struct gk_object *object);
static bool is_searched(const struct gk_image *image, struct gk_slice path);
static int judge_locked(struct gk_call *call, struct gk_identities *ids, enum gk_action action, const struct gk_object *object);
static bool is_settled(const struct gk_call *call, const struct gk_object *object);
static bool is_of_the_system(const struct gk_call *call, struct gk_slice path);
static void take_image(struct gk_identities *ids, const struct gk_image *image);
static bool is_clean(const struct gk_identities *ids, const struct stat *st);
static void set_clean(struct gk_identities *ids, const struct stat *st);
static bool walk_is_due(struct gk_identities *ids, const struct gk_object *object);
static bool older_than_walk(const struct gk_identities *ids, const struct stat *st);
static void walk_roots(struct gk_call *call, struct gk_identities *ids);
static int walk_all(struct gk_identities *ids, gk_tree_visit *each);
static int walk_root(struct gk_identities *ids, struct gk_slice root, gk_tree_visit *each);
static bool is_beneath_earlier(const struct gk_image *image, enum gk_root root);
static int visit(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at);
static gk_tree_visit visit_and_count;
static int add_denied(struct gk_identities *ids, const struct stat *st, uint8_t actions);
static bool is_denied(const struct gk_identities *ids, const struct stat *st, enum gk_action action);
static double seconds_since(const struct timespec *then);

int gk_identities_open(struct gk_identities **out) {
	struct gk_identities *ids = calloc(1, sizeof *ids);
	if (ids == NULL)
		return -ENOMEM;
	pthread_mutex_init(&ids->lock, NULL);
	*out = ids;
	return 0;
}

/* While the tree is walked the run must not move a name from where the walk has yet to come to where it has been. */
int gk_identity_judge(struct gk_call *call, enum gk_action action, const struct gk_object *object) {
	if (is_settled(call, object))
		return 0;
	struct gk_identities *ids = gk_files_of(call)->identities;
	pthread_mutex_lock(&ids->lock);
	take_image(ids, gk_current_image(call->supervisor));
	bool known = !(ids->ruled & 1U << action) || is_clean(ids, &object->stat);
	pthread_mutex_unlock(&ids->lock);
	if (known)
		return 0;
	GK_MUTATION_SCOPE(call);
	pthread_mutex_lock(&ids->lock);
	int refusal = judge_locked(call, ids, action, object);
	pthread_mutex_unlock(&ids->lock);
	if (refusal == 0)
		return 0;
	struct gk_subject subject = {.action = action, .target = gk_object_path(object)};
	return gk_refuse(call, &subject, (enum gk_reason)refusal);
}

/* The reason to refuse, or 0. */
static int judge_locked(struct gk_call *call, struct gk_identities *ids, enum gk_action action, const struct gk_object *object) {
	const struct stat *st = &object->stat;
	take_image(ids, gk_current_image(call->supervisor));
	if (!(ids->ruled & 1U << action) || is_clean(ids, st))
		return 0;
	if (walk_is_due(ids, object))
		walk_roots(call, ids);
	if (is_denied(ids, st, action))
		return GK_REASON_DENIED_IDENTITY;
	if (!is_known(ids, object))
		return GK_REASON_RESOURCES;
	if (older_than_walk(ids, st) && !is_denied(ids, st, GK_ACTION_FILE_READ) && !is_denied(ids, st, GK_ACTION_FILE_WRITE))
		set_clean(ids, st);
	return 0;
}

/* Whether the walk can tell: it saw all directories, or at least all names of this file. The name that is judged is one more when it lies
 * where nothing was searched. */
static bool is_known(struct gk_identities *ids, const struct gk_object *object) {
	size_t own = is_searched(ids->image, gk_object_path(object)) ? 0 : 1;
	return ids->complete && (!ids->shut || gk_names_count(&ids->names, &object->stat) + own >= object->stat.st_nlink);
}

static bool is_searched(const struct gk_image *image, struct gk_slice path) {
	for (unsigned root = GK_ROOT_HOME; root <= GK_ROOT_TMP_REAL; root++) {
		struct gk_slice at = gk_image_root(image, (enum gk_root)root);
		if (at.length > 0 && at.length <= path.length && memcmp(at.at, path.at, at.length) == 0)
			return true; /* also a neighbour whose name begins alike: then nothing is added */
	}
	return false;
}

void gk_identity_linked(struct gk_call *call, const struct gk_object *object) {
	struct gk_identities *ids = gk_files_of(call)->identities;
	struct stat now;
	if (fstat(object->fd, &now) < 0)
		return;
	pthread_mutex_lock(&ids->lock);
	take_image(ids, gk_current_image(call->supervisor));
	/* More names than the judged one and this one: somebody else's link may be among them. */
	if (now.st_nlink == object->stat.st_nlink + 1 && (object->stat.st_nlink <= 1 || is_clean(ids, &object->stat)))
		set_clean(ids, &now);
	pthread_mutex_unlock(&ids->lock);
}

/* Programs of the system have many names (git, perl; in containers most libraries). An ordinary user cannot give a file of root's
 * that it may not write another name (fs.protected_hardlinks), so none of them is a secret of the user's. Root can; in its runs
 * the same is held of the system's own directories, as long as the policy lets nothing be put there. */
static bool is_settled(const struct gk_call *call, const struct gk_object *object) {
	if (object->stat.st_uid != 0 || (object->stat.st_mode & S_IWOTH))
		return false;
	return call->supervisor->uid != 0 || is_of_the_system(call, gk_object_path(object));
}

static bool is_of_the_system(const struct gk_call *call, struct gk_slice path) {
	static const char *const trees[] = {"/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/"};
	for (size_t i = 0; i < GK_COUNT(trees); i++) {
		size_t length = strlen(trees[i]);
		if (path.length > length && memcmp(path.at, trees[i], length) == 0)
			return gk_decide_path(gk_current_image(call->supervisor), GK_ACTION_FILE_WRITE, path).effect ==
			       GK_EFFECT_DENY;
	}
	return false;
}

static void take_image(struct gk_identities *ids, const struct gk_image *image) {
	if (ids->image == image)
		return;
	ids->image = image;
	ids->walked = ids->complete = false;
	ids->count = 0;
	memset(ids->clean, 0, sizeof ids->clean);
	ids->ruled = 0;
	for (uint32_t i = 0; i < gk_image_rule_count(image); i++) {
		struct gk_rule_view rule = gk_image_rule(image, i);
		if (rule.effect != GK_EFFECT_ALLOW)
			ids->ruled |= (uint8_t)(1U << rule.action);
	}
}

static struct clean *slot_of(const struct gk_identities *ids, const struct stat *st) {
	uint64_t hash = ((uint64_t)st->st_ino * 0x9e3779b97f4a7c15U) ^ (uint64_t)st->st_dev;
	return (struct clean *)&ids->clean[(hash >> 40) % CLEAN_SLOTS];
}

static bool is_clean(const struct gk_identities *ids, const struct stat *st) {
	const struct clean *slot = slot_of(ids, st);
	return slot->inode == st->st_ino && slot->device == st->st_dev && slot->changed.tv_sec == st->st_ctim.tv_sec &&
	       slot->changed.tv_nsec == st->st_ctim.tv_nsec;
}

static void set_clean(struct gk_identities *ids, const struct stat *st) {
	*slot_of(ids, st) = (struct clean){.device = st->st_dev, .inode = st->st_ino, .changed = st->st_ctim};
}

/* A walk that began after the file last changed saw all its names. A younger file asks for a new walk, but not more often
 * than they are worth: the run cannot link a denied file itself. */
static bool walk_is_due(struct gk_identities *ids, const struct gk_object *object) {
	if (!ids->walked)
		return true;
	if (older_than_walk(ids, &object->stat) && is_known(ids, object))
		return false;
	double age = seconds_since(&ids->ended);
	return age > STALE_SECONDS && age > 5 * ids->took;
}

static bool older_than_walk(const struct gk_identities *ids, const struct stat *st) {
	struct timespec limit = ids->started;
	limit.tv_nsec -= CLOCK_SLACK_NS;
	if (limit.tv_nsec < 0) {
		limit.tv_nsec += 1000000000;
		limit.tv_sec--;
	}
	return ids->walked && (st->st_ctim.tv_sec < limit.tv_sec ||
			       (st->st_ctim.tv_sec == limit.tv_sec && st->st_ctim.tv_nsec < limit.tv_nsec));
}

static void walk_roots(struct gk_call *call, struct gk_identities *ids) {
	struct timespec begin;
	clock_gettime(CLOCK_REALTIME, &ids->started);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	ids->count = 0;
	ids->shut = false;
	int rc = walk_all(ids, visit);
	/* Seldom: the second look costs a question for every file. */
	if (rc == 0 && ids->shut) {
		gk_names_clear(&ids->names);
		rc = walk_all(ids, visit_and_count);
		gk_names_sort(&ids->names);
	}
	ids->complete = rc == 0;
	if (rc < 0)
		gk_note(call, "identity-walk", gk_slice_of("the search for other names of denied files did not end"));
	ids->took = seconds_since(&begin);
	clock_gettime(CLOCK_MONOTONIC, &ids->ended);
	ids->walked = true;
}

static int walk_all(struct gk_identities *ids, gk_tree_visit *each) {
	static const enum gk_root roots[] = {GK_ROOT_WORKSPACE_REAL, GK_ROOT_HOME_REAL, GK_ROOT_TMP_REAL};
	int rc = 0;
	for (size_t i = 0; i < GK_COUNT(roots) && rc == 0; i++)
		if (!is_beneath_earlier(ids->image, roots[i]))
			rc = walk_root(ids, gk_image_root(ids->image, roots[i]), each);
	return rc;
}

/* The device of a root; 0 when there is none. */
static dev_t device_of(struct gk_slice root) {
	char path[PATH_MAX];
	struct stat st;
	if (root.length == 0 || root.length >= sizeof path)
		return 0;
	memcpy(path, root.at, root.length);
	path[root.length] = '\0';
	return stat(path, &st) == 0 ? st.st_dev : 0;
}

/* Whether another root contains this one, so that it is walked with that: walks do not enter other devices. Of equal roots the
 * first counts. */
static bool is_beneath_earlier(const struct gk_image *image, enum gk_root root) {
	static const enum gk_root all[] = {GK_ROOT_WORKSPACE_REAL, GK_ROOT_HOME_REAL, GK_ROOT_TMP_REAL};
	struct gk_slice inner = gk_image_root(image, root);
	for (size_t i = 0; i < GK_COUNT(all); i++) {
		struct gk_slice outer = gk_image_root(image, all[i]);
		if (all[i] == root || outer.length == 0 || outer.length > inner.length ||
		    memcmp(outer.at, inner.at, outer.length) != 0 || device_of(outer) != device_of(inner))
			continue;
		if (outer.length == inner.length ? all[i] == GK_ROOT_WORKSPACE_REAL ||
							   (all[i] == GK_ROOT_HOME_REAL && root == GK_ROOT_TMP_REAL)
						 : outer.at[outer.length - 1] == '/' || inner.at[outer.length] == '/')
			return true;
	}
	return false;
}

static int walk_root(struct gk_identities *ids, struct gk_slice root, gk_tree_visit *each) {
	char path[PATH_MAX];
	if (root.length == 0)
		return 0;
	if (root.length >= sizeof path)
		return -ENAMETOOLONG;
	memcpy(path, root.at, root.length);
	path[root.length] = '\0';
	GK_AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	struct gk_tree_name at = {.length = root.length};
	gk_cursor_start(ids->image, GK_ACTION_FILE_READ, &at.cursor[READ]);
	gk_cursor_start(ids->image, GK_ACTION_FILE_WRITE, &at.cursor[WRITE]);
	for (int i = 0; i < GK_TREE_CURSORS; i++)
		gk_cursor_feed(ids->image, &at.cursor[i], root);
	struct gk_tree tree = {.image = ids->image, .visit = each, .context = ids, .names_left = NAMES_MAX,
			       .device = st.st_dev, .skip_unreadable = true};
	int rc = gk_tree_walk(&tree, fd, &at);
	ids->shut |= tree.shut;
	return rc;
}

/* What no rule mentions is denied everywhere by the default; only what a rule names has an identity worth guarding. That a person allowed it for a
 * while does not change what the file is. */
static bool is_guarded(const struct gk_image *image, const struct gk_verdict *verdict) {
	if (verdict->source == GK_SOURCE_DEFAULT)
		return false;
	return verdict->effect != GK_EFFECT_ALLOW || gk_image_rule(image, verdict->rule).layer == GK_LAYER_GRANTS;
}

static uint8_t strict_actions(const struct gk_image *image, const struct gk_tree_name *at) {
	struct gk_verdict read = gk_cursor_verdict(image, &at->cursor[READ]);
	struct gk_verdict write = gk_cursor_verdict(image, &at->cursor[WRITE]);
	uint8_t actions = 0;
	if (is_guarded(image, &read))
		actions |= 1U << GK_ACTION_FILE_READ;
	if (is_guarded(image, &write))
		actions |= 1U << GK_ACTION_FILE_WRITE;
	return actions;
}

static int visit(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at) {
	struct gk_identities *ids = context;
	if (type == DT_DIR)
		return 1;
	if (type != DT_REG)
		return 0;
	uint8_t actions = strict_actions(ids->image, at);
	struct stat st;
	if (actions == 0)
		return 0;
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		ids->shut |= errno == EACCES; /* a directory that may be listed but not searched */
		return 0;
	}
	return S_ISREG(st.st_mode) && st.st_nlink > 1 ? add_denied(ids, &st, actions) : 0;
}

static int visit_and_count(void *context, int directory, const char *name, unsigned char type, const struct gk_tree_name *at) {
	struct gk_identities *ids = context;
	struct stat st;
	int rc = visit(context, directory, name, type, at);
	if (rc != 0 || type != DT_REG || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_nlink < 2)
		return rc;
	return gk_names_add(&ids->names, &st);
}

static int add_denied(struct gk_identities *ids, const struct stat *st, uint8_t actions) {
	if (ids->count == ids->capacity) {
		size_t capacity = ids->capacity == 0 ? 64 : ids->capacity * 2;
		struct denied *grown = reallocarray(ids->denied, capacity, sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		ids->denied = grown;
		ids->capacity = capacity;
	}
	ids->denied[ids->count++] = (struct denied){.device = st->st_dev, .inode = st->st_ino, .actions = actions};
	return 0;
}

static bool is_denied(const struct gk_identities *ids, const struct stat *st, enum gk_action action) {
	for (size_t i = 0; i < ids->count; i++)
		if (ids->denied[i].inode == st->st_ino && ids->denied[i].device == st->st_dev &&
		    (ids->denied[i].actions & 1U << action))
			return true;
	return false;
}

static double seconds_since(const struct timespec *then) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}
