#include "supervise/git_config.h"

#include "supervise/git_pointer.h"
#include "supervise/git_settings.h"
#include "supervise/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONFIG_MAX = 1 << 20, GUARDS = 1 /* layer of the built-in guards: docs/policy-image.md */ };

struct content {
	uint8_t *bytes; /* owned */
	size_t length;
	mode_t mode;
};

static bool is_config_name(struct gk_slice path);
static int read_content(int directory, const char *name, struct content *out);
static int read_settings(const struct gk_place *place, struct content *content, struct gk_settings *out);
static bool is_fine_worktree(void *context, const char *value);

bool gk_git_config_guarded(struct gk_call *call, struct gk_slice destination) {
	return is_config_name(destination) &&
	       gk_only_guards_deny(gk_current_image(call->supervisor), GK_ACTION_FILE_WRITE, destination);
}

bool gk_git_config_removable(struct gk_call *call, struct gk_slice path) {
	return is_config_name(path) && gk_only_guards_deny(gk_current_image(call->supervisor), GK_ACTION_FILE_DELETE, path);
}

int gk_git_config_judge_mode(struct gk_call *call, struct gk_slice path) {
	return gk_judge_past_guards(call, GK_ACTION_FILE_WRITE, path);
}

/* …/.git/config, …/.git/config.worktree, and the same beneath .git/modules and .git/worktrees */
static bool is_config_name(struct gk_slice path) {
	char text[PATH_MAX];
	if (path.length >= sizeof text)
		return false;
	memcpy(text, path.at, path.length);
	text[path.length] = '\0';
	const char *base = strrchr(text, '/');
	return base != NULL && (strcmp(base, "/config") == 0 || strcmp(base, "/config.worktree") == 0) &&
	       strstr(text, "/.git/") != NULL;
}

bool gk_only_guards_deny(const struct gk_image *image, enum gk_action action, struct gk_slice path) {
	struct gk_verdict verdict = gk_decide_path(image, action, path);
	if (verdict.effect == GK_EFFECT_ALLOW || verdict.rule == GK_NO_RULE ||
	    gk_image_rule(image, verdict.rule).layer != GUARDS)
		return false;
	return gk_decide_path_without(image, action, path, GUARDS).effect == GK_EFFECT_ALLOW;
}

struct place_of {
	struct gk_call *call;
	struct gk_slice path;
};

/* A submodule keeps its configuration with its repository, and says there where its files are. */
static bool is_fine_worktree(void *context, const char *value) {
	const struct place_of *of = context;
	char text[PATH_MAX + sizeof "/.git"];
	size_t length;
	if (gk_pointer_worktree(of->path, value, text, &length) < 0)
		return false;
	GK_AUTO_CLOSE int fd = gk_openat2(gk_files_of(of->call)->root, text, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, GK_RESOLVE_NO_SYMLINKS);
	memcpy(text + length, "/.git", sizeof "/.git");
	struct gk_slice link = gk_slice(text, length + strlen("/.git"));
	return fd >= 0 && gk_decide_path(gk_current_image(of->call->supervisor), GK_ACTION_FILE_WRITE, link).effect == GK_EFFECT_ALLOW;
}

int gk_git_config_copy(struct gk_call *call, const struct gk_place *source, const struct gk_place *destination,
		       char copy[GK_COPY_NAME]) {
	struct gk_subject subject = {.action = GK_ACTION_FILE_WRITE,
				     .target = gk_slice(destination->path, destination->length),
				     .target2 = gk_slice(source->path, source->length)};
	struct content after = {.bytes = NULL}, before = {.bytes = NULL};
	struct gk_settings wanted = {.bytes = NULL}, present = {.bytes = NULL};
	bool fine = read_settings(source, &after, &wanted) == 0;
	struct place_of place_of = {.call = call, .path = subject.target};
	gk_settings_without_worktree(&wanted, is_fine_worktree, &place_of);
	int existing = read_settings(destination, &before, &present);
	fine = fine && (existing == 0 || existing == -ENOENT) && gk_settings_within(&wanted, &present);
	int rc = fine ? gk_judge_past_guards(call, GK_ACTION_FILE_WRITE, subject.target)
		      : gk_refuse(call, &subject, GK_REASON_GIT_CONFIG);
	/* A simulated run goes on after a refusal, if there is anything to go on with. */
	if (rc == 0 && after.bytes == NULL)
		rc = -EACCES;
	if (rc == 0)
		rc = gk_write_copy(gk_files_of(call), destination->parent.fd, gk_slice(after.bytes, after.length), after.mode, copy);
	gk_settings_release(&wanted);
	gk_settings_release(&present);
	free(after.bytes);
	free(before.bytes);
	return rc;
}

int gk_judge_past_guards(struct gk_call *call, enum gk_action action, struct gk_slice path) {
	struct gk_verdict verdict = gk_decide_path(gk_current_image(call->supervisor), action, path);
	verdict.effect = GK_EFFECT_ALLOW;
	verdict.log = true;
	struct gk_subject subject = {.action = action, .target = path};
	return gk_judge_verdict(call, &subject, &verdict);
}

static int read_settings(const struct gk_place *place, struct content *content, struct gk_settings *out) {
	int rc = read_content(place->parent.fd, place->leaf, content);
	return rc < 0 ? rc : gk_settings_parse(gk_slice(content->bytes, content->length), out);
}

static int read_content(int directory, const char *name, struct content *out) {
	GK_AUTO_CLOSE int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX)
		return -EFBIG;
	out->bytes = malloc(CONFIG_MAX + 1);
	if (out->bytes == NULL)
		return -ENOMEM;
	out->mode = st.st_mode & 0777;
	while (out->length <= CONFIG_MAX) {
		ssize_t n = read(fd, out->bytes + out->length, CONFIG_MAX + 1 - out->length);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->length += (size_t)n;
	}
	return -EFBIG;
}

/* Called under the mutation lock, so one name is enough. */
int gk_write_copy(const struct gk_files *files, int directory, struct gk_slice bytes, mode_t mode, char name[GK_COPY_NAME]) {
	snprintf(name, GK_COPY_NAME, "%sconfig", files->reserved);
	GK_AUTO_CLOSE int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int rc = 0;
	for (size_t done = 0; rc == 0 && done < bytes.length;) {
		ssize_t n = write(fd, bytes.at + done, bytes.length - done);
		if (n <= 0)
			rc = n < 0 ? -errno : -EIO;
		else
			done += (size_t)n;
	}
	if (rc == 0 && fchmod(fd, mode) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(directory, name, 0);
	return rc;
}
