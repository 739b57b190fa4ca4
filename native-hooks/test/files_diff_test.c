/* The same calls bare and supervised, with a policy that allows everything: every result, errno and effect must be equal.
 * Spellings of names are crossed with calls and flags, on a tree of every kind of object. */
#include "test/files_run.h"

#include "sys/capability.h"
#include "test/check.h"

#include <dirent.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

static char base[64];
static FILE *out;
static int tree_fd, file_fd, path_fd, dir_fd;

static void report(const char *what, const char *a, const char *b, long result) {
	int error = result < 0 ? errno : 0;
	fprintf(out, "%s(%s%s%s) = %s %d\n", what, a, b != NULL ? ", " : "", b != NULL ? b : "", result < 0 ? "-1" : "ok", error);
}

static void make_file(const char *name, const char *text, mode_t mode) {
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(99);
	close(fd);
}

/* The tree is made and taken away by calls that are themselves under test. */
static void make_tree(void) {
	umask(022);
	if (mkdir("t", 0755) < 0 || chdir("t") < 0)
		_exit(99);
	make_file("file", "hello", 0644);
	make_file("closed", "x", 0);
	make_file("readonly", "x", 0444);
	int failed = mkdir("dir", 0755) + mkdir("empty", 0755) + mkdir("locked", 0755) + mkdir("dir/sub", 0755);
	make_file("dir/inner", "inner", 0644);
	make_file("locked/f", "f", 0644);
	failed += chmod("locked", 0) + symlink("file", "link") + symlink("dir", "dirlink") + symlink("nowhere", "dangling");
	failed += symlink("loop", "loop") + symlink("dir/fresh", "deep") + symlink("nodir/x", "lost") + symlink("link", "link2");
	failed += symlink("/proc/self/fd", "fds") + symlink("/proc/self/status", "status") + symlink(".", "dot");
	failed += symlink("file/", "slashlink") + mkfifo("fifo", 0644) + mknod("sock", S_IFSOCK | 0644, 0) + link("file", "hard");
	failed += symlink("..", "up") + symlink("dir/", "dirslash");
	if (failed != 0)
		_exit(99);
}

static void remove_beneath(int directory);

static void remove_tree(void) {
	if (chdir(base) < 0)
		_exit(99);
	int fd = open("t", O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		remove_beneath(fd);
	if (rmdir("t") < 0)
		_exit(99);
}

static void remove_beneath(int directory) {
	DIR *dir = fdopendir(directory);
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type == DT_DIR) {
			if (fchmodat(directory, entry->d_name, 0700, 0) < 0)
				_exit(99);
			remove_beneath(openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY));
			unlinkat(directory, entry->d_name, AT_REMOVEDIR);
		} else {
			unlinkat(directory, entry->d_name, 0);
		}
	}
	closedir(dir);
}

static const char *const names[] = {
	"file", "file/", "./file", "dir/../file", "dir/inner", "dir//inner", "dir/inner/", "closed", "readonly", "dir", "dir/", "dir/.",
	"dir/..", "empty", "empty/", "locked", "locked/f", "locked/g", "link", "link/", "link2", "dirlink", "dirlink/", "dirlink/inner",
	"dirlink/../file", "dangling", "dangling/", "loop", "loop/x", "deep", "deep/", "lost", "absent", "absent/", "absent/x", "file/x",
	"file/.", "file/..", ".", "..", "/", "//", "", "./", "fifo", "sock", "hard", "dot/file", "dot/dot/file", "up/t/file", "slashlink",
	"dirslash", "dirslash/inner", "dir/absent", "dir/absent/", "dir/sub/../../file", "empty/../absent",
	"/dev/null", "/dev/null/", "/dev/full", "/proc/self", "/proc/self/", "/proc/self/status", "/proc/self/fd", "/proc/self/fd/",
	"/proc/self/cwd", "/proc/self/cwd/file", "/proc/self/root/dev/null", "/proc/self/exe", "/proc/self/nonsense", "/proc/self/status/x",
	"/proc/self/task", "/proc/thread-self/comm", "/proc/mounts", "/proc/meminfo", "fds", "status", "/proc/self/fd/90",
	"/proc/self/fd/91", "/proc/self/fd/91/inner", "/proc/self/fd/92", "/proc/self/fd/99", "/dev/fd/90", "/dev/fd/99",
	"/proc/self/cwd/../t/file", "/proc/999999/status", "/dev/tty",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

/* Names that change nothing outside the tree when something is made or removed there. */
static bool is_local(const char *name) {
	return name[0] != '/' && strncmp(name, "..", 2) != 0 && strncmp(name, "up", 2) != 0 && strncmp(name, "fds", 3) != 0 &&
	       strncmp(name, "status", 6) != 0;
}

/* What a directory looks like, as one number that does not hang on the order of its names. */
static uint64_t digest(int directory, const char *prefix) {
	uint64_t sum = 0;
	DIR *dir = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY));
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		struct stat st = {0};
		char text[600], target[100] = "";
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
		if (readlinkat(directory, entry->d_name, target, sizeof target - 1) < 0)
			target[0] = '\0';
		snprintf(text, sizeof text, "%s/%s %o %u %ld %u %u %s", prefix, entry->d_name, st.st_mode, (unsigned)st.st_nlink,
			 S_ISDIR(st.st_mode) ? 0 : (long)st.st_size, st.st_uid, st.st_gid, target);
		uint64_t hash = 1469598103934665603ULL;
		for (const char *at = text; *at; at++)
			hash = (hash ^ (uint8_t)*at) * 1099511628211ULL;
		sum += hash;
		int below = S_ISDIR(st.st_mode) ? openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : -1;
		if (below >= 0) {
			sum += digest(below, entry->d_name);
			close(below);
		}
	}
	if (dir != NULL)
		closedir(dir);
	return sum;
}

/* What the tree looks like; a difference names the call that made it. */
static void snapshot(const char *after) {
	fprintf(out, "  after %s: %llx\n", after, (unsigned long long)digest(tree_fd, ""));
}

static void start(void) {
	make_tree();
	tree_fd = open(".", O_RDONLY | O_DIRECTORY);
	file_fd = dup2(open("file", O_RDWR), 90);
	dir_fd = dup2(open("dir", O_RDONLY | O_DIRECTORY), 91);
	path_fd = dup2(open("file", O_PATH), 92);
}

static void finish(void) {
	close(tree_fd);
	close(90);
	close(91);
	close(92);
	remove_tree();
}

/* --- opens --- */

static void describe_open(const char *what, const char *name, long fd) {
	char text[256];
	if (fd < 0) {
		report(what, name, NULL, fd);
		return;
	}
	int flags = fcntl((int)fd, F_GETFL), cloexec = fcntl((int)fd, F_GETFD);
	struct stat st = {0};
	fstat((int)fd, &st);
	snprintf(text, sizeof text, "%s flags %#o cloexec %d mode %o", name, (unsigned)(flags & ~O_NOFOLLOW), cloexec, st.st_mode);
	close((int)fd);
	report(what, text, NULL, 0);
}

static void opens(void) {
	static const int flags[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE, O_RDONLY | O_CLOEXEC, O_RDONLY | O_DIRECTORY, O_RDONLY | O_NOFOLLOW,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW, O_WRONLY | O_CREAT, O_RDWR | O_CREAT | O_EXCL, O_RDONLY | O_CREAT,
		O_WRONLY | O_CREAT | O_NOFOLLOW, O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND, O_RDONLY | O_TRUNC, O_RDONLY | O_EXCL,
		O_RDWR | O_CREAT | O_DIRECTORY, O_WRONLY | O_DIRECTORY, O_TMPFILE | O_RDWR, O_TMPFILE | O_RDONLY, O_TMPFILE | O_WRONLY | O_EXCL,
		O_RDONLY | O_NOATIME, O_RDONLY | O_SYNC, O_RDONLY | (int)0x40000000,
	};
	for (size_t f = 0; f < GK_COUNT(flags); f++) {
		bool changes = (flags[f] & (O_CREAT | O_TRUNC)) != 0;
		start();
		for (size_t i = 0; i < GK_COUNT(names); i++) {
			if ((flags[f] & O_CREAT) && !is_local(names[i]) && strcmp(names[i], "/dev/null") != 0)
				continue;
			/* A process may search its own fd directory whatever its mode says, another one not. */
			if ((flags[f] & 020000000) && (strstr(names[i], "/fd") != NULL || strcmp(names[i], "fds") == 0))
				continue;
			/* Whose file it is comes before whether there is a terminal. */
			if ((flags[f] & O_NOATIME) && strcmp(names[i], "/dev/tty") == 0)
				continue;
			char what[64];
			snprintf(what, sizeof what, "open %#o", (unsigned)flags[f]);
			/* FIFOs never wait here; waiting has its own test */
			describe_open(what, names[i], openat(AT_FDCWD, names[i], flags[f] | O_NONBLOCK | O_NOCTTY, 0666));
			if (changes) {
				snapshot(what);
				finish();
				start();
			}
		}
		finish();
	}
}

static void opens_beneath(void) {
	static const uint64_t resolves[] = {0, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS,
					    RESOLVE_NO_XDEV, 0x80, RESOLVE_BENEATH | RESOLVE_IN_ROOT};
	start();
	for (size_t r = 0; r < GK_COUNT(resolves); r++)
		for (size_t i = 0; i < GK_COUNT(names); i++) {
			/* A scoped lookup through /proc may say ENOSYS; so may one that creates through a link. */
			bool scoped = (resolves[r] & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
			if (scoped && (strstr(names[i], "proc") || strstr(names[i], "fds") || strstr(names[i], "status")))
				continue;
			struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY, .resolve = resolves[r]};
			char what[64];
			snprintf(what, sizeof what, "openat2 %#llx", (unsigned long long)resolves[r]);
			long fd = syscall(SYS_openat2, tree_fd, names[i], &how, sizeof how);
			if (fd < 0 && scoped && errno == ELOOP)
				errno = EXDEV; /* magic links: the one or the other */
			describe_open(what, names[i], fd);
		}
	struct open_how odd[] = {{.flags = 1ULL << 40}, {.flags = O_RDONLY, .mode = 0600}, {.flags = O_CREAT, .mode = 010000},
				 {.flags = O_CREAT | O_RDWR, .mode = 0640}};
	for (size_t i = 0; i < GK_COUNT(odd); i++)
		describe_open("openat2 odd", "made", syscall(SYS_openat2, AT_FDCWD, "made", &odd[i], sizeof odd[i]));
	uint8_t large[4200] = {0};
	for (size_t size = 0; size <= 32; size += 8)
		describe_open("openat2 size", "file", syscall(SYS_openat2, AT_FDCWD, "file", large, size));
	large[100] = 1;
	describe_open("openat2 tail", "file", syscall(SYS_openat2, AT_FDCWD, "file", large, 128));
	describe_open("openat2 large", "file", syscall(SYS_openat2, AT_FDCWD, "file", large, 4200));
	describe_open("openat2 bad", "file", syscall(SYS_openat2, AT_FDCWD, "file", (void *)8, 24));
	describe_open("bad address", "8", openat(AT_FDCWD, (char *)8, O_RDONLY));
	static const int dirfds[] = {-1, 90, 91, 92, 99, -5};
	for (size_t i = 0; i < GK_COUNT(dirfds); i++) {
		describe_open("dirfd", "inner", openat(dirfds[i], "inner", O_RDONLY));
		describe_open("dirfd", "empty", openat(dirfds[i], "", O_RDONLY));
		describe_open("dirfd", "absolute", openat(dirfds[i], "/dev/null", O_RDONLY));
	}
	finish();
}

/* --- names --- */

static void each(const char *what, long (*call)(const char *), bool local) {
	start();
	for (size_t i = 0; i < GK_COUNT(names); i++) {
		if (local && !is_local(names[i]))
			continue;
		long rc = call(names[i]);
		report(what, names[i], NULL, rc);
		snapshot(what);
		if (rc < 0)
			continue;
		finish();
		start();
	}
	finish();
}

static long do_mkdir(const char *name) { return mkdir(name, 02777); }
static long do_rmdir(const char *name) { return rmdir(name); }
static long do_unlink(const char *name) { return unlink(name); }
static long do_unlinkat(const char *name) { return unlinkat(tree_fd, name, AT_REMOVEDIR); }
static long do_fifo(const char *name) { return mknod(name, S_IFIFO | 0666, 0); }
static long do_regular(const char *name) { return mknodat(tree_fd, name, 0600, 0); }
static long do_device(const char *name) { return mknod(name, S_IFCHR | 0666, makedev(1, 3)); }
static long do_symlink(const char *name) { return symlink("target", name); }
static long do_creat(const char *name) {
	if (strcmp(name, "fifo") == 0)
		return 0; /* would wait for a reader */
	int fd = creat(name, 0666);
	return fd < 0 ? -1 : close(fd);
}
static long do_chmod(const char *name) { return chmod(name, 0700); }
static long do_chmod_self(const char *name) { return syscall(452, AT_FDCWD, name, 0700, AT_SYMLINK_NOFOLLOW); }
static long do_chmod_empty(const char *name) { return syscall(452, tree_fd, name, 0711, AT_EMPTY_PATH); }
static long do_chown(const char *name) { return chown(name, getuid(), getgid()); }
static long do_chown_root(const char *name) { return chown(name, 12345, 12345); }
static long do_lchown(const char *name) { return lchown(name, getuid(), (gid_t)-1); }
static long do_truncate(const char *name) { return truncate(name, 3); }
static long do_utime(const char *name) { return utime(name, &(struct utimbuf){1, 2}); }
static long do_utimes_now(const char *name) { return utimes(name, NULL); }
static long do_lutimes(const char *name) {
	return utimensat(tree_fd, name, (struct timespec[2]){{1, 0}, {0, UTIME_OMIT}}, AT_SYMLINK_NOFOLLOW);
}
static long do_setxattr(const char *name) { return setxattr(name, "user.a", "b", 1, 0); }
static long do_lsetxattr(const char *name) { return lsetxattr(name, "user.a", "b", 1, XATTR_REPLACE); }
static long do_removexattr(const char *name) { return removexattr(name, "user.zz"); }

static void one_name(void) {
	each("mkdir", do_mkdir, true);
	each("rmdir", do_rmdir, true);
	each("unlink", do_unlink, true);
	each("unlinkat dir", do_unlinkat, true);
	each("mkfifo", do_fifo, true);
	each("mknodat", do_regular, true);
	each("mknod device", do_device, true);
	each("symlink", do_symlink, true);
	each("creat", do_creat, true);
	each("chmod", do_chmod, true);
	each("fchmodat2", do_chmod_self, true);
	each("fchmodat2 empty", do_chmod_empty, true);
	each("chown", do_chown, true);
	each("chown root", do_chown_root, true);
	each("lchown", do_lchown, true);
	each("truncate", do_truncate, true);
	each("utime", do_utime, true);
	each("utimes", do_utimes_now, true);
	each("utimensat", do_lutimes, true);
	each("setxattr", do_setxattr, true);
	each("lsetxattr", do_lsetxattr, true);
	each("removexattr", do_removexattr, true);
}

static void two_names(void) {
	static const char *const some[] = {"file", "file/", "dir", "dir/", "empty", "link", "link/", "dirlink", "dirlink/", "dangling",
					   "absent", "absent/", "dir/sub", "dir/new", "dir/sub/new", "fifo", "hard", ".", "..", "/", "",
					   "locked/f", "file/x", "absent/x", "loop/x", "/dev/shm/gk-none", "dir/."};
	static const struct { const char *name; unsigned flags; } kinds[] = {
		{"rename", 0}, {"noreplace", RENAME_NOREPLACE}, {"exchange", RENAME_EXCHANGE}, {"odd", 64}, {"link", 100}, {"follow", 101},
	};
	start();
	for (size_t k = 0; k < GK_COUNT(kinds); k++)
		for (size_t i = 0; i < GK_COUNT(some); i++)
			for (size_t j = 0; j < GK_COUNT(some); j++) {
				long rc;
				if (kinds[k].flags >= 100)
					rc = linkat(AT_FDCWD, some[i], AT_FDCWD, some[j], kinds[k].flags == 101 ? AT_SYMLINK_FOLLOW : 0);
				else
					rc = renameat2(AT_FDCWD, some[i], tree_fd, some[j], kinds[k].flags);
				report(kinds[k].name, some[i], some[j], rc);
				if (rc < 0)
					continue;
				snapshot(kinds[k].name);
				finish();
				start();
			}
	finish();
}

static void descriptors(void) {
	static const int fds[] = {-1, 90, 91, 92, 99, AT_FDCWD};
	for (size_t i = 0; i < GK_COUNT(fds); i++) {
		start();
		int fd = fds[i];
		char n[16];
		snprintf(n, sizeof n, "%d", fd);
		report("fchmod", n, NULL, fchmod(fd, 0600));
		report("fchown", n, NULL, fchown(fd, getuid(), getgid()));
		if (fd != AT_FDCWD) { /* 6.13 takes it for the working directory, older kernels do not */
			report("fsetxattr", n, NULL, fsetxattr(fd, "user.q", "1", 1, 0));
			report("fremovexattr", n, NULL, fremovexattr(fd, "user.q"));
		}
		report("fsetxattr name", n, NULL, fsetxattr(fd, "", "1", 1, 0));
		report("fsetxattr flag", n, NULL, fsetxattr(fd, "user.q", "1", 1, 77));
		report("futimens", n, NULL, syscall(SYS_utimensat, fd, NULL, NULL, 0));
		report("futimens flag", n, NULL, syscall(SYS_utimensat, fd, NULL, NULL, AT_SYMLINK_NOFOLLOW));
		report("utimensat odd", n, NULL, syscall(SYS_utimensat, fd, "file", (struct timespec[2]){{0, 2000000000}, {0, 0}}, 0));
		report("utimensat omit", n, NULL,
		       syscall(SYS_utimensat, fd, "none", (struct timespec[2]){{0, UTIME_OMIT}, {0, UTIME_OMIT}}, 0));
		report("utimensat empty", n, NULL, syscall(SYS_utimensat, fd, "", NULL, AT_EMPTY_PATH));
		report("futimesat", n, NULL, syscall(SYS_futimesat, fd, NULL, (struct timeval[2]){{0, 1000000}, {0, 0}}));
		report("futimesat", n, NULL, syscall(SYS_futimesat, fd, NULL, NULL));
		report("fchownat empty", n, NULL, fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH));
		report("linkat empty", n, NULL, linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH));
		report("unlinkat odd", n, NULL, unlinkat(fd, "x", 1));
		report("mkdirat", n, NULL, mkdirat(fd, "made", 0700));
		snapshot("descriptor");
		finish();
	}
}

static int battery(void *context) {
	bool had;
	out = context;
	if (gk_drop_capabilities(&had) < 0 || chdir(base) < 0)
		return 98;
	opens();
	opens_beneath();
	one_name();
	two_names();
	descriptors();
	fflush(out);
	return 0;
}

/* Reads both reports line by line; an "after" line belongs to the call above it. */
static void compare(FILE *bare, FILE *supervised) {
	char a[1024], b[1024], call[1024] = "";
	unsigned lines = 0;
	rewind(bare);
	rewind(supervised);
	for (;;) {
		bool more = fgets(a, sizeof a, bare) != NULL;
		bool other = fgets(b, sizeof b, supervised) != NULL;
		CHECK(more == other, "one report ends early");
		if (!more || !other)
			break;
		lines++;
		CHECK(strcmp(a, b) == 0, "%s\n   bare       %s   supervised %s", a[0] == ' ' ? call : "", a, b);
		if (a[0] != ' ')
			strcpy(call, a);
	}
	CHECK(lines > 5000, "only %u results", lines);
	printf("%u results compared\n", lines);
}

int main(int argc, char **argv) {
	strcpy(base, "/tmp/gk-diff-XXXXXX");
	if (mkdtemp(base) == NULL)
		return 1;
	if (argc == 2 && getuid() == 0 && (chown(base, 1000, 1000) < 0 || setgid(1000) < 0 || setuid((uid_t)atoi(argv[1])) < 0))
		return 1;
	FILE *bare = tmpfile(), *supervised = tmpfile();
	pid_t pid = fork();
	if (pid == 0)
		_exit(battery(bare));
	int status;
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "bare run failed: %#x", (unsigned)status);
	struct run_policy policy = {.root = NULL};
	status = run_supervised(&policy, battery, supervised);
	CHECK(status == 0, "supervised run failed: %d", status);
	compare(bare, supervised);
	rmdir(base);
	return gk_check_status();
}
