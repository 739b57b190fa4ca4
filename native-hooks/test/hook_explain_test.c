/* What a process says after a refusal, and when it says nothing. */
#include "image/decide.h"
#include "test/hooked.h"
#include "test/image_builder.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#define VECTOR(...) ((char *const *)(uintptr_t)(const char *const[]){__VA_ARGS__, NULL})
#define DENIED(action, target, reason, words)                                                              \
	"gatekeeper: denied " action " " target ": " reason ". Ask the user if you need it; they can see: " \
	"gatekeeper policy explain " action " " words "\n"

static void refuse_to_read(void) {
	answer_opens(EACCES);
}

static bool is_refused(const char *path) {
	errno = 0;
	return open(path, O_RDONLY) < 0 && errno == EACCES;
}

static void read_secret(void) {
	refuse_to_read();
	EXPECT(is_refused("/etc/passwd"));
	EXPECT(fopen("/etc/passwd", "r") == NULL && errno == EACCES); /* the same again: not a word */
}

static void read_what_no_rule_names(void) {
	refuse_to_read();
	EXPECT(is_refused("/etc/../etc/group"));
}

static void read_what_is_allowed(void) {
	refuse_to_read();
	EXPECT(is_refused("/etc/ld.so.cache"));
}

static void create(void) {
	EXPECT(chdir("/etc") == 0);
	refuse_to_read();
	EXPECT(open("gk-none", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
}

static void change_names(void) {
	answer_call(SYS_unlinkat, EACCES);
	answer_call(SYS_mkdir, EPERM);
	answer_call(SYS_rename, EACCES);
	EXPECT(unlinkat(AT_FDCWD, "/etc/passwd", 0) < 0 && errno == EACCES);
	EXPECT(mkdir("/etc/gk-none/", 0700) < 0 && errno == EPERM);
	EXPECT(rename("/etc/gk-none", "/etc/gk-other") < 0 && errno == EACCES);
}

static void other_errors(void) {
	answer_call(SYS_unlink, ENOSPC);
	EXPECT(unlink("/etc/passwd") < 0 && errno == ENOSPC && open("/etc/passwd/x", O_RDONLY) < 0 && errno == ENOTDIR);
}

static void execute(void) {
	answer_call(SYS_execve, EACCES);
	EXPECT(execve("/bin/cat", VECTOR("cat", "a b", "$(x)", ""), NULL) < 0 && errno == EACCES);
	EXPECT(execve("/bin/sh", VECTOR("sh", "-c", "x"), NULL) < 0 && errno == EACCES); /* a launcher, which no rule names */
	EXPECT(execve("/etc/passwd", VECTOR("passwd"), NULL) < 0 && errno == EACCES);	/* not for execution at all */
}

static void execute_in_child_of_vfork(void) {
	answer_call(SYS_execve, EACCES);
	for (int i = 0; i < 3; i++) {
		pid_t child = vfork();
		if (child == 0) {
			(void)execv("/bin/cat", VECTOR("cat", "x"));
			_exit(errno);
		}
		int status;
		EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == EACCES);
	}
}

static void connect_to(void) {
	answer_call(SYS_connect, EACCES);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(443)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_addr = {{{0x20, 1, [15] = 9}}}};
	struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/etc/gk-none"};
	EXPECT(inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr) == 1);
	EXPECT(connect(fd, (struct sockaddr *)&v4, sizeof(v4)) < 0 && errno == EACCES);
	EXPECT(connect(fd, (struct sockaddr *)&v6, sizeof(v6)) < 0 && errno == EACCES);
	EXPECT(connect(fd, (struct sockaddr *)&local, sizeof(local)) < 0 && errno == EACCES);
	EXPECT(connect(fd, (struct sockaddr *)&v4, 1) < 0 && connect(fd, (struct sockaddr *)&local, 2) < 0);
}

static void read_strange_name(void) {
	char *directory = enter_directory();
	const char *name = "s \x1b[31m'$(x)\n\xff\xc3\xa9\xe2\x80\xae\\x.secret";
	write_file(name, "");
	refuse_to_read();
	EXPECT(is_refused(name) && unlink(name) == 0 && rmdir(directory) == 0);
}

static void read_many(void) {
	char *directory = enter_directory(), name[32];
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "%d.secret", i);
		write_file(name, "");
	}
	refuse_to_read();
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "%d.secret", i);
		EXPECT(is_refused(name) && unlink(name) == 0);
	}
	EXPECT(rmdir(directory) == 0);
}

static void read_in_handler(int signal) {
	(void)signal;
	(void)!is_refused("/etc/passwd");
}

static void read_secret_in_handler(void) {
	static char stack[8192];
	stack_t small = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = read_in_handler, .sa_flags = SA_ONSTACK};
	EXPECT(sigaltstack(&small, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	refuse_to_read();
	EXPECT(raise(SIGUSR1) == 0);
}

static void *read_secrets(void *unused) {
	(void)unused;
	for (int i = 0; i < 200; i++)
		if (!is_refused(i % 2 ? "/etc/passwd" : "/etc/group"))
			return NULL;
	return &gk_check_failures;
}

static void read_in_threads(void) {
	pthread_t threads[6];
	refuse_to_read();
	for (unsigned i = 0; i < 6; i++)
		EXPECT(pthread_create(&threads[i], NULL, read_secrets, NULL) == 0);
	for (unsigned i = 0; i < 6; i++) {
		void *result;
		EXPECT(pthread_join(threads[i], &result) == 0 && result != NULL);
	}
}

/* What bears the number 2 by now is somebody's data. */
static void read_with_other_error_output(void) {
	char *directory = enter_directory();
	struct stat st;
	write_file("data", "");
	int kept = dup(2), data = open("data", O_RDWR | O_CLOEXEC);
	EXPECT(dup2(data, 2) == 2);
	refuse_to_read();
	bool refused = is_refused("/etc/passwd");
	EXPECT(dup2(kept, 2) == 2 && refused && fstat(data, &st) == 0 && st.st_size == 0);
	EXPECT(unlink("data") == 0 && rmdir(directory) == 0);
}

/* Writing to it would end the process. */
static void read_with_closed_pipe(void) {
	int ends[2], kept = dup(2);
	EXPECT(pipe(ends) == 0 && dup2(ends[1], 2) == 2 && close(ends[0]) == 0 && close(ends[1]) == 0);
	refuse_to_read();
	bool refused = is_refused("/etc/passwd");
	EXPECT(dup2(kept, 2) == 2 && refused);
}

static void read_with_full_pipe(void) {
	int ends[2], kept = dup(2);
	char block[4096] = {0};
	EXPECT(pipe2(ends, O_NONBLOCK) == 0);
	while (write(ends[1], block, sizeof(block)) > 0)
		;
	EXPECT(fcntl(ends[1], F_SETFL, O_WRONLY) == 0 && dup2(ends[1], 2) == 2);
	refuse_to_read();
	bool refused = is_refused("/etc/passwd");
	EXPECT(dup2(kept, 2) == 2 && refused);
}

/* A program that draws on its terminal has it hand over single keys. */
static void read_at_terminal(void) {
	int kept = dup(2), master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	EXPECT(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	struct termios terminal;
	EXPECT(slave >= 0 && tcgetattr(slave, &terminal) == 0 && dup2(slave, 2) == 2);
	refuse_to_read();
	terminal.c_lflag &= ~(tcflag_t)ICANON;
	char text[64] = {0};
	EXPECT(tcsetattr(slave, TCSANOW, &terminal) == 0 && is_refused("/etc/passwd"));
	EXPECT(read(master, text, sizeof(text)) < 0 && errno == EAGAIN);
	terminal.c_lflag |= ICANON;
	EXPECT(tcsetattr(slave, TCSANOW, &terminal) == 0 && is_refused("/etc/group"));
	EXPECT(read(master, text, 18) == 18 && memcmp(text, "gatekeeper: denied", 18) == 0);
	EXPECT(dup2(kept, 2) == 2);
}

static const struct actor actors[] = {
	{"secret", read_secret},	   {"no rule", read_what_no_rule_names},      {"allowed", read_what_is_allowed},
	{"create", create},		   {"names", change_names},		      {"other errors", other_errors},
	{"execute", execute},		   {"vfork", execute_in_child_of_vfork},      {"connect", connect_to},
	{"strange", read_strange_name},	   {"many", read_many},			      {"handler", read_secret_in_handler},
	{"threads", read_in_threads},	   {"other file", read_with_other_error_output}, {"closed pipe", read_with_closed_pipe},
	{"full pipe", read_with_full_pipe}, {"terminal", read_at_terminal},
};

static void describe(struct builder *b, uint32_t rule, const char *reason, const char *label) {
	struct gk_text_record texts[] = {build_text(b, reason), build_text(b, label)};
	struct gk_rule_record *record = (struct gk_rule_record *)(void *)b->section[GK_SECTION_RULES].at + rule;
	record->reason = texts[0];
	record->label = texts[1];
}

/* Reading /etc/passwd and *.secret is denied, and /etc/ld.so.cache allowed; cat is denied; for the rest the defaults speak. */
static void write_image(const char *path) {
	struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	uint32_t secret = build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 0, "/etc/passwd");
	describe(&b, secret, "secrets stay\x1b here", "user:a.yaml:4");
	describe(&b, build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 0, "/tmp/**.secret"), "", "user:a.yaml:5");
	(void)build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, 0, 0, "/etc/ld.so.cache");
	uint32_t ask = build_path(&b, GK_ACTION_FILE_DELETE, GK_EFFECT_ASK, 0, 0, "/etc/**");
	describe(&b, ask, "", "user:a.yaml:6");
	b.actions[GK_ACTION_FILE_READ].stated = 1;
	b.actions[GK_ACTION_FILE_READ].rule = secret;
	uint32_t cat = build_rule(&b, GK_ACTION_SHELL_EXEC, GK_EFFECT_DENY, 0, 0);
	build_pattern(&b, GK_ACTION_SHELL_EXEC, GK_AUTOMATON_COMMAND_BASE, 0, "cat **", cat);
	describe(&b, cat, "no cats", "user:a.yaml:7");
	static const char *const launchers[] = {"bash", "dash", "sh"};
	for (unsigned i = 0; i < GK_COUNT(launchers); i++) {
		struct gk_text_record launcher = build_text(&b, launchers[i]);
		bytes_add(&b.section[GK_SECTION_LAUNCHERS], &launcher, sizeof(launcher));
	}
	struct bytes image = build_end(&b);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, image.at, image.length) != (ssize_t)image.length || close(fd) != 0)
		abort();
	free(image.at);
}

static char image[] = "/tmp/gk-hook-image-XXXXXX";

static const char *hook_value(const char *letters, const char *path) {
	static char value[PATH_MAX];
	snprintf(value, sizeof(value), "%s:%s", letters, path);
	return value;
}

#define CHECK_SAYS(actor, ...)                                                                                             \
	do {                                                                                                               \
		struct hooked_outcome said = run_hooked(actor, hook_value("", image));                                     \
		CHECK(said.status == 0 && strcmp(said.error_output, "" __VA_ARGS__) == 0, "%s: status %#x, said: %s", actor, \
		      (unsigned)said.status, said.error_output);                                                           \
	} while (0)

static unsigned lines_of(const char *text) {
	unsigned lines = 0;
	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void refusals_are_explained(void) {
	const char *passwd = DENIED("file_read", "/etc/passwd", "secrets stay\\x1b here (user:a.yaml:4)", "/etc/passwd");
	const char *group = DENIED("file_read", "/etc/group", "no rule allows it (user:a.yaml:4)", "/etc/group");
	struct hooked_outcome o = run_hooked("secret", hook_value("", image));
	CHECK(o.status == 0 && strcmp(o.error_output, passwd) == 0, "status %#x, said: %s", (unsigned)o.status, o.error_output);
	o = run_hooked("secret", hook_value("dh", image));
	CHECK(o.status == 0 && strcmp(o.error_output, passwd) == 0, "status %#x, said: %s", (unsigned)o.status, o.error_output);
	o = run_hooked("handler", hook_value("", image));
	CHECK(o.status == 0 && strcmp(o.error_output, passwd) == 0, "status %#x, said: %s", (unsigned)o.status, o.error_output);
	o = run_hooked("threads", hook_value("", image));
	CHECK(o.status == 0 && strstr(o.error_output, passwd) && strstr(o.error_output, group), "status %#x, said: %s", (unsigned)o.status,
	      o.error_output);
	o = run_hooked("many", hook_value("", image));
	CHECK(o.status == 0 && lines_of(o.error_output) >= 8 && lines_of(o.error_output) < 16, "status %#x, said: %s", (unsigned)o.status,
	      o.error_output);
}

int main(int argc, char **argv) {
	if (argc == 2)
		return act(actors, sizeof(actors) / sizeof(*actors), argv[1]) ? 0 : 2;
	int fd = mkstemp(image);
	if (fd < 0)
		return 2;
	close(fd);
	write_image(image);
	refusals_are_explained();
	CHECK_SAYS("allowed");
	CHECK_SAYS("no rule", DENIED("file_read", "/etc/group", "no rule allows it (user:a.yaml:4)", "/etc/group"));
	CHECK_SAYS("other errors");
	CHECK_SAYS("create", DENIED("file_write", "/etc/gk-none", "no rule allows it", "/etc/gk-none"));
	CHECK_SAYS("names", DENIED("file_delete", "/etc/passwd", "a rule asks for it (user:a.yaml:6)", "/etc/passwd")
				    DENIED("file_write", "/etc/gk-none", "no rule allows it", "/etc/gk-none")
					    DENIED("file_delete", "/etc/gk-none", "a rule asks for it (user:a.yaml:6)", "/etc/gk-none")
						    DENIED("file_write", "/etc/gk-other", "no rule allows it", "/etc/gk-other"));
	CHECK_SAYS("execute", DENIED("shell_exec", "cat 'a b' $(x) ''", "no cats (user:a.yaml:7)", "cat 'a b' '$(x)' ''"));
	CHECK_SAYS("vfork", DENIED("shell_exec", "cat x", "no cats (user:a.yaml:7)", "cat x"));
	CHECK_SAYS("connect", DENIED("network", "192.0.2.7:443", "no rule allows it", "192.0.2.7:443")
				      DENIED("network", "[2001:0:0:0:0:0:0:9]:80", "no rule allows it", "'[2001:0:0:0:0:0:0:9]:80'")
					      DENIED("unix_socket", "/etc/gk-none", "no rule allows it", "/etc/gk-none"));
	struct hooked_outcome o = run_hooked("strange", hook_value("", image));
	CHECK(o.status == 0 && strstr(o.error_output, "/s \\x1b[31m'$(x)\\x0a\\xff\xc3\xa9\\u{202e}\\\\x.secret: a rule denies it (user:a.yaml:5).") &&
		      strstr(o.error_output, "/s \\x1b[31m'\\''$(x)\\x0a\\xff\xc3\xa9\\u{202e}\\\\x.secret'\n"),
	      "status %#x, said: %s", (unsigned)o.status, o.error_output);
	CHECK_SAYS("other file");
	CHECK_SAYS("closed pipe");
	CHECK_SAYS("full pipe");
	CHECK_SAYS("terminal");
	CHECK_HOOKED("secret", hook_value("q", image));
	CHECK_HOOKED("secret", hook_value("", "/nonexistent"));
	CHECK_HOOKED("secret", hook_value("", "/etc/group"));
	CHECK_HOOKED("secret", hook_value("", "/dev/zero"));
	CHECK_HOOKED("secret", NULL);
	unlink(image);
	return gk_check_status();
}
