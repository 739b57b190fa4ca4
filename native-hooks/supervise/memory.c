#include "supervise/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define NR_PIDFD_GETFD 438
#define PIDFD_THREAD O_EXCL /* Linux 6.9: the very thread, whose descriptor table may differ from its leader's */
#define PAGE 4096UL

/* Most paths are shorter; what lies behind them is not worth copying. */
#define CHUNK 512UL

/* Within one page, so that a string which ends before an unmapped page is still read. */
static size_t next_chunk(uint64_t address, size_t length) {
	size_t rest = PAGE - (size_t)(address & (PAGE - 1)), chunk = rest < CHUNK ? rest : CHUNK;
	return length < chunk ? length : chunk;
}

/* Bytes copied, or -EFAULT, -ESRCH, or -EPERM when the kernel does not let us read the caller. */
static ssize_t copy(const struct gk_call *call, uint64_t address, void *out, size_t length) {
	struct iovec local = {.iov_base = out, .iov_len = length};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
	ssize_t copied;
	do
		copied = process_vm_readv(call->tid, &local, 1, &remote, 1, 0);
	while (copied < 0 && errno == EINTR && gk_call_valid(call));
	if (copied < 0)
		return -errno;
	return copied == 0 && length > 0 ? -EFAULT : copied;
}

int gk_read_memory(struct gk_call *call, uint64_t address, void *out, size_t length) {
	uint8_t *at = out;
	while (length > 0) {
		ssize_t copied = copy(call, address, at, length);
		if (copied < 0)
			return gk_call_valid(call) ? (int)copied : -ESRCH;
		at += copied;
		address += (uint64_t)copied;
		length -= (size_t)copied;
	}
	/* The number may have passed to another thread before the copy; then what was copied is not the caller's. */
	return gk_call_valid(call) ? 0 : -ESRCH;
}

int gk_write_memory(struct gk_call *call, uint64_t address, const void *bytes, size_t length) {
	struct iovec local = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
	ssize_t copied;
	do {
		if (!gk_call_valid(call))
			return -ESRCH;
		copied = process_vm_writev(call->tid, &local, 1, &remote, 1, 0);
	} while (copied < 0 && errno == EINTR);
	return copied == (ssize_t)length ? 0 : copied < 0 && errno != EFAULT ? -errno : -EFAULT;
}

int gk_read_string(struct gk_call *call, uint64_t address, char *out, size_t capacity, size_t *length) {
	int error = gk_copy_string(call, address, out, capacity, length);
	return gk_call_valid(call) ? error : -ESRCH;
}

int gk_copy_string(struct gk_call *call, uint64_t address, char *out, size_t capacity, size_t *length) {
	size_t have = 0;
	while (have < capacity) {
		ssize_t copied = copy(call, address + have, out + have, next_chunk(address + have, capacity - have));
		if (copied < 0)
			return (int)copied;
		const char *end = memchr(out + have, '\0', (size_t)copied);
		if (end != NULL) {
			*length = (size_t)(end - out);
			return 0;
		}
		have += (size_t)copied;
	}
	return -ENAMETOOLONG;
}

int gk_take_descriptor(struct gk_call *call, int number, int *out) {
	GK_AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, call->tid, PIDFD_THREAD);
	if (pidfd < 0)
		return -errno;
	if (!gk_call_valid(call))
		return -ESRCH;
	long fd = syscall(NR_PIDFD_GETFD, pidfd, number, 0);
	if (fd < 0)
		return -errno;
	*out = (int)fd;
	return 0;
}

int gk_caller_umask(struct gk_call *call, mode_t *out) {
	int proc;
	int error = gk_call_proc(call, &proc);
	if (error < 0)
		return error;
	GK_AUTO_CLOSE int fd = openat(proc, "status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	char text[512]; /* "Umask:" is the second line, after a name of at most 64 escaped bytes */
	ssize_t length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	const char *line = strstr(text, "\nUmask:\t");
	if (line == NULL)
		return -ESRCH; /* a thread without a file system context has ended */
	*out = (mode_t)strtoul(line + 8, NULL, 8) & 07777;
	return 0;
}
