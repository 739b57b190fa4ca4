#include "supervise/files.h"

#include "base/decimal.h"
#include "supervise/git_draft.h"
#include "supervise/hide.h"
#include "supervise/identity.h"
#include "supervise/mounts.h"
#include "supervise/region.h"
#include "supervise/terminals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static int drop_capabilities(void);
static int open_own_view(struct gk_files *files);
static int choose_reserved_name(struct gk_files *files);
static unsigned find_fs(struct gk_files *files, dev_t device);
static enum gk_fs_kind classify_fs(int fd);

int gk_files_open(struct gk_supervisor *supervisor) {
	struct gk_files *files = calloc(1, sizeof *files);
	if (files == NULL)
		return -ENOMEM;
	files->root = files->proc = files->self_fd = files->offered.directory = -1;
	int rc = drop_capabilities();
	if (rc == 0)
		rc = open_own_view(files);
	if (rc == 0)
		rc = choose_reserved_name(files);
	if (rc == 0)
		rc = gk_offered_open(supervisor->lent.offered, "/etc", &files->offered);
	if (rc == 0)
		rc = gk_identities_open(&files->identities);
	if (rc == 0)
		rc = gk_mounts_open(&files->mounts);
	if (rc == 0)
		rc = gk_terminals_open(&files->terminals);
	if (rc == 0)
		rc = gk_git_drafts_open(&files->drafts);
	if (rc < 0) {
		if (files->root >= 0)
			close(files->root);
		if (files->proc >= 0)
			close(files->proc);
		if (files->self_fd >= 0)
			close(files->self_fd);
		if (files->offered.directory >= 0)
			close(files->offered.directory);
		free(files->identities);
		gk_mounts_close(files->mounts);
		free(files);
		return rc;
	}
	supervisor->files = files;
	return 0;
}

/* The agent of a root run has no capabilities; a supervisor that kept its own would open for it what it cannot open itself. */
static int drop_capabilities(void) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int open_own_view(struct gk_files *files) {
	files->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	files->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	files->self_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (files->root < 0 || files->proc < 0 || files->self_fd < 0)
		return -errno;
	struct stat st;
	if (fstat(files->proc, &st) < 0)
		return -errno;
	/* Everything about the caller's own view is read through /proc. */
	if (gk_fs_kind_of(files, files->proc, st.st_dev) != GK_FS_PROC)
		return -ENOTSUP;
	GK_AUTO_CLOSE int memory = memfd_create("gk", MFD_CLOEXEC);
	if (memory < 0 || fstat(memory, &st) < 0)
		return -errno;
	files->memory_device = st.st_dev;
	files->sticky = gk_sticky_read();
	return 0;
}

static int choose_reserved_name(struct gk_files *files) {
	uint64_t number;
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return -EIO;
	snprintf(files->reserved, sizeof files->reserved, ".gk-%016llx-", (unsigned long long)number);
	return 0;
}

void gk_fd_name(int fd, char out[GK_FD_NAME]) {
	out[gk_put_decimal(out, (long)(unsigned)fd)] = '\0';
}

void gk_fd_path(int fd, char out[GK_FD_PATH]) {
	static const char prefix[] = "/proc/self/fd/";
	memcpy(out, prefix, sizeof prefix - 1);
	gk_fd_name(fd, out + sizeof prefix - 1);
}

/* Mounts of the run's life hardly change, so the type of each device is asked once. */
enum gk_fs_kind gk_fs_kind_of(struct gk_files *files, int fd, dev_t device) {
	unsigned known = find_fs(files, device);
	if (known != 0)
		return (enum gk_fs_kind)known;
	enum gk_fs_kind kind = classify_fs(fd);
	for (size_t i = 0; i < GK_FS_CACHE; i++) {
		uint64_t empty = 0;
		if (atomic_compare_exchange_strong(&files->fs_cache[i], &empty, (uint64_t)device << 2 | (uint64_t)kind))
			break;
	}
	return kind;
}

enum gk_fs_kind gk_fs_kind_known(struct gk_files *files, dev_t device) {
	unsigned known = find_fs(files, device);
	return known != 0 ? (enum gk_fs_kind)known : GK_FS_SLOW;
}

/* 0 when it was not asked for yet. */
static unsigned find_fs(struct gk_files *files, dev_t device) {
	for (size_t i = 0; i < GK_FS_CACHE; i++) {
		uint64_t entry = atomic_load_explicit(&files->fs_cache[i], memory_order_relaxed);
		if (entry >> 2 == device && entry != 0)
			return entry & 3;
		if (entry == 0)
			break;
	}
	return 0;
}

static enum gk_fs_kind classify_fs(int fd) {
	static const uint32_t local[] = {
		0xef53 /* ext2-4 */, 0x58465342 /* xfs */,    0x9123683e /* btrfs */,	   0x01021994 /* tmpfs */,
		0x794c7630 /* overlay */, 0xf2f52010 /* f2fs */, 0x2fc12fc1 /* zfs */,	   0xca451a4e /* bcachefs */,
		0x858458f6 /* ramfs */, 0x73717368 /* squashfs */, 0xe0f5e1e2 /* erofs */, 0x9660 /* iso9660 */,
		0x4d44 /* vfat */, 0x2011bab0 /* exfat */,    0x7366746e /* ntfs3 */,	   0x62656572 /* sysfs */,
		0x1cd1 /* devpts */, 0x63677270 /* cgroup2 */, 0x27e0eb /* cgroup */,	   0x64626720 /* debugfs */,
		0x74726163 /* tracefs */, 0x73636673 /* securityfs */, 0x958458f6 /* hugetlbfs */, 0x50495045 /* pipefs */,
		0x534f434b /* sockfs */, 0x09041934 /* anon_inode */, 0x52654973 /* reiserfs */, 0x3153464a /* jfs */,
	};
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return GK_FS_SLOW;
	uint32_t magic = (uint32_t)fs.f_type;
	if (magic == PROC_SUPER_MAGIC)
		return GK_FS_PROC;
	for (size_t i = 0; i < GK_COUNT(local); i++)
		if (local[i] == magic)
			return GK_FS_LOCAL;
	return GK_FS_SLOW;
}

int gk_read_path(struct gk_call *call, uint64_t address, struct gk_path *out) {
	return gk_read_string(call, address, out->text, sizeof out->text, &out->length);
}

int gk_judge_object(struct gk_call *call, enum gk_action action, const struct gk_object *object) {
	if (object->length == 0)
		return object->anonymous ? 0 : -EACCES;
	if (gk_is_reserved(gk_files_of(call), gk_object_path(object)))
		return -EACCES;
	int rc = gk_judge_path(call, action, gk_object_path(object));
	if (rc == 0 && S_ISREG(object->stat.st_mode) && object->stat.st_nlink > 1 &&
	    !(action == GK_ACTION_FILE_READ && gk_region_reads(call->supervisor->region, gk_object_path(object))))
		rc = gk_identity_judge(call, action, object);
	return rc == -EACCES && gk_is_hidden(call, gk_object_path(object)) ? -ENOENT : rc;
}

/* A file that we are about to move into a guarded place has a name for a moment. Whoever got hold of it by that name, however
 * late it comes here, must not write to it. */
bool gk_is_reserved(const struct gk_files *files, struct gk_slice path) {
	const uint8_t *slash = memrchr(path.at, '/', path.length);
	if (slash == NULL || slash + 1 == path.at + path.length || slash[1] != '.')
		return false;
	size_t base = path.length - (size_t)(slash + 1 - path.at), prefix = strlen(files->reserved);
	return base > prefix && memcmp(slash + 1, files->reserved, prefix) == 0;
}

int gk_assume_umask(struct gk_call *call) {
	static _Thread_local mode_t current;
	static _Thread_local bool known;
	mode_t mask;
	int rc = gk_caller_umask(call, &mask);
	if (rc < 0)
		return rc;
	if (!known || current != mask)
		umask(mask);
	known = true;
	current = mask;
	return 0;
}
