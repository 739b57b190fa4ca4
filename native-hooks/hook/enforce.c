#include "hook/enforce.h"

#include "base/raw.h"
#include "hook/enforce_judge.h"
#include "hook/enforce_offered.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define TMPFILE_BIT 020000000 /* the kernel's __O_TMPFILE; glibc's O_TMPFILE has O_DIRECTORY in it as well */

static int open_missing(int dirfd, const char *path, int flags);
static int judge_access(const struct gk_named *named, int flags);

/* A name that cannot be resolved fails in the kernel for the same reason, and nothing has happened. What is our own trouble (no
 * descriptors, no memory) must not let it through. */
static int as_kernel_says(int error) {
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case EACCES:
	case EBADF:
	case EFAULT:
	case ENAMETOOLONG:
		return 0;
	default:
		return error;
	}
}

static bool reads(int flags) {
	return (flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(int flags) {
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

int gk_enforce_open(int dirfd, const char *path, int flags) {
	return gk_enforce_open_or_offer(dirfd, path, flags, NULL);
}

int gk_enforce_open_or_offer(int dirfd, const char *path, int flags, int *opened) {
	struct gk_named named;
	if (opened != NULL)
		*opened = -1;
	if (!gk_enforce_is_ready())
		return -EACCES;
	if (path == NULL)
		return -EFAULT;
	if (flags & O_PATH)
		return 0; /* opens nothing; what it is used for is judged then */
	if (flags & TMPFILE_BIT)
		return open_missing(dirfd, path, flags);
	int error = gk_name_object(dirfd, path, (flags & O_NOFOLLOW) == 0, &named);
	if (error == -ENOENT && (flags & O_CREAT) != 0)
		return open_missing(dirfd, path, flags);
	if (error < 0)
		return as_kernel_says(error);
	error = judge_access(&named, flags);
	if (error == 0 && opened != NULL && !writes(flags) && (flags & O_DIRECTORY) == 0)
		*opened = gk_enforce_take_offered(gk_named_path(&named), flags);
	return error;
}

static int open_missing(int dirfd, const char *path, int flags) {
	struct gk_named named;
	int error;
	if (flags & TMPFILE_BIT) {
		/* The kernel calls such a file #<inode> in its directory. */
		error = gk_name_object(dirfd, path, (flags & O_NOFOLLOW) == 0, &named);
		if (error == 0 && named.length + 4 > sizeof(named.path))
			error = -ENAMETOOLONG;
		if (error == 0) {
			memcpy(named.path + named.length, "/#0", 4);
			named.length += 3;
		}
	} else {
		error = gk_name_place(dirfd, path, (flags & (O_NOFOLLOW | O_EXCL)) == 0, &named);
	}
	if (error < 0)
		return as_kernel_says(error);
	error = gk_enforce_judge(SYS_openat, GK_ACTION_FILE_WRITE, &named);
	return error == 0 && reads(flags) ? gk_enforce_judge(SYS_openat, GK_ACTION_FILE_READ, &named) : error;
}

static int judge_access(const struct gk_named *named, int flags) {
	int error = reads(flags) ? gk_enforce_judge(SYS_openat, GK_ACTION_FILE_READ, named) : 0;
	return error == 0 && writes(flags) ? gk_enforce_judge(SYS_openat, GK_ACTION_FILE_WRITE, named) : error;
}

int gk_enforce_path(enum gk_action action, int dirfd, const char *path, bool follow) {
	struct gk_named named;
	if (!gk_enforce_is_ready())
		return -EACCES;
	int error = gk_name_object(dirfd, path, follow, &named);
	if (error == -ENOENT && action == GK_ACTION_FILE_WRITE && path != NULL)
		error = gk_name_place(dirfd, path, follow, &named);
	return error < 0 ? as_kernel_says(error) : gk_enforce_judge(-1, action, &named);
}

/* A move takes a name away, lets the file be read at a new one, and makes that one. */
int gk_enforce_rename(int from_dirfd, const char *from, int to_dirfd, const char *to) {
	struct gk_named source, destination;
	if (!gk_enforce_is_ready())
		return -EACCES;
	if (from == NULL || to == NULL)
		return -EFAULT;
	int error = gk_name_object(from_dirfd, from, false, &source);
	if (error < 0)
		return as_kernel_says(error);
	error = gk_name_object(to_dirfd, to, false, &destination);
	bool replaces = error == 0;
	if (error == -ENOENT)
		error = gk_name_place(to_dirfd, to, false, &destination);
	if (error < 0)
		return as_kernel_says(error);
	error = gk_enforce_judge(SYS_renameat2, GK_ACTION_FILE_DELETE, &source);
	if (error == 0)
		error = gk_enforce_judge(SYS_renameat2, GK_ACTION_FILE_READ, &source);
	if (error == 0)
		error = gk_enforce_judge(SYS_renameat2, GK_ACTION_FILE_WRITE, &destination);
	if (error == 0 && replaces)
		error = gk_enforce_judge(SYS_renameat2, GK_ACTION_FILE_DELETE, &destination);
	return error == 0 && S_ISDIR(source.mode) ? gk_enforce_judge_move(&source, &destination) : error;
}

/* A second name carries everything the first one allowed, so it takes the rights to read and to write the file. */
int gk_enforce_link(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags) {
	struct gk_named named;
	if (!gk_enforce_is_ready())
		return -EACCES;
	if (from == NULL || to == NULL)
		return -EFAULT;
	int error = gk_name_object(from_dirfd, from, (flags & AT_SYMLINK_FOLLOW) != 0, &named);
	if (error < 0)
		return as_kernel_says(error);
	error = gk_enforce_judge(SYS_linkat, GK_ACTION_FILE_READ, &named);
	if (error == 0)
		error = gk_enforce_judge(SYS_linkat, GK_ACTION_FILE_WRITE, &named);
	if (error < 0)
		return error;
	error = gk_name_place(to_dirfd, to, false, &named);
	return error < 0 ? as_kernel_says(error) : gk_enforce_judge(SYS_linkat, GK_ACTION_FILE_WRITE, &named);
}

int gk_enforce_exec(int dirfd, const char *path, char *const argv[], char *const envp[], int flags) {
	const long args[6] = {dirfd, (long)path, (long)argv, (long)envp, flags};
	return gk_enforce_judge_call(SYS_execveat, args);
}

/* A socket file is connected to by ourselves where that is plainly allowed, so that who listens sees who it is. */
static int connect_locally(const struct sockaddr *address, socklen_t length) {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1] = {0};
	struct gk_named named;
	size_t header = offsetof(struct sockaddr_un, sun_path);
	const char *name = (const char *)address + header;
	if (length <= header || length - header >= sizeof(path) || name[0] == '\0')
		return -EACCES;
	memcpy(path, name, length - header);
	int error = gk_name_object(AT_FDCWD, path, true, &named);
	return error < 0 ? error : gk_enforce_is_free(GK_ACTION_UNIX_SOCKET, &named) ? 0 : -EACCES;
}

int gk_enforce_connect(int fd, const struct sockaddr *address, socklen_t length) {
	const long args[6] = {fd, (long)address, (long)length};
	if (address != NULL && length >= sizeof(address->sa_family) && address->sa_family == AF_UNIX && connect_locally(address, length) == 0)
		return 0;
	return gk_enforce_judge_call(SYS_connect, args);
}

int gk_enforce_bind(int fd, const struct sockaddr *address, socklen_t length) {
	const long args[6] = {fd, (long)address, (long)length};
	return gk_enforce_judge_call(SYS_bind, args);
}

int gk_enforce_listen(int fd, int backlog) {
	const long args[6] = {fd, backlog};
	return gk_enforce_judge_call(SYS_listen, args);
}

static bool is_connected(int fd) {
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);
	return gk_raw4(SYS_getpeername, fd, (long)&peer, (long)&length, 0) == 0;
}

int gk_enforce_send(int fd, const struct sockaddr *address, socklen_t length) {
	if (!gk_enforce_is_ready())
		return -EACCES;
	if (address == NULL || length < sizeof(address->sa_family))
		return 0;
	switch (address->sa_family) {
	case AF_NETLINK:
		return 0;
	case AF_UNIX:
		return connect_locally(address, length) == 0 ? 0 : -EACCES;
	default: {
		/* A stream that is connected goes where it is connected to; everything else would reach somebody new. */
		int type = 0;
		socklen_t size = sizeof(type);
		gk_raw6(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&size, 0);
		if (type == SOCK_STREAM)
			return is_connected(fd) ? 0 : -EACCES;
		int error = gk_enforce_connect(fd, address, length);
		return error < 0 ? error : -EACCES;
	}
	}
}
