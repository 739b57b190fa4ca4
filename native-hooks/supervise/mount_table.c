#include "supervise/mount_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int read_all(int fd, char **out);
static bool parse_line(char *line, struct gk_mount *out);

int gk_mount_table_read(char *text, struct gk_mount_table *out) {
	size_t capacity = 0;
	*out = (struct gk_mount_table){0};
	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		if (out->count == capacity) {
			capacity = capacity == 0 ? 64 : capacity * 2;
			struct gk_mount *grown = reallocarray(out->list, capacity, sizeof *grown);
			if (grown == NULL)
				return -ENOMEM;
			out->list = grown;
		}
		out->count += parse_line(line, &out->list[out->count]);
	}
	return 0;
}

int gk_mount_table_open(struct gk_mount_table *out) {
	*out = (struct gk_mount_table){0};
	GK_AUTO_CLOSE int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	int error = fd < 0 ? -errno : read_all(fd, &text);
	if (error < 0)
		return error;
	error = gk_mount_table_read(text, out);
	out->text = text;
	return error;
}

void gk_mount_table_close(struct gk_mount_table *table) {
	free(table->list);
	free(table->text);
	*table = (struct gk_mount_table){0};
}

static int read_all(int fd, char **out) {
	char *text = NULL;
	size_t length = 0, capacity = 0;
	for (;;) {
		if (length + 1 >= capacity) {
			capacity = capacity == 0 ? 65536 : capacity * 2;
			char *grown = realloc(text, capacity);
			if (grown == NULL) {
				free(text);
				return -ENOMEM;
			}
			text = grown;
		}
		ssize_t got = read(fd, text + length, capacity - length - 1);
		if (got < 0) {
			int error = -errno;
			free(text);
			return error;
		}
		if (got == 0)
			break;
		length += (size_t)got;
	}
	text[length] = '\0';
	*out = text;
	return 0;
}

/* Blanks, tabs, line ends and backslashes stand as \ooo. */
static void unescape(char *text) {
	char *out = text;
	for (const char *in = text; *in != '\0'; out++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' && in[3] >= '0' && in[3] <= '7') {
			*out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

static void cut_last_slash(char *path) {
	size_t length = strlen(path);
	if (length > 0 && path[length - 1] == '/')
		path[length - 1] = '\0';
}

/* After the options come any number of fields, then "-" and the type. */
static char *find_type(char *rest) {
	static char unknown[] = "";
	for (char *field; (field = strsep(&rest, " ")) != NULL;)
		if (strcmp(field, "-") == 0 && rest != NULL)
			return strsep(&rest, " ");
	return unknown;
}

/* "36 35 98:0 /root /place options … - type source …". Roots that are no paths (of namespaces) stand as they are. */
static bool parse_line(char *line, struct gk_mount *out) {
	char *rest = line, *field[5];
	for (size_t i = 0; i < GK_COUNT(field); i++) {
		field[i] = strsep(&rest, " ");
		if (field[i] == NULL)
			return false;
	}
	*out = (struct gk_mount){field[2], field[3], field[4], find_type(rest)};
	unescape(out->root);
	unescape(out->place);
	bool placed = out->place[0] == '/';
	cut_last_slash(out->root);
	cut_last_slash(out->place);
	return placed;
}

static bool is_beneath(const char *path, const char *directory) {
	size_t length = strlen(directory);
	return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Disks, memory, images, and files of another machine or of the host. Not among them: what the kernel makes up (procfs means the caller, devpts the
 * terminals of others), what is mounted when it is looked at (autofs), and FUSE, whose server may show what it likes. */
static bool is_ordinary(const char *type) {
	static const char *const types[] = {
		"ext2",	 "ext3",  "ext4",     "xfs",	"btrfs", "f2fs",    "zfs",  "bcachefs", "jfs",	"reiserfs", "tmpfs", "ramfs",
		"overlay", "squashfs", "erofs", "iso9660", "vfat", "exfat", "ntfs3", "9p", "virtiofs", "nfs", "nfs4",
	};
	for (size_t i = 0; i < GK_COUNT(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

const struct gk_mount *gk_mount_table_odd(const struct gk_mount_table *table, const char *directory) {
	/* In a changed root (chroot(2)) the table begins beneath it. */
	static char nothing[] = "", unknown[] = "unknown";
	static const struct gk_mount nowhere = {nothing, nothing, nothing, unknown};
	const struct gk_mount *around = NULL;
	for (size_t i = 0; i < table->count; i++) {
		const struct gk_mount *mount = &table->list[i];
		if (is_beneath(mount->place, directory) && !is_ordinary(mount->type))
			return mount;
		/* Of several at one place the last is seen. */
		if (is_beneath(directory, mount->place) && (around == NULL || strlen(mount->place) >= strlen(around->place)))
			around = mount;
	}
	if (around == NULL)
		return &nowhere;
	return is_ordinary(around->type) ? NULL : around;
}
