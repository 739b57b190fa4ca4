/* Random sequences of file system calls, reported line by line: the same seed must give the same report bare and supervised.
 *   calls_tool FIRST COUNT STEPS [threads] [searchable]
 * Sequences FIRST to FIRST+COUNT-1 of STEPS calls each, every one by a process of its own in a tree of its own beneath the
 * working directory, which must be empty. With "threads" two threads at a time, each with a view and a tree of its own. With
 * "searchable" directories stay listable by their owner: a name that the supervisor cannot see makes it refuse a linked file. */
#include "sys/capability.h"
#include "test/calls_changes.h"
#include "test/calls_looks.h"
#include "test/calls_metadata.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

enum { REPORT_EVERY = 40, HOME_EVERY = 60, THREADS = 2 };

static const struct {
	void (*step)(struct actor *actor);
	unsigned weight;
} steps[] = {
	{step_open, 24}, {step_creat, 2}, {step_openat2, 6}, {step_content, 5}, {step_duplicate, 1}, {step_close, 2},
	{step_mkdir, 8}, {step_mknod, 4}, {step_symlink, 6}, {step_link, 7}, {step_rename, 9}, {step_remove, 5},
	{step_truncate, 3}, {step_chmod, 4}, {step_chown, 3}, {step_utimensat, 4}, {step_utimes, 2}, {step_setxattr, 3},
	{step_removexattr, 1}, {step_access, 2}, {step_stat, 3}, {step_readlink, 2}, {step_list, 3}, {step_chdir, 4}, {step_umask, 1},
};

static void take_step(struct actor *actor) {
	unsigned total = 0;
	for (size_t i = 0; i < GK_COUNT(steps); i++)
		total += steps[i].weight;
	unsigned at = below(actor, total), kind = 0;
	while (at >= steps[kind].weight)
		at -= steps[kind++].weight;
	steps[kind].step(actor);
}

static void fail(const char *what) {
	perror(what);
	_exit(99);
}

/* The end of a page after which there is nothing to read. */
static char *make_border(void) {
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, (size_t)(2 * page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + page, (size_t)page, PROT_NONE) < 0)
		fail("mmap");
	return pages + page;
}

/* Links may lead out of the root, up to directories that hold nothing else. */
static void make_root(struct actor *actor, const char *top) {
	static const char *const above[] = {"", "/up1", "/up2", "/up3", "/up4", "/up5", "/root"};
	if (getcwd(actor->root, sizeof actor->root) == NULL || strlen(actor->root) > 64)
		fail("the working directory's name");
	size_t length = strlen(actor->root);
	length += (size_t)snprintf(actor->root + length, sizeof actor->root - length, "/%s", top);
	for (size_t i = 0; i < GK_COUNT(above); i++) {
		length += (size_t)snprintf(actor->root + length, sizeof actor->root - length, "%s", above[i]);
		if (mkdir(actor->root, 0755) < 0)
			fail(actor->root);
	}
}

/* Something of every kind to begin with. */
static void furnish(struct actor *actor) {
	struct stat st;
	if (stat(actor->root, &st) < 0 || chdir(actor->root) < 0)
		fail("root");
	actor->device = st.st_dev;
	if (mkdir("a", 0755) < 0 || mkdir("a/b", 0755) < 0 || mkdir("b", 0700) < 0 || mkdir("a/b/c", 0755) < 0)
		fail("mkdir");
	close(creat("c", 0644));
	close(creat("a/c", 0600));
	if (symlink("a", "d") < 0 || symlink("c", "e") < 0 || symlink("../b", "a/d") < 0 || mkfifo("a/f", 0644) < 0)
		fail("symlink");
	static const int flags[] = {O_RDONLY, O_RDONLY, O_PATH, O_RDWR, O_PATH, O_RDONLY};
	static const char *const names[] = {"a", ".", "b", "c", "a/c", "a/c"};
	for (unsigned i = 0; i < GK_COUNT(names); i++)
		keep(actor, i, open(names[i], flags[i]));
}

struct sequence {
	uint64_t seed;
	unsigned steps;
	const char *top;
	bool threaded, searchable;
	char *report; /* of a thread: owned */
	size_t report_length;
};

static void run_sequence(struct sequence *sequence, FILE *out) {
	struct actor actor = {.random = sequence->seed * 0x9e3779b97f4a7c15ULL + 1, .out = out, .threaded = sequence->threaded,
				.searchable = sequence->searchable};
	make_root(&actor, sequence->top);
	for (unsigned i = 0; i < GK_COUNT(actor.border); i++)
		actor.border[i] = make_border();
	memset(actor.slot, 0xff, sizeof actor.slot);
	umask(022);
	if (chance(&actor, 90))
		furnish(&actor);
	fprintf(out, "== %llu\n", (unsigned long long)sequence->seed);
	for (unsigned i = 0; i < sequence->steps; i++) {
		if (i % HOME_EVERY == 0)
			go_home(&actor);
		take_step(&actor);
		if (i % REPORT_EVERY == REPORT_EVERY - 1 || i + 1 == sequence->steps)
			show_tree(&actor, AT_FDCWD, actor.root, "", 0);
	}
}

static void *run_thread(void *context) {
	struct sequence *sequence = context;
	FILE *out = open_memstream(&sequence->report, &sequence->report_length);
	if (out == NULL || unshare(CLONE_FS | CLONE_FILES) < 0)
		fail("unshare");
	run_sequence(sequence, out);
	fclose(out);
	return NULL;
}

static void run_threads(uint64_t seed, unsigned count, bool searchable) {
	static const char *const tops[THREADS] = {"one", "two"};
	struct sequence sequences[THREADS];
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		sequences[i] = (struct sequence){.seed = seed * THREADS + i, .steps = count, .top = tops[i], .threaded = true,
						 .searchable = searchable};
		if (pthread_create(&threads[i], NULL, run_thread, &sequences[i]) != 0)
			fail("pthread_create");
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		fwrite(sequences[i].report, 1, sequences[i].report_length, stdout);
		free(sequences[i].report);
	}
}

static void remove_tree(int parent, const char *name) {
	char *names[LISTING_MAX];
	if (fchmodat(parent, name, 0700, 0) < 0)
		fail(name);
	int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		fail(name);
	size_t count = list_names(dup(directory), names);
	for (size_t i = 0; i < count; i++) {
		if (unlinkat(directory, names[i], 0) < 0)
			remove_tree(directory, names[i]);
		free(names[i]);
	}
	close(directory);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
		fail(name);
}

int main(int argc, char **argv) {
	bool had, threaded = false, searchable = false;
	if (argc < 4)
		return 2;
	uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
	unsigned length = (unsigned)strtoul(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++) {
		threaded |= strcmp(argv[i], "threads") == 0;
		searchable |= strcmp(argv[i], "searchable") == 0;
	}
	/* A run has no capabilities, so the bare one that it is compared with has none either. */
	if (gk_drop_capabilities(&had) < 0)
		return 125;
	if (close_range(3, ~0U, 0) < 0)
		return 125;
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	for (uint64_t seed = first; seed < first + count; seed++) {
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			struct sequence sequence = {.seed = seed, .steps = length, .top = "one", .searchable = searchable};
			if (threaded)
				run_threads(seed, length, searchable);
			else
				run_sequence(&sequence, stdout);
			fflush(stdout);
			_exit(0);
		}
		int status;
		if (waitpid(pid, &status, 0) < 0 || status != 0)
			printf("sequence %llu ended with %#x\n", (unsigned long long)seed, (unsigned)status);
		remove_tree(AT_FDCWD, "one");
		if (threaded)
			remove_tree(AT_FDCWD, "two");
	}
	return 0;
}
