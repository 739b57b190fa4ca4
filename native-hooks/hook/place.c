#include "hook/place.h"

#include "base/decimal.h"
#include "base/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

static bool read_name(long fd, struct gk_place *out);

/* Opens that only hold a place, and reading links, come before no filter unless names are hidden. */
bool gk_place_find(int dirfd, const char *path, bool follow, struct gk_place *out) {
	int flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
	if (path[0] == '\0') {
		out->exists = true;
		return dirfd >= 0 && read_name(dirfd, out);
	}
	long fd = gk_raw4(SYS_openat, dirfd, (long)path, flags, 0);
	if (fd == -ENOENT)
		return gk_place_name(dirfd, path, out);
	if (fd < 0)
		return false;
	bool known = read_name(fd, out);
	(void)gk_raw4(SYS_close, fd, 0, 0, 0);
	out->exists = true;
	return known;
}

static bool is_dots(const char *name, size_t length) {
	return (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.');
}

bool gk_place_name(int dirfd, const char *path, struct gk_place *out) {
	size_t end = strnlen(path, PATH_MAX);
	if (end == PATH_MAX)
		return false;
	while (end > 1 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	size_t length = end - start;
	if (length == 0 || length > NAME_MAX || is_dots(path + start, length))
		return false;
	/* The directory's spelling borrows the room for its name. */
	memcpy(out->text, start > 0 ? path : ".", start > 0 ? start : 1);
	out->text[start > 0 ? start : 1] = '\0';
	long fd = gk_raw4(SYS_openat, dirfd, (long)out->text, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool known = read_name(fd, out);
	(void)gk_raw4(SYS_close, fd, 0, 0, 0);
	if (!known)
		return false;
	if (out->length > 1)
		out->text[out->length++] = '/';
	memcpy(out->text + out->length, path + start, length);
	out->length += length;
	out->exists = false;
	return true;
}

static bool read_name(long fd, struct gk_place *out) {
	static const char deleted[] = " (deleted)", prefix[] = "/proc/self/fd/";
	size_t mark = sizeof(deleted) - 1, at = sizeof(prefix) - 1;
	char link[40];
	memcpy(link, prefix, at);
	at += gk_put_decimal(link + at, fd);
	link[at] = '\0';
	long length = gk_raw4(SYS_readlink, (long)link, (long)out->text, PATH_MAX, 0);
	if (length <= 0 || length >= PATH_MAX || out->text[0] != '/')
		return false;
	out->length = (size_t)length;
	return out->length < mark || memcmp(out->text + out->length - mark, deleted, mark) != 0;
}
