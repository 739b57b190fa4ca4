#include "supervise/terminals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

/* Numbers of pseudo-terminals are used again, so one of ours is known by its number and by when its inode was made. */
struct pty {
	bool known;
	dev_t device;
	ino_t inode;
	struct timespec changed;
};

enum { STDIO = 3, PTY_MAX = 4096 /* kernel.pty.max unless raised; beyond it a terminal stays unknown and is refused */ };

struct stdio {
	int held; /* a descriptor of it, which keeps the kernel from giving its number to another; -1: not a terminal */
	dev_t terminal, filesystem;
};

struct gk_terminals {
	struct stdio stdio[STDIO];
	pthread_mutex_t lock;
	struct pty made[PTY_MAX];
};

/* Documentation/admin-guide/devices.txt */
enum { MAJOR_MEMORY = 1, MAJOR_TTY = 4, MAJOR_TTY_AUX = 5, MAJOR_PTS_FIRST = 136, MAJOR_PTS_LAST = 143 };

static bool same_pty(const struct pty *pty, const struct stat *st);
static int parse_controlling(struct gk_call *call, dev_t *out);
static int terminal_name(dev_t device, char *out, size_t capacity);

int gk_terminals_open(struct gk_terminals **out) {
	struct gk_terminals *t = calloc(1, sizeof *t);
	if (t == NULL)
		return -ENOMEM;
	pthread_mutex_init(&t->lock, NULL);
	for (int fd = 0; fd < STDIO; fd++) {
		struct stdio *stdio = &t->stdio[fd];
		struct stat st;
		stdio->held = -1;
		if (!isatty(fd) || fstat(fd, &st) != 0)
			continue;
		stdio->held = fcntl(fd, F_DUPFD_CLOEXEC, STDIO);
		if (stdio->held < 0)
			return -errno;
		stdio->terminal = st.st_rdev;
		stdio->filesystem = st.st_dev;
	}
	*out = t;
	return 0;
}

/* Another mount of devpts counts its terminals from 0 as well. */
static bool same_stdio(const struct stdio *stdio, const struct stat *st) {
	return stdio->held >= 0 && stdio->terminal == st->st_rdev &&
	       (gk_device_kind_of(st) != GK_DEVICE_PTY || stdio->filesystem == st->st_dev);
}

enum gk_device_kind gk_device_kind_of(const struct stat *st) {
	if (!S_ISCHR(st->st_mode))
		return GK_DEVICE_OTHER;
	unsigned major = major(st->st_rdev), minor = minor(st->st_rdev);
	if (major == MAJOR_MEMORY)
		return GK_DEVICE_PLAIN;
	if (major == MAJOR_TTY_AUX && minor == 0)
		return GK_DEVICE_CONTROLLING;
	if (major == MAJOR_TTY_AUX && minor == 2)
		return GK_DEVICE_MULTIPLEXER;
	return major >= MAJOR_PTS_FIRST && major <= MAJOR_PTS_LAST ? GK_DEVICE_PTY : GK_DEVICE_OTHER;
}

bool gk_terminal_is_own(struct gk_call *call, const struct stat *st) {
	struct gk_terminals *t = gk_files_of(call)->terminals;
	for (int i = 0; i < STDIO; i++)
		if (same_stdio(&t->stdio[i], st))
			return true;
	if (gk_device_kind_of(st) != GK_DEVICE_PTY || minor(st->st_rdev) >= PTY_MAX)
		return false;
	pthread_mutex_lock(&t->lock);
	bool own = same_pty(&t->made[minor(st->st_rdev)], st);
	pthread_mutex_unlock(&t->lock);
	return own;
}

static bool same_pty(const struct pty *pty, const struct stat *st) {
	return pty->known && pty->device == st->st_dev && pty->inode == st->st_ino &&
	       pty->changed.tv_sec == st->st_ctim.tv_sec && pty->changed.tv_nsec == st->st_ctim.tv_nsec;
}

static void remember(struct gk_terminals *t, const struct stat *st) {
	if (minor(st->st_rdev) >= PTY_MAX)
		return;
	pthread_mutex_lock(&t->lock);
	t->made[minor(st->st_rdev)] =
		(struct pty){.known = true, .device = st->st_dev, .inode = st->st_ino, .changed = st->st_ctim};
	pthread_mutex_unlock(&t->lock);
}

int gk_terminal_made(struct gk_call *call, int master) {
	unsigned number;
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return -errno;
	char name[32];
	snprintf(name, sizeof name, "/dev/pts/%u", number);
	struct stat st;
	if (lstat(name, &st) < 0)
		return -errno;
	if (gk_device_kind_of(&st) != GK_DEVICE_PTY || minor(st.st_rdev) != number)
		return -ENXIO;
	remember(gk_files_of(call)->terminals, &st);
	return 0;
}

void gk_terminal_changed(struct gk_call *call, const struct gk_object *object) {
	struct gk_terminals *t = gk_files_of(call)->terminals;
	struct stat now;
	if (gk_device_kind_of(&object->stat) != GK_DEVICE_PTY || minor(object->stat.st_rdev) >= PTY_MAX)
		return;
	pthread_mutex_lock(&t->lock);
	bool own = same_pty(&t->made[minor(object->stat.st_rdev)], &object->stat);
	pthread_mutex_unlock(&t->lock);
	if (own && fstat(object->fd, &now) == 0)
		remember(t, &now);
}

int gk_terminal_controlling(struct gk_call *call, struct gk_object *out) {
	dev_t device;
	out->fd = -1;
	int rc = parse_controlling(call, &device);
	if (rc < 0)
		return rc;
	char name[64];
	rc = terminal_name(device, name, sizeof name);
	if (rc < 0)
		return rc;
	GK_AUTO_CLOSE int fd = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &out->stat) < 0 || !S_ISCHR(out->stat.st_mode) || out->stat.st_rdev != device)
		return -ENXIO;
	out->anonymous = false;
	out->length = strlen(name);
	memcpy(out->path, name, out->length + 1);
	out->fd = gk_take_fd(&fd);
	return 0;
}

/* The seventh field of /proc/<tid>/stat (proc_pid_stat(5)): the program's name before it may hold anything but a last ')'. */
static int parse_controlling(struct gk_call *call, dev_t *out) {
	int proc;
	int rc = gk_call_proc(call, &proc);
	if (rc < 0)
		return rc;
	GK_AUTO_CLOSE int fd = openat(proc, "stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	char text[1024];
	ssize_t n = read(fd, text, sizeof text - 1);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	const char *after = strrchr(text, ')');
	int number;
	if (after == NULL || sscanf(after + 1, " %*c %*d %*d %*d %d", &number) != 1)
		return -EIO;
	if (number == 0)
		return -ENXIO;
	unsigned value = (unsigned)number;
	*out = makedev((value >> 8) & 0xfff, (value & 0xff) | ((value >> 12) & 0xfff00));
	return 0;
}

static int terminal_name(dev_t device, char *out, size_t capacity) {
	unsigned major = major(device), minor = minor(device);
	if (major >= MAJOR_PTS_FIRST && major <= MAJOR_PTS_LAST) {
		snprintf(out, capacity, "/dev/pts/%u", (major - MAJOR_PTS_FIRST) * 256 + minor);
		return 0;
	}
	if (major == MAJOR_TTY) {
		snprintf(out, capacity, minor < 64 ? "/dev/tty%u" : "/dev/ttyS%u", minor < 64 ? minor : minor - 64);
		return 0;
	}
	char link[48], text[256];
	snprintf(link, sizeof link, "/sys/dev/char/%u:%u", major, minor);
	ssize_t n = readlink(link, text, sizeof text - 1); /* …/tty/hvc0: the last name is the node's */
	if (n <= 0)
		return -ENXIO;
	text[n] = '\0';
	const char *base = strrchr(text, '/');
	if (base == NULL || (size_t)(text + n - base) + sizeof "/dev" > capacity)
		return -ENXIO;
	snprintf(out, capacity, "/dev/%s", base + 1);
	return 0;
}
