/* The three nested Landlock domains: what each lets through, and who may look at whom. */
#include "launch/floor.h"
#include "sys/landlock.h"
#include "test/check.h"
#include "test/child.h"
#include "test/image_builder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static char root[32], path[8][64];
enum { EXECUTABLE, READABLE, WRITABLE, OUTSIDE, RUN_DIR, IMAGES, TYPED, OFFERED };

static void rights_follow_the_access(void) {
	CHECK(gk_floor_supervisor_rights(GK_FLOOR_READ) == (GK_FS_EXECUTE | GK_FS_READ_FILE | GK_FS_READ_DIR));
	CHECK(gk_floor_supervisor_rights(GK_FLOOR_WRITE) == GK_FS_ALL);
	CHECK(gk_floor_supervisor_rights(GK_FLOOR_EXECUTE) == (GK_FS_EXECUTE | GK_FS_READ_FILE));
	CHECK(gk_floor_supervisor_rights(0) == 0);
	CHECK(gk_floor_agent_rights(GK_FLOOR_READ | GK_FLOOR_EXECUTE) == (GK_FS_EXECUTE | GK_FS_READ_FILE));
	CHECK(gk_floor_agent_rights(GK_FLOOR_READ | GK_FLOOR_WRITE) == 0, "what is not executed is never opened by the agent itself");
}

static void make_tree(void) {
	static const char *const names[] = {"executable", "readable", "writable", "outside", "run", "images", "typed", "offered"};
	strcpy(root, "/tmp/gk-floor-XXXXXX");
	if (!mkdtemp(root))
		abort();
	for (size_t i = 0; i < GK_COUNT(names); i++) {
		char file[160];
		snprintf(path[i], sizeof(path[i]), "%.31s/%s", root, names[i]);
		snprintf(file, sizeof(file), "%.63s/file", path[i]);
		if (mkdir(path[i], 0700) < 0 || close(creat(file, 0700)) < 0)
			abort();
	}
}

/* Allows what the names say, with these hierarchies as its region. */
static struct gk_image *make_image(const char *const region[], bool files) {
	static struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	const struct gk_floor_record entries[] = {
		{.path = build_text(&b, path[EXECUTABLE]), .access = GK_FLOOR_READ | GK_FLOOR_EXECUTE},
		{.path = build_text(&b, path[READABLE]), .access = GK_FLOOR_READ},
		{.path = build_text(&b, path[WRITABLE]), .access = GK_FLOOR_READ | GK_FLOOR_WRITE},
		{.path = build_text(&b, "/nonexistent/place"), .access = GK_FLOOR_READ},
	};
	bytes_add(&b.section[GK_SECTION_FLOOR], entries, sizeof(entries));
	for (size_t i = 0; region[i] != NULL; i++) {
		const struct gk_region_record entry = {.path = build_text(&b, region[i]), .flags = files ? GK_REGION_FILES : 0};
		bytes_add(&b.section[GK_SECTION_REGION], &entry, sizeof(entry));
	}
	struct bytes bytes = build_end(&b);
	struct gk_image *image = NULL;
	const char *why = "";
	int error = gk_image_over(bytes.at, bytes.length, &image, &why);
	CHECK(error == 0, "%s", why);
	return image;
}

static int try_open(int place, const char *name, int flags) {
	char file[200];
	snprintf(file, sizeof(file), "%s/%s", path[place], name);
	int fd = open(file, flags | O_CLOEXEC, 0600);
	int error = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error;
}

static void enter(int ruleset) {
	EXPECT(gk_ruleset_enforce(ruleset) == 0);
}

static void check_supervisor_domain(void) {
	EXPECT(try_open(READABLE, "file", O_RDONLY) == 0 && try_open(READABLE, "file", O_WRONLY) == EACCES);
	EXPECT(try_open(WRITABLE, "file", O_RDWR) == 0 && try_open(WRITABLE, "new", O_WRONLY | O_CREAT) == 0);
	EXPECT(try_open(OUTSIDE, "file", O_RDONLY) == EACCES);
	EXPECT(try_open(RUN_DIR, "journal-000002", O_RDWR | O_CREAT) == 0);
	EXPECT(try_open(IMAGES, "file", O_RDONLY) == 0 && try_open(IMAGES, "file", O_WRONLY) == EACCES);
	EXPECT(try_open(TYPED, "file", O_RDONLY) == 0 && try_open(TYPED, "file", O_WRONLY) == EACCES);
	EXPECT(try_open(OFFERED, "file", O_RDONLY) == 0 && try_open(OFFERED, "file", O_WRONLY) == EACCES);
	EXPECT(try_open(OFFERED, "new", O_WRONLY | O_CREAT) == EACCES);
	EXPECT(try_open(OUTSIDE, ".", O_RDONLY) == 0); /* beneath a root of the image, where names may be listed */
}

static long read_from(pid_t pid, void *address, char *out) {
	struct iovec local = {out, 1}, remote = {address, 1};
	return process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 ? -errno : 1;
}

static long take_from(pid_t pid, int number) {
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	long fd = pidfd < 0 ? -1 : syscall(438 /* pidfd_getfd */, pidfd, number, 0);
	return fd < 0 ? -errno : 1;
}

static char landmark = 'x';

/* The agent's side; supervisor is not hidden (dumpable), so that only Landlock stands between. */
static void check_agent_domain(pid_t supervisor) {
	char byte, name[64], target[64];
	EXPECT(try_open(EXECUTABLE, "file", O_RDONLY) == 0 && try_open(EXECUTABLE, ".", O_RDONLY) == EACCES);
	EXPECT(try_open(READABLE, "file", O_RDONLY) == EACCES && try_open(READABLE, ".", O_RDONLY) == EACCES);
	EXPECT(try_open(WRITABLE, "file", O_WRONLY) == EACCES && try_open(WRITABLE, "new2", O_WRONLY | O_CREAT) == EACCES);
	EXPECT(try_open(RUN_DIR, "file", O_RDONLY) == EACCES && try_open(OUTSIDE, "file", O_RDONLY) == EACCES);
	EXPECT(try_open(OFFERED, "file", O_RDONLY) == EACCES); /* it is opened for the agent */
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(connect(tcp, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno == EACCES);
	EXPECT(kill(supervisor, 0) < 0 && errno == EPERM);
	EXPECT(read_from(supervisor, &landmark, &byte) == -EPERM);
	EXPECT(take_from(supervisor, 0) == -EPERM);
	snprintf(name, sizeof(name), "/proc/%d/mem", supervisor);
	EXPECT(open(name, O_RDONLY) < 0 && errno == EACCES);
	snprintf(name, sizeof(name), "/proc/%d/root", supervisor);
	EXPECT(readlink(name, target, sizeof(target)) < 0 && errno == EACCES);
}

static void check_supervisor_sees(pid_t agent) {
	char byte, name[64], target[256];
	EXPECT(read_from(agent, &landmark, &byte) == 1 && byte == 'x');
	EXPECT(take_from(agent, 0) == 1);
	static const char *const links[] = {"exe", "cwd", "root", "fd/0"};
	for (size_t i = 0; i < GK_COUNT(links); i++) {
		snprintf(name, sizeof(name), "/proc/%d/%s", agent, links[i]);
		EXPECT(readlink(name, target, sizeof(target)) > 0);
	}
	snprintf(name, sizeof(name), "/proc/%d/status", agent);
	EXPECT(close(open(name, O_RDONLY)) == 0);
	EXPECT(kill(agent, 0) == 0);
}

static void domains_nest(void) {
	struct gk_typed typed = {.count = 1};
	char file[160];
	snprintf(file, sizeof(file), "%s/file", path[TYPED]);
	typed.file[0] = open(file, O_PATH);
	const char *const nothing[] = {NULL};
	struct gk_region none = {0};
	const struct gk_floor_input input = {
		.image = make_image(nothing, false), .typed = &typed, .run_dir = path[RUN_DIR], .images = path[IMAGES], .offered = path[OFFERED],
		.region = &none};
	struct gk_floor floor;
	int done[2], ready[2];
	EXPECT(gk_floor_build(&input, &floor) == 0);
	EXPECT(pipe(done) == 0 && pipe(ready) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	enter(floor.supervisor);
	check_supervisor_domain();
	pid_t supervisor = getpid(), agent = fork();
	if (agent == 0) {
		enter(floor.border);
		EXPECT(try_open(WRITABLE, "file", O_RDWR) == 0);
		enter(floor.agent);
		check_agent_domain(supervisor);
		char byte;
		EXPECT(write(ready[1], "", 1) == 1 && read(done[0], &byte, 1) == 1);
		_exit(0);
	}
	close(ready[1]);
	char byte;
	EXPECT(read(ready[0], &byte, 1) == 1);
	check_supervisor_sees(agent);
	int status;
	EXPECT(write(done[1], "", 1) == 1 && waitpid(agent, &status, 0) == agent && status == 0);
}

/* Enters the agent's domain alone. The hints that hold then. */
static enum gk_hints enter_agent(const char *const entries[], bool files, int typed_place) {
	struct gk_typed typed = {.count = 1};
	char file[160];
	snprintf(file, sizeof(file), "%s/file", path[typed_place]);
	typed.file[0] = open(file, O_PATH);
	struct gk_region region;
	struct gk_floor floor;
	struct gk_floor_input input = {
		.image = make_image(entries, files), .typed = &typed, .run_dir = path[RUN_DIR], .images = path[IMAGES], .region = &region};
	EXPECT(gk_region_open(input.image, &region) == 0 && gk_floor_build(&input, &floor) == 0);
	EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	enter(floor.agent);
	return region.hints;
}

static void directories_of_the_region_are_listed(void) {
	const char *const region[] = {path[EXECUTABLE], path[READABLE], NULL};
	EXPECT(enter_agent(region, false, EXECUTABLE) == GK_HINTS_DIRECTORIES);
	EXPECT(try_open(READABLE, ".", O_RDONLY | O_DIRECTORY) == 0 && try_open(READABLE, "file", O_RDONLY) == EACCES);
	EXPECT(try_open(EXECUTABLE, ".", O_RDONLY) == 0 && try_open(EXECUTABLE, "file", O_RDONLY) == 0);
	EXPECT(try_open(WRITABLE, ".", O_RDONLY) == EACCES && try_open(READABLE, "new", O_WRONLY | O_CREAT) == EACCES);
}

static void files_of_the_region_are_read(void) {
	const char *const region[] = {path[EXECUTABLE], path[READABLE], NULL};
	EXPECT(enter_agent(region, true, EXECUTABLE) == GK_HINTS_FILES);
	EXPECT(try_open(READABLE, "file", O_RDONLY) == 0 && try_open(READABLE, ".", O_RDONLY) == 0);
	EXPECT(try_open(READABLE, "file", O_WRONLY) == EACCES && try_open(READABLE, "file", O_RDONLY | O_TRUNC) == EACCES);
	EXPECT(try_open(WRITABLE, "file", O_RDONLY) == EACCES && try_open(OUTSIDE, "file", O_RDONLY) == EACCES);
}

static void a_program_elsewhere_keeps_files_off(void) {
	const char *const region[] = {path[EXECUTABLE], path[READABLE], NULL};
	EXPECT(enter_agent(region, true, TYPED) == GK_HINTS_DIRECTORIES);
	EXPECT(try_open(READABLE, ".", O_RDONLY) == 0 && try_open(READABLE, "file", O_RDONLY) == EACCES);
}

static void a_tree_of_programs_elsewhere_keeps_files_off(void) {
	const char *const region[] = {path[READABLE], NULL};
	EXPECT(enter_agent(region, true, READABLE) == GK_HINTS_DIRECTORIES);
	EXPECT(try_open(READABLE, "file", O_RDONLY) == 0); /* typed */
	EXPECT(try_open(EXECUTABLE, "file", O_RDONLY) == 0 && try_open(EXECUTABLE, ".", O_RDONLY) == EACCES);
}

/* The compiler knows names; what they lead to is known here. */
static void links_are_no_part_of_the_region(void) {
	char moved[128];
	snprintf(moved, sizeof(moved), "%s/moved", root);
	EXPECT(rename(path[READABLE], moved) == 0 && symlink(path[OUTSIDE], path[READABLE]) == 0);
	const char *const region[] = {path[EXECUTABLE], path[READABLE], NULL};
	enum gk_hints hints = enter_agent(region, true, EXECUTABLE);
	int error = try_open(OUTSIDE, "file", O_RDONLY), directory = try_open(OUTSIDE, ".", O_RDONLY);
	EXPECT(hints == GK_HINTS_FILES && error == EACCES && directory == EACCES);
}

static void a_link_to_programs_elsewhere_keeps_files_off(void) {
	char moved[128];
	snprintf(moved, sizeof(moved), "%s/programs", path[OUTSIDE]);
	EXPECT(rename(path[EXECUTABLE], moved) == 0 && symlink(moved, path[EXECUTABLE]) == 0);
	const char *const region[] = {path[EXECUTABLE], path[READABLE], NULL};
	EXPECT(enter_agent(region, true, READABLE) == GK_HINTS_DIRECTORIES);
}

static void remove_tree(void) {
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", root);
	CHECK(system(command) == 0);
}

int main(void) {
	rights_follow_the_access();
	void (*const tries[])(void) = {
		domains_nest,
		directories_of_the_region_are_listed,
		files_of_the_region_are_read,
		a_program_elsewhere_keeps_files_off,
		a_tree_of_programs_elsewhere_keeps_files_off,
		links_are_no_part_of_the_region,
		a_link_to_programs_elsewhere_keeps_files_off,
	};
	for (size_t i = 0; i < GK_COUNT(tries); i++) {
		make_tree();
		CHECK(run_child(tries[i]) == 0, "%zu", i);
		remove_tree();
	}
	return gk_check_status();
}
