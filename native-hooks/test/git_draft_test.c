/* Files that point git elsewhere appear only with what the supervisor has read and judged, whatever their writer does meanwhile. */
#include "test/files_run.h"

#include "test/check.h"

#include <sys/mman.h>

#define GOOD "gitdir: ../.git/modules/s\n"
#define EVIL "gitdir: ../evil-repository\n"
#define DENIED(call) CHECK((call) == -1 && errno == EACCES, "errno %d", errno)
#define WORKS(call) CHECK((call) == 0, "errno %d", errno)

static char base[64];

static int make(const char *name, int flags) {
	int fd = open(name, flags | O_CREAT | O_CLOEXEC, 0640);
	CHECK(fd >= 0, "%s: errno %d", name, errno);
	return fd;
}

static void put(int fd, const char *text) {
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "errno %d", errno);
}

static void write_file(const char *name, const char *text) {
	int fd = make(name, O_WRONLY | O_TRUNC);
	put(fd, text);
	close(fd);
}

/* Any call that is trapped, as the next one of whoever wrote it would be. */
static void look_elsewhere(void) {
	close(open("nothing", O_RDONLY));
}

static bool holds(const char *name, const char *text) {
	char have[4096];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, have, sizeof have);
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) && memcmp(have, text, (size_t)n) == 0;
}

static bool is_there(const char *name) {
	struct stat st;
	look_elsewhere();
	return lstat(name, &st) == 0;
}

static void prepare(void) {
	int failed = chdir(base) + mkdir(".git", 0755) + mkdir(".git/modules", 0755) + mkdir(".git/worktrees", 0755) +
		     mkdir(".git/worktrees/t", 0755) + mkdir("evil-repository", 0755) + mkdir("s", 0755) + mkdir("t", 0755) + mkdir("old", 0755) +
		     mkdir("shared", 0755);
	if (failed != 0)
		abort();
	write_file("old/.git", GOOD);
	write_file("shared/.git", GOOD);
	if (link("shared/.git", "shared/other") < 0)
		abort();
	write_file("plain", EVIL);
}

static void what_git_writes_appears(void) {
	struct stat st;
	umask(027);
	write_file("s/.git", GOOD);
	CHECK(holds("s/.git", GOOD));
	CHECK(stat("s/.git", &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640 && st.st_uid == getuid(), "%o", st.st_mode);
	int fd = open("s/.git", O_WRONLY | O_TRUNC);
	put(fd, GOOD);
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0640, "%o", st.st_mode);
	WORKS(fchmod(fd, 0644));
	WORKS(futimens(fd, (struct timespec[]){{.tv_sec = 1}, {.tv_sec = 2}}));
	close(fd);
	look_elsewhere();
	CHECK(stat("s/.git", &st) == 0 && (st.st_mode & 0777) == 0644 && st.st_mtim.tv_sec == 2, "%o", st.st_mode);
	write_file("s/.git", "gitdir: ../.git/modules/longer/name\n");
	CHECK(holds("s/.git", "gitdir: ../.git/modules/longer/name\n"));
	write_file("s/.git", GOOD);
	CHECK(holds("s/.git", GOOD));
	WORKS(unlink("s/.git"));
	char text[128];
	snprintf(text, sizeof text, "%s/t/.git\n", base);
	write_file(".git/worktrees/t/gitdir", text);
	write_file(".git/worktrees/t/commondir", "../..\n");
	CHECK(holds(".git/worktrees/t/gitdir", text) && holds(".git/worktrees/t/commondir", "../..\n"));
	write_file(".git/worktrees/t/gitdir", "/etc/.git\n");
	write_file(".git/worktrees/t/commondir", "../../../evil-repository\n");
	CHECK(holds(".git/worktrees/t/gitdir", text) && holds(".git/worktrees/t/commondir", "../..\n"));
	DENIED(rename("plain", ".git/worktrees/t/commondir"));
	DENIED(link(".git/worktrees/t/commondir", "other"));
	DENIED(symlink("plain", ".git/worktrees/t/config"));
	WORKS(unlink(".git/worktrees/t/gitdir"));
	WORKS(unlink(".git/worktrees/t/commondir"));
}

static void anything_else_does_not(void) {
	static const char *const texts[] = {EVIL, "", "x", "gitdir: ../.git/modules/../../evil-repository\n", "gitdir: ../nothing/.git/modules/s\n"};
	for (size_t i = 0; i < GK_COUNT(texts); i++) {
		write_file("s/.git", texts[i]);
		CHECK(!is_there("s/.git"), "%s", texts[i]);
	}
	WORKS(symlink(".", "way"));
	write_file("s/.git", "gitdir: ../way/.git/modules/s\n");
	CHECK(!is_there("s/.git"), "a link on the way");
	WORKS(unlink("way"));
	DENIED(symlink("../evil-repository", "s/.git"));
	DENIED(mknod("s/.git", S_IFREG | 0644, 0));
	DENIED(rename("plain", "s/.git"));
	DENIED(link("plain", "s/.git"));
}

static void what_is_there_is_not_changed_into_it(void) {
	int fd = open("old/.git", O_WRONLY | O_APPEND);
	put(fd, "/../../evil-repository\n");
	close(fd);
	fd = open("old/.git", O_RDWR);
	put(fd, EVIL);
	close(fd);
	write_file("old/.git", EVIL);
	fd = open("old/.git", O_RDONLY);
	char again[64];
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	int writer = open(again, O_WRONLY | O_TRUNC);
	put(writer, EVIL);
	close(writer);
	close(fd);
	CHECK(holds("old/.git", GOOD));
	DENIED(truncate("old/.git", 12));
	DENIED(open("old/.git", O_RDONLY | O_TRUNC));
	DENIED(link("old/.git", "other"));
	/* its other name is as good as it */
	DENIED(open("shared/.git", O_WRONLY));
	WORKS(rename("old/.git", "old/moved"));
	write_file("old/moved", EVIL);
	DENIED(rename("old/moved", "old/.git"));
	CHECK(!is_there("old/.git"));
}

static void nothing_is_judged_before_its_last_writer_is_gone(void) {
	struct stat st;
	int fd = make("s/.git", O_RDWR | O_TRUNC), second = dup(fd);
	put(fd, GOOD);
	close(fd);
	look_elsewhere();
	CHECK(stat("s/.git", &st) == 0 && st.st_size == 0, "published with a second descriptor open");
	DENIED(open("s/.git", O_RDONLY | O_TRUNC));
	CHECK(pwrite(second, EVIL, strlen(EVIL), 0) == (ssize_t)strlen(EVIL));
	close(second);
	CHECK(!is_there("s/.git"), "changed by a second descriptor");

	fd = make("s/.git", O_RDWR | O_TRUNC);
	put(fd, GOOD);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	look_elsewhere();
	CHECK(map != MAP_FAILED && stat("s/.git", &st) == 0 && st.st_size == 0, "published while it is mapped");
	memcpy(map, EVIL, strlen(GOOD));
	munmap(map, 4096);
	CHECK(!is_there("s/.git"), "changed by a mapping");

	fd = make("s/.git", O_RDWR | O_TRUNC);
	put(fd, GOOD);
	char again[64];
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	int reader = open(again, O_RDONLY);
	CHECK(reader >= 0, "errno %d", errno);
	close(fd);
	CHECK(holds("s/.git", GOOD));
	snprintf(again, sizeof again, "/proc/self/fd/%d", reader);
	fd = open(again, O_RDWR);
	if (fd >= 0)
		put(fd, EVIL);
	close(fd);
	close(reader);
	CHECK(holds("s/.git", GOOD), "changed after it was put in place");
	WORKS(unlink("s/.git"));
}

static void the_name_that_was_opened_gets_it_or_none(void) {
	struct stat st;
	int fd = make("s/.git", O_WRONLY);
	put(fd, GOOD);
	WORKS(rename("s", "s2"));
	WORKS(rename("evil-repository", "s"));
	close(fd);
	CHECK(!is_there("s/.git"), "written into another directory");
	CHECK(stat("s2/.git", &st) == 0 && st.st_size == 0, "written at another name");
	WORKS(unlink("s2/.git"));
	WORKS(rename("s", "evil-repository"));
	WORKS(rename("s2", "s"));

	fd = make("s/.git", O_WRONLY);
	put(fd, GOOD);
	WORKS(unlink("s/.git"));
	WORKS(mkdir("s/.git", 0755));
	close(fd);
	CHECK(is_there("s/.git") && lstat("s/.git", &st) == 0 && S_ISDIR(st.st_mode));
	WORKS(rmdir("s/.git"));

	fd = make("s/.git", O_WRONLY);
	DENIED(link("s/.git", "other"));
	WORKS(rename("s/.git", "elsewhere"));
	write_file("elsewhere", EVIL);
	put(fd, GOOD);
	close(fd);
	look_elsewhere();
	CHECK(holds("elsewhere", EVIL) && !is_there("s/.git"));
}

static void many_at_once_are_refused_and_hold_up_nobody(void) {
	enum { MANY = 40 };
	int fds[MANY], opened = 0;
	char name[32];
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "m%d", i);
		WORKS(mkdir(name, 0755));
		snprintf(name, sizeof name, "m%d/.git", i);
		fds[i] = open(name, O_WRONLY | O_CREAT, 0644);
		CHECK(fds[i] >= 0 || errno == EMFILE, "errno %d", errno);
		CHECK((fds[i] >= 0) == is_there(name), "%s", name);
		opened += fds[i] >= 0;
	}
	CHECK(opened > 0 && opened < MANY, "%d", opened);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	write_file("s/.git", GOOD);
	CHECK(holds("s/.git", GOOD));
	CHECK(!is_there("m0/.git"));
}

static int body(void *context) {
	(void)context;
	what_git_writes_appears();
	anything_else_does_not();
	what_is_there_is_not_changed_into_it();
	nothing_is_judged_before_its_last_writer_is_gone();
	the_name_that_was_opened_gets_it_or_none();
	many_at_once_are_refused_and_hold_up_nobody();
	return gk_check_status();
}

int main(void) {
	snprintf(base, sizeof base, "/tmp/gk-draft-XXXXXX");
	if (mkdtemp(base) == NULL)
		return 1;
	prepare();
	struct run_policy policy = {
		.guarded = {"**/.git/modules/**/config", "**/.git/modules/**/config.worktree", "**/.git/modules/**/commondir",
			    "**/.git/modules/**/hooks/*", "**/.git/worktrees/*/gitdir", "**/.git/worktrees/*/commondir",
			    "**/.git/worktrees/*/config"},
		.deny_write = {"/etc/**"},
		.root = base,
	};
	int status = run_supervised(&policy, body, NULL);
	CHECK(status == 0, "status %d", status);
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", base);
	CHECK(system(command) == 0);
	return gk_check_status();
}
