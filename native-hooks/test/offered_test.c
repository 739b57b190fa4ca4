/* What the run reads in place of the system's resolv.conf, hosts and nsswitch.conf, by every way to their names, and what it gets for all else that it does with them. */
#include "test/files_run.h"

#include "supervise/openat2.h"
#include "test/check.h"

static char base[64];

static void write_file(const char *name, const char *text) {
	unlink(name);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

static bool fd_holds(int fd, const char *text) {
	char have[256];
	ssize_t n = fd < 0 ? -1 : read(fd, have, sizeof have - 1);
	if (fd >= 0)
		close(fd);
	have[n < 0 ? 0 : n] = '\0';
	if (n < 0 || strcmp(have, text) != 0)
		fprintf(stderr, "holds '%s' (%zd)\n", have, n);
	return n >= 0 && strcmp(have, text) == 0;
}

static bool holds(const char *name, const char *text) {
	return fd_holds(open(name, O_RDONLY | O_CLOEXEC), text);
}

#define FAILS(call, error) CHECK((call) == -1 && errno == (error), "errno %d", errno)

static void every_way_to_the_names_leads_to_what_is_offered(void) {
	char name[PATH_MAX];
	static const char *const hosts[] = {"etc/hosts", "./etc/../etc/hosts", "etc//hosts", "toetc/hosts", "tohosts", "/proc/self/cwd/etc/hosts",
					    "/proc/thread-self/cwd/tohosts", "/proc/self/fd/80", "/dev/fd/80", "/proc/self/fd/81/hosts"};
	int held = open("etc/hosts", O_PATH), directory = open("etc", O_PATH | O_DIRECTORY);
	CHECK(dup2(held, 80) == 80 && dup2(directory, 81) == 81);
	for (size_t i = 0; i < GK_COUNT(hosts); i++)
		CHECK(holds(hosts[i], "offered hosts"), "%s", hosts[i]);
	snprintf(name, sizeof name, "%s/etc/hosts", base);
	CHECK(holds(name, "offered hosts"));
	snprintf(name, sizeof name, "/proc/self/root%s/etc/hosts", base);
	CHECK(holds(name, "offered hosts"));
	CHECK(fd_holds(openat(81, "hosts", O_RDONLY), "offered hosts"));
	CHECK(fd_holds(gk_openat2(81, "hosts", O_RDONLY, 0, GK_RESOLVE_BENEATH), "offered hosts"));
	CHECK(holds("etc/resolv.conf", "offered resolv.conf"));
	CHECK(holds("etc/../run/stub.conf", "offered resolv.conf") && holds("run/stub.conf", "offered resolv.conf"), "what the link leads to");
	CHECK(holds("etc/nsswitch.conf", "offered nsswitch.conf"));
	CHECK(holds("run/other.conf", "other.conf") && holds("etc/hostname", "hostname") && holds("elsewhere/hosts", "elsewhere"));
}

static void flags_are_those_of_the_caller(void) {
	int fd = open("etc/hosts", O_RDONLY);
	CHECK(fcntl(fd, F_GETFD) == 0 && (fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_PATH)) == O_RDONLY);
	FAILS(write(fd, "x", 1), EBADF);
	close(fd);
	fd = open("etc/hosts", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_CREAT, 0644);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK(fd_holds(fd, "offered hosts"));
	FAILS(open("etc/hosts", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open("etc/hosts", O_RDONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	FAILS(open("etc/hosts/x", O_RDONLY), ENOTDIR);
	FAILS(open("etc/resolv.conf", O_RDONLY | O_NOFOLLOW), ELOOP);
}

/* The daemon puts another in its place, beside the run. */
static void the_newest_is_read_each_time(void) {
	write_file("offered/new", "newer hosts");
	CHECK(rename("offered/new", "offered/hosts") == 0);
	CHECK(holds("etc/hosts", "newer hosts") && holds("tohosts", "newer hosts"));
	CHECK(unlink("offered/hosts") == 0);
	CHECK(holds("etc/hosts", "system hosts") && holds("tohosts", "system hosts"), "nothing is offered");
	CHECK(symlink("../etc/hostname", "offered/hosts") == 0);
	CHECK(holds("etc/hosts", "system hosts"), "a link is not what the daemon makes");
	CHECK(unlink("offered/hosts") == 0 && mkfifo("offered/hosts", 0600) == 0);
	CHECK(holds("etc/hosts", "system hosts"), "nor a FIFO");
	CHECK(unlink("offered/hosts") == 0);
	write_file("offered/hosts", "offered hosts");
}

static void a_link_is_followed_to_where_it_leads_now(void) {
	write_file("run/new-resolv.conf", "new resolver");
	CHECK(holds("run/new-resolv.conf", "new resolver"));
	CHECK(unlink("etc/resolv.conf") == 0 && symlink("../run/new-resolv.conf", "etc/resolv.conf") == 0);
	CHECK(holds("etc/resolv.conf", "offered resolv.conf") && holds("run/new-resolv.conf", "offered resolv.conf"));
}

static void all_else_is_done_with_the_systems_own(void) {
	struct stat by_name, by_path;
	int held = open("etc/hosts", O_PATH);
	CHECK(stat("etc/hosts", &by_name) == 0 && fstat(held, &by_path) == 0 && by_name.st_ino == by_path.st_ino && by_name.st_size == 12);
	close(held);
	CHECK(fd_holds(open("etc/hosts", O_RDWR), "system hosts"));
	int fd = open("etc/hosts", O_WRONLY | O_APPEND);
	CHECK(fd >= 0 && write(fd, "!", 1) == 1 && close(fd) == 0);
	CHECK(fd_holds(open("etc/hosts", O_RDWR), "system hosts!") && holds("etc/hosts", "offered hosts"));
	fd = open("etc/hosts", O_RDONLY | O_TRUNC);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(fd_holds(open("etc/hosts", O_RDWR), "") && holds("etc/hosts", "offered hosts"));
	CHECK(truncate("etc/hosts", 0) == 0);
}

static int use(void *context) {
	(void)context;
	every_way_to_the_names_leads_to_what_is_offered();
	flags_are_those_of_the_caller();
	the_newest_is_read_each_time();
	all_else_is_done_with_the_systems_own();
	a_link_is_followed_to_where_it_leads_now();
	return gk_check_status();
}

/* Of these neither is there when the run starts; the link leads to what is not there yet. */
static int use_absent(void *context) {
	(void)context;
	CHECK(holds("absent/hosts", "offered hosts") && holds("./toabsent/hosts", "offered hosts"));
	CHECK(holds("absent/resolv.conf", "offered resolv.conf") && holds("run/later.conf", "offered resolv.conf"));
	FAILS(open("absent/hosts", O_RDONLY | O_DIRECTORY), ENOENT);
	FAILS(open("absent/hosts/", O_RDONLY), ENOENT);
	FAILS(open("absent/hosts", O_RDWR), ENOENT);
	FAILS(open("absent/other", O_RDONLY), ENOENT);
	FAILS(access("absent/hosts", F_OK), ENOENT);
	write_file("run/later.conf", "system resolv.conf");
	CHECK(holds("absent/resolv.conf", "offered resolv.conf") && holds("run/later.conf", "offered resolv.conf"));
	write_file("absent/hosts", "system hosts");
	CHECK(holds("absent/hosts", "offered hosts"));
	CHECK(unlink("offered/hosts") == 0 && unlink("absent/hosts") == 0);
	FAILS(open("absent/hosts", O_RDONLY), ENOENT);
	return gk_check_status();
}

static int use_denied(void *context) {
	(void)context;
	FAILS(open("etc/hosts", O_RDONLY), EACCES);
	FAILS(open("tohosts", O_RDONLY), EACCES);
	FAILS(open("absent/hosts", O_RDONLY), ENOENT);
	CHECK(holds("etc/resolv.conf", "offered resolv.conf"));
	return gk_check_status();
}

static int use_denied_and_absent(void *context) {
	(void)context;
	FAILS(open("absent/hosts", O_RDONLY), EACCES);
	return gk_check_status();
}

static int use_nothing(void *context) {
	(void)context;
	CHECK(holds("etc/hosts", "system hosts") && holds("etc/resolv.conf", "stub.conf"));
	FAILS(open("absent/hosts", O_RDONLY), ENOENT);
	return gk_check_status();
}

/* Made before each run, bare. */
static void prepare(void) {
	strcpy(base, "/tmp/gk-offered-XXXXXX");
	if (mkdtemp(base) == NULL || chdir(base) < 0)
		abort();
	int failed = mkdir("etc", 0755) + mkdir("run", 0755) + mkdir("offered", 0700) + mkdir("elsewhere", 0755) + mkdir("absent", 0755) +
		     symlink("etc", "toetc") + symlink("etc/hosts", "tohosts") + symlink("absent", "toabsent") +
		     symlink("../run/stub.conf", "etc/resolv.conf") + symlink("../run/later.conf", "absent/resolv.conf");
	write_file("etc/hosts", "system hosts");
	write_file("etc/nsswitch.conf", "system nsswitch.conf");
	write_file("etc/hostname", "hostname");
	write_file("run/stub.conf", "stub.conf");
	write_file("run/other.conf", "other.conf");
	write_file("elsewhere/hosts", "elsewhere");
	write_file("offered/hosts", "offered hosts");
	write_file("offered/resolv.conf", "offered resolv.conf");
	write_file("offered/nsswitch.conf", "offered nsswitch.conf");
	if (failed != 0)
		abort();
}

static void run(int (*body)(void *), const char *system_name, const char *denied) {
	char offered[128], in_place_of[128], command[128];
	int status = -1;
	prepare();
	snprintf(offered, sizeof offered, "%s/offered", base);
	snprintf(in_place_of, sizeof in_place_of, "%s/%s", base, system_name == NULL ? "etc" : system_name);
	pid_t pid = fork();
	if (pid == 0) {
		struct run_policy policy = {.deny_read = {denied}, .offered = system_name == NULL ? NULL : offered, .system = in_place_of, .root = base};
		_exit(run_supervised(&policy, body, NULL));
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "status %x", (unsigned)status);
	snprintf(command, sizeof command, "rm -rf %s", base);
	CHECK(chdir("/") == 0 && system(command) == 0);
}

int main(void) {
	run(use, "etc", NULL);
	run(use_absent, "absent", NULL);
	run(use_denied, "etc", "**/etc/hosts");
	run(use_denied_and_absent, "absent", "**/absent/hosts");
	run(use_nothing, NULL, NULL);
	return gk_check_status();
}
