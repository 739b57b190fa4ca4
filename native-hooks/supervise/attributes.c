#include "include/gk_dispatch.gen.h"
#include "supervise/metadata.h"

#include <linux/limits.h>
#include <stdlib.h>
#include <sys/xattr.h>

/* struct xattr_args of linux/xattr.h, kernel 6.13 */
struct attribute_args {
	uint64_t value;
	uint32_t size, flags;
};

struct attribute {
	char name[XATTR_NAME_MAX + 2];
	void *value; /* owned; NULL when empty */
	size_t size;
	int flags;
};

static void set_attribute(struct gk_call *call, const struct gk_target *target, uint64_t name, uint64_t value, uint64_t size,
			  int flags);
static void remove_attribute(struct gk_call *call, const struct gk_target *target, uint64_t name);
static int read_name(struct gk_call *call, uint64_t address, char out[XATTR_NAME_MAX + 2]);
static int read_attribute(struct gk_call *call, uint64_t name, uint64_t value, uint64_t size, int flags,
			  struct attribute *out);
static int judge(struct gk_call *call, const struct gk_object *object);

static struct gk_target plain(struct gk_call *call, unsigned lookup) {
	return gk_target_path(AT_FDCWD, call->args[0], lookup);
}

static struct gk_target target_at(struct gk_call *call, unsigned lookup) {
	struct gk_target target = gk_target_path(gk_arg_int(call, 0), call->args[1], lookup);
	target.descriptor_if_empty = (lookup & GK_ALLOW_EMPTY) != 0;
	return target;
}

void gk_do_setxattr(struct gk_call *call) {
	struct gk_target target = plain(call, GK_FOLLOW);
	set_attribute(call, &target, call->args[1], call->args[2], call->args[3], gk_arg_int(call, 4));
}

void gk_do_lsetxattr(struct gk_call *call) {
	struct gk_target target = plain(call, 0);
	set_attribute(call, &target, call->args[1], call->args[2], call->args[3], gk_arg_int(call, 4));
}

void gk_do_fsetxattr(struct gk_call *call) {
	struct gk_target target = gk_target_descriptor(gk_arg_int(call, 0));
	set_attribute(call, &target, call->args[1], call->args[2], call->args[3], gk_arg_int(call, 4));
}

void gk_do_setxattrat(struct gk_call *call) {
	enum { PAGE = 4096 };
	unsigned lookup = 0;
	struct attribute_args args;
	uint64_t size = call->args[5];
	int rc = size < sizeof args ? -EINVAL : size > PAGE ? -E2BIG : 0;
	uint8_t bytes[PAGE];
	if (rc == 0)
		rc = gk_read_memory(call, call->args[4], bytes, (size_t)size);
	for (size_t i = sizeof args; rc == 0 && i < size; i++)
		if (bytes[i] != 0)
			rc = -E2BIG;
	if (rc == 0)
		rc = gk_metadata_lookup(gk_arg_int(call, 2), &lookup);
	if (rc < 0)
		return gk_answer_error(call, rc);
	memcpy(&args, bytes, sizeof args);
	struct gk_target target = target_at(call, lookup);
	set_attribute(call, &target, call->args[3], args.value, args.size, (int)args.flags);
}

void gk_do_removexattr(struct gk_call *call) {
	struct gk_target target = plain(call, GK_FOLLOW);
	remove_attribute(call, &target, call->args[1]);
}

void gk_do_lremovexattr(struct gk_call *call) {
	struct gk_target target = plain(call, 0);
	remove_attribute(call, &target, call->args[1]);
}

void gk_do_fremovexattr(struct gk_call *call) {
	struct gk_target target = gk_target_descriptor(gk_arg_int(call, 0));
	remove_attribute(call, &target, call->args[1]);
}

void gk_do_removexattrat(struct gk_call *call) {
	unsigned lookup = 0;
	int rc = gk_metadata_lookup(gk_arg_int(call, 2), &lookup);
	if (rc < 0)
		return gk_answer_error(call, rc);
	struct gk_target target = target_at(call, lookup);
	remove_attribute(call, &target, call->args[3]);
}

static void set_attribute(struct gk_call *call, const struct gk_target *target, uint64_t name, uint64_t value, uint64_t size,
			  int flags) {
	struct attribute attribute = {.value = NULL};
	GK_AUTO_OBJECT struct gk_object object = {.fd = -1};
	int rc = read_attribute(call, name, value, size, flags, &attribute);
	if (rc == 0)
		rc = gk_target_pin(call, target, &object);
	if (rc == 0)
		rc = judge(call, &object);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0) {
		char path[GK_FD_PATH];
		gk_fd_path(object.fd, path);
		rc = setxattr(path, attribute.name, attribute.value, attribute.size, attribute.flags) < 0 ? -errno : 0;
	}
	free(attribute.value);
	gk_answer_result(call, rc);
}

static void remove_attribute(struct gk_call *call, const struct gk_target *target, uint64_t name) {
	char text[XATTR_NAME_MAX + 2];
	GK_AUTO_OBJECT struct gk_object object = {.fd = -1};
	int rc = read_name(call, name, text);
	if (rc == 0)
		rc = gk_target_pin(call, target, &object);
	if (rc == 0)
		rc = judge(call, &object);
	if (rc == 0 && !gk_call_valid(call))
		rc = -ESRCH;
	if (rc == 0) {
		char path[GK_FD_PATH];
		gk_fd_path(object.fd, path);
		rc = removexattr(path, text) < 0 ? -errno : 0;
	}
	gk_answer_result(call, rc);
}

static int read_name(struct gk_call *call, uint64_t address, char out[XATTR_NAME_MAX + 2]) {
	size_t length;
	int rc = gk_read_string(call, address, out, XATTR_NAME_MAX + 2, &length);
	if (rc == -ENAMETOOLONG || (rc == 0 && (length == 0 || length > XATTR_NAME_MAX)))
		return -ERANGE;
	return rc;
}

/* setxattr_copy() of fs/xattr.c: flags, name, size, value, in this order. */
static int read_attribute(struct gk_call *call, uint64_t name, uint64_t value, uint64_t size, int flags,
			  struct attribute *out) {
	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	int rc = read_name(call, name, out->name);
	if (rc < 0)
		return rc;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	out->flags = flags;
	out->size = (size_t)size;
	if (size == 0)
		return 0;
	out->value = malloc((size_t)size);
	return out->value == NULL ? -ENOMEM : gk_read_memory(call, value, out->value, (size_t)size);
}

/* cp and tar carry attributes over where they can and shrug at "not supported"; only a rule that names the file is worth
 * an error that they report. */
static int judge(struct gk_call *call, const struct gk_object *object) {
	if (object->length == 0)
		return gk_judge_change(call, object, EACCES);
	struct gk_verdict verdict =
		gk_decide_path(gk_current_image(call->supervisor), GK_ACTION_FILE_WRITE, gk_object_path(object));
	return gk_judge_change(call, object, verdict.source == GK_SOURCE_DEFAULT ? EOPNOTSUPP : EACCES);
}
