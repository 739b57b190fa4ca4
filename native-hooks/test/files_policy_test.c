/* What a policy denies stays out of reach, whatever name or call is used for it. */
#include "test/files_run.h"

#include "test/check.h"

#include <linux/fs.h>
#include <sys/mman.h>
#include <signal.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static char base[64];
static char path[2][PATH_MAX];

static void write_file(const char *name, const char *text) {
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

static bool holds(const char *name, const char *text) {
	char have[4096];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, have, sizeof have - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	have[n] = '\0';
	return strcmp(have, text) == 0;
}

/* Made before the run, bare. */
static void prepare(void) {
	if (chdir(base) < 0)
		abort();
	write_file(".env", "secret");
	write_file("plain", "plain");
	int failed = link(".env", "planted") + symlink(".env", "toenv") + mkdir("repo", 0755) + mkdir("repo/.git", 0755) +
		     mkdir("repo/.git/hooks", 0755) + mkdir("sub", 0755) + mkdir("guarded", 0755) + mkdir("closed", 0755) +
		     symlink("closed", "way");
	write_file("closed/note", "secret");
	write_file("sub/.env", "secret");
	write_file("repo/.git/config", "[core]\n\tbare = false\n\tpager = less\n");
	if (failed != 0)
		abort();
}

#define DENIED(call) CHECK((call) == -1 && errno == EACCES, "errno %d", errno)
#define FAILS(call, error) CHECK((call) == -1 && errno == (error), "errno %d", errno)
#define WORKS(call) CHECK((call) == 0, "errno %d", errno)

static void secrets_are_not_read(void) {
	static const char *const ways[] = {".env", "./.env", "sub/../.env", "toenv", "planted", "/proc/self/cwd/.env", "/proc/thread-self/cwd/.env",
					   "/proc/self/fd/80", "/dev/fd/80", "/proc/self/fd/81/.env", "sub/.env", "closed/note", "way/note", "./sub/../way/note"};
	int secret = open(".env", O_PATH), here = open(".", O_PATH | O_DIRECTORY);
	dup2(secret, 80);
	dup2(here, 81);
	for (size_t i = 0; i < GK_COUNT(ways); i++) {
		DENIED(open(ways[i], O_RDONLY));
		if (strstr(ways[i], "note") == NULL)
			DENIED(open(ways[i], O_RDWR));
	}
	snprintf(path[0], PATH_MAX, "/proc/self/root%s/.env", base);
	DENIED(open(path[0], O_RDONLY));
	/* unchanged by an attempt that truncates, and judged by what is opened, not by the name it had first */
	DENIED(open("planted", O_RDONLY | O_TRUNC));
	DENIED(open("planted", O_WRONLY | O_APPEND));
	int plain = open("plain", O_RDONLY);
	CHECK(plain >= 0);
	close(plain);
}

static void secrets_are_not_moved_or_linked(void) {
	DENIED(rename(".env", "taken"));
	DENIED(link(".env", "taken"));
	DENIED(linkat(AT_FDCWD, "/proc/self/fd/80", AT_FDCWD, "taken", AT_SYMLINK_FOLLOW));
	DENIED(linkat(80, "", AT_FDCWD, "taken", AT_EMPTY_PATH));
	DENIED(link("planted", "taken"));
	DENIED((int)syscall(SYS_renameat2, AT_FDCWD, "plain", AT_FDCWD, ".env", RENAME_EXCHANGE));
	DENIED(rename("plain", ".env"));
	DENIED(unlink(".env"));
	DENIED(symlink("plain", "sub/../x.env/.env") == 0 ? 0 : (errno = errno == ENOENT ? EACCES : errno, -1));
	FAILS(unlink("absent.env/.env"), ENOENT);
}

static void every_way_of_making_a_name_is_judged(void) {
	WORKS(mkdir("fresh", 0755));
	DENIED(open("fresh/.env", O_WRONLY | O_CREAT, 0644));
	DENIED(creat("fresh/.env", 0644));
	DENIED(mkdir("fresh/.env", 0755));
	DENIED(mknod("fresh/.env", S_IFIFO | 0644, 0));
	DENIED(symlink("../plain", "fresh/.env"));
	DENIED(link("plain", "fresh/.env"));
	WORKS(symlink(".env", "fresh/through"));
	DENIED(open("fresh/through", O_WRONLY | O_CREAT, 0644));
	int nameless = open("fresh", O_TMPFILE | O_RDWR, 0644);
	CHECK(nameless >= 0, "errno %d", errno);
	snprintf(path[0], PATH_MAX, "/proc/self/fd/%d", nameless);
	DENIED(linkat(AT_FDCWD, path[0], AT_FDCWD, "fresh/.env", AT_SYMLINK_FOLLOW));
	WORKS(linkat(AT_FDCWD, path[0], AT_FDCWD, "fresh/fine", AT_SYMLINK_FOLLOW));
	close(nameless);
	/* a directory that is moved brings no name along that could not be made there */
	WORKS(mkdir("evil", 0755));
	WORKS(mkdir("evil/deep", 0755));
	write_file("evil/deep/hook", "x");
	DENIED(rename("evil", "guarded/evil"));
	WORKS(rename("evil", "fresh/evil"));
}

static void metadata_is_a_write(void) {
	FAILS(chmod(".env", 0777), EPERM);
	FAILS(chmod("planted", 0777), EPERM);
	FAILS(chown(".env", getuid(), getgid()), EPERM);
	DENIED(truncate("planted", 0));
	DENIED(utimensat(AT_FDCWD, ".env", NULL, 0));
	DENIED(setxattr(".env", "user.a", "b", 1, 0));
	FAILS(chmod("plain", 04755), EPERM);
	FAILS(open("suid", O_WRONLY | O_CREAT, 06755), EPERM);
	FAILS(mknod("device", S_IFCHR | 0666, makedev(1, 3)), EPERM);
	DENIED(symlink("/tmp", "sub/.git"));
	DENIED(rename("plain", "sub/.git"));
}

static void git_configuration_changes_only_in_what_runs_nothing(void) {
	static const char fine[] = "[core]\n\tbare = false\n\tpager = less\n[user]\n\tname = me\n";
	DENIED(open("repo/.git/config", O_WRONLY));
	write_file("repo/.git/config.lock", "[core]\n\tbare = false\n\tpager = evil\n");
	DENIED(rename("repo/.git/config.lock", "repo/.git/config"));
	write_file("repo/.git/config.lock", "[alias]\n\tst = \"!evil\"\n");
	DENIED(rename("repo/.git/config.lock", "repo/.git/config"));
	write_file("repo/.git/config.lock", fine);
	int held = open("repo/.git/config.lock", O_RDWR);
	WORKS(rename("repo/.git/config.lock", "repo/.git/config"));
	CHECK(held >= 0 && write(held, "[core]\n\tpager=evil", 18) == 18);
	close(held);
	CHECK(holds("repo/.git/config", fine), "a descriptor held on the lock file reached the configuration");
	FAILS(access("repo/.git/config.lock", F_OK), ENOENT);
	DENIED(rename("repo/.git", "repo/moved"));
	DENIED(open("repo/.git/hooks/pre-commit", O_WRONLY | O_CREAT, 0755));
	WORKS(unlink("repo/.git/config"));
	write_file("repo/.git/config.lock", "[core]\n\tpager = less\n");
	DENIED(rename("repo/.git/config.lock", "repo/.git/config"));
	DENIED(symlink("config.lock", "repo/.git/config"));
	DENIED(link("repo/.git/config.lock", "repo/.git/config"));
	DENIED(open("repo/.git/config", O_WRONLY | O_CREAT, 0644));
	FAILS(access("repo/.git/config", F_OK), ENOENT);
}

static void other_processes_stay_closed(void) {
	DENIED(open("/proc/1/environ", O_RDONLY));
	DENIED(open("/proc/1/status", O_RDONLY));
	snprintf(path[0], PATH_MAX, "/proc/%d/mem", getppid());
	DENIED(open(path[0], O_RDWR));
	snprintf(path[0], PATH_MAX, "/proc/%d/fd/3", getppid());
	DENIED(open(path[0], O_RDONLY));
	snprintf(path[0], PATH_MAX, "/proc/%d/root%s/plain", getppid(), base);
	DENIED(open(path[0], O_RDONLY));
	int own = open("/proc/self/mem", O_RDWR);
	CHECK(own >= 0, "errno %d", errno);
	static volatile int probe = 4711;
	int seen = 0;
	CHECK(pread(own, &seen, sizeof seen, (off_t)(uintptr_t)&probe) == sizeof seen && seen == probe, "not our own memory");
	close(own);
	FAILS(open("/dev/tty", O_RDWR), ENXIO);
}

/* A peer flips the name between an allowed and a denied file while it is being opened. */
static void a_name_that_flips_is_judged_as_it_is_opened(void) {
	enum { TRIES = 20000 };
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int stolen = 0;
	strcpy(shared, "plain");
	pid_t peer = fork();
	if (peer == 0)
		for (;;) {
			memcpy(shared, ".env\0", 6);
			memcpy(shared, "plain", 6);
		}
	for (int i = 0; i < TRIES; i++) {
		char text[16] = "";
		int fd = open(shared, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof text) > 0 && text[0] == 's')
			stolen++;
		close(fd);
	}
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	CHECK(stolen == 0, "%d reads of the secret", stolen);
}

/* The name stays, what it names flips between a directory with the secret and one without. */
static void a_directory_that_flips_is_judged_as_it_is_opened(void) {
	enum { TRIES = 5000 };
	int stolen = 0;
	WORKS(mkdir("flip", 0755));
	WORKS(mkdir("other", 0755));
	write_file("other/key", "fine");
	pid_t peer = fork();
	if (peer == 0)
		for (;;) {
			if (symlink("../sub/.env", "flip/key") < 0 || unlink("flip/key") < 0 || link("other/key", "flip/key") < 0 ||
			    unlink("flip/key") < 0)
				_exit(1);
		}
	for (int i = 0; i < TRIES; i++) {
		char text[16] = "";
		int fd = open("flip/key", O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof text) > 0 && text[0] == 's')
			stolen++;
		close(fd);
	}
	CHECK(waitpid(peer, NULL, WNOHANG) == 0, "the peer stopped");
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	CHECK(stolen == 0, "%d reads of the secret", stolen);
}

static void a_fifo_is_met_from_both_sides(void) {
	char text[8] = "";
	WORKS(mkfifo("fifo", 0600));
	pid_t writer = fork();
	if (writer == 0) {
		int out = open("fifo", O_WRONLY);
		_exit(write(out, "hi", 3) == 3 ? 0 : 1);
	}
	int in = open("fifo", O_RDONLY);
	CHECK(in >= 0 && read(in, text, sizeof text) == 3 && strcmp(text, "hi") == 0, "errno %d", errno);
	waitpid(writer, NULL, 0);
	close(in);
}

/* The lease's holder is asked, by a signal, while the open waits. */
static void a_lease_makes_the_open_wait(void) {
	write_file("leased", "x");
	int fd = open("leased", O_RDONLY);
	/* The supervisor's own copy of a descriptor is closed a moment after the caller has its own. */
	int leased = -1;
	for (int i = 0; i < 100 && (leased = fcntl(fd, F_SETLEASE, F_RDLCK)) < 0; i++)
		usleep(1000);
	CHECK(fd >= 0 && leased == 0, "errno %d", errno);
	signal(SIGIO, SIG_IGN);
	pid_t writer = fork();
	if (writer == 0) {
		int out = open("leased", O_WRONLY);
		_exit(out >= 0 ? 0 : 1);
	}
	usleep(100000);
	int other = open("plain", O_RDONLY); /* nobody else waits meanwhile */
	CHECK(other >= 0);
	close(other);
	CHECK(waitpid(writer, NULL, WNOHANG) == 0, "the writer did not wait");
	fcntl(fd, F_SETLEASE, F_UNLCK);
	int status = -1;
	waitpid(writer, &status, 0);
	CHECK(status == 0);
	close(fd);
}

static bool reads(int directory, const char *name, const char *text) {
	char have[16] = "";
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	bool same = fd >= 0 && read(fd, have, sizeof have - 1) > 0 && strcmp(have, text) == 0;
	if (fd >= 0)
		close(fd);
	return same;
}

/* While somebody gives the caller's directory another name and its name to another directory. */
static void a_relative_name_starts_at_the_directory_not_at_its_name(void) {
	enum { TRIES = 3000 };
	int wrong = 0;
	WORKS(mkdir("here", 0755));
	WORKS(mkdir("there", 0755));
	write_file("here/which", "here");
	write_file("there/which", "there");
	int here = open("here", O_PATH | O_DIRECTORY | O_CLOEXEC), back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t peer = fork();
	if (peer == 0)
		for (;;)
			if (syscall(SYS_renameat2, AT_FDCWD, "here", AT_FDCWD, "there", RENAME_EXCHANGE) < 0)
				_exit(1);
	WORKS(fchdir(here));
	for (int i = 0; i < TRIES; i++)
		wrong += !reads(AT_FDCWD, "which", "here") + !reads(here, "./which", "here");
	CHECK(wrong == 0, "%d opens of another directory's file", wrong);
	CHECK(waitpid(peer, NULL, WNOHANG) == 0, "the peer stopped");
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	WORKS(fchdir(back));
	close(here);
	close(back);
}

/* The kernel calls a removed directory so; another may really bear that name. */
static void a_removed_directory_is_not_met_under_its_mark(void) {
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	WORKS(mkdir("gone", 0755));
	WORKS(mkdir("gone (deleted)", 0755));
	write_file("gone (deleted)/file", "other");
	int gone = open("gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC), other = open("gone (deleted)", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WORKS(rmdir("gone"));
	FAILS(openat(gone, "file", O_RDONLY), ENOENT);
	WORKS(fchdir(gone));
	FAILS(open("file", O_RDONLY), ENOENT);
	CHECK(reads(other, "file", "other"));
	WORKS(fchdir(back));
	close(gone);
	close(other);
	close(back);
}

/* Whoever only reads waits for a writer's lease, and its holder may be anybody, the caller's own parent here. */
static void a_reader_waits_for_a_writers_lease(void) {
	write_file("held", "x");
	int fd = open("held", O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0, "errno %d", errno);
	pid_t readers[8];
	for (size_t i = 0; i < GK_COUNT(readers); i++) {
		readers[i] = fork();
		if (readers[i] == 0) {
			int in = open("held", O_RDONLY);
			_exit(in >= 0 && (fcntl(in, F_GETFL) & O_NONBLOCK) == 0 ? 0 : 1);
		}
	}
	usleep(100000);
	CHECK(holds("plain", "plain")); /* nobody else waits meanwhile */
	FAILS(open("held", O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
	CHECK(waitpid(-1, NULL, WNOHANG) == 0, "a reader did not wait");
	fcntl(fd, F_SETLEASE, F_UNLCK);
	for (size_t i = 0; i < GK_COUNT(readers); i++) {
		int status = -1;
		waitpid(readers[i], &status, 0);
		CHECK(status == 0);
	}
	close(fd);
}

/* The reader comes first: an open on its behalf must not let the writer go on and then be gone. */
static void a_fifo_is_opened_once(void) {
	WORKS(mkfifo("once", 0600));
	signal(SIGPIPE, SIG_IGN);
	pid_t writer = fork();
	if (writer == 0) {
		int out = open("once", O_WRONLY);
		usleep(1000);
		_exit(out >= 0 && write(out, "hi", 3) == 3 ? 0 : 1);
	}
	usleep(50000);
	char text[8] = "";
	snprintf(path[0], PATH_MAX, "%s/once", base);
	int in = open(path[0], O_RDONLY | O_CLOEXEC), status = -1;
	waitpid(writer, &status, 0);
	CHECK(in >= 0 && status == 0 && read(in, text, sizeof text) == 3, "errno %d status %d", errno, status);
	close(in);
}

static int attack(void *unused) {
	(void)unused;
	secrets_are_not_read();
	secrets_are_not_moved_or_linked();
	every_way_of_making_a_name_is_judged();
	metadata_is_a_write();
	git_configuration_changes_only_in_what_runs_nothing();
	other_processes_stay_closed();
	a_fifo_is_met_from_both_sides();
	a_lease_makes_the_open_wait();
	a_name_that_flips_is_judged_as_it_is_opened();
	a_directory_that_flips_is_judged_as_it_is_opened();
	a_relative_name_starts_at_the_directory_not_at_its_name();
	a_removed_directory_is_not_met_under_its_mark();
	a_reader_waits_for_a_writers_lease();
	a_fifo_is_opened_once();
	return gk_check_status();
}

int main(void) {
	strcpy(base, "/tmp/gk-policy-XXXXXX");
	if (mkdtemp(base) == NULL)
		return 1;
	prepare();
	setsid(); /* without a terminal */
	struct run_policy policy = {
		.deny_read = {"**/.env", "**/closed/**"},
		.deny_write = {"**/.env", "**/guarded/**/hook"},
		.deny_delete = {"**/.env"},
		.guarded = {"**/.git/config", "**/.git/hooks/**"},
		.root = base,
	};
	int status = run_supervised(&policy, attack, NULL);
	CHECK(status == 0, "status %d", status);
	CHECK(holds(".env", "secret"), "the secret changed");
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", base);
	CHECK(system(command) == 0);
	return gk_check_status();
}
