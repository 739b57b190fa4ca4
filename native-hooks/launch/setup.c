#include "launch/setup.h"

#include "launch/complain.h"
#include "launch/hints.h"
#include "launch/hooked.h"
#include "launch/signals.h"
#include "supervise/door.h"
#include "supervise/pool.h"
#include "supervise/take_image.h"
#include "sys/capability.h"
#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int become_supervisor(pid_t guardian, struct gk_setup *setup);
static int find_program(struct gk_setup *setup);
static int prepare_hook(struct gk_setup *setup);
static int lend(struct gk_setup *setup);
static int open_run(struct gk_setup *setup);
static int open_image(struct gk_setup *setup);
static int connect_daemon(struct gk_setup *setup);
static int enter_floor(struct gk_setup *setup);
static int open_rooms(struct gk_setup *setup);

static int fail(int error, const char *what, const char *subject) {
	gk_complain("cannot %s %s: %s", what, subject, strerror(-error));
	return GK_EXIT_SETUP;
}

int gk_set_up(const struct gk_options *options, pid_t guardian, struct gk_setup *out) {
	*out = (struct gk_setup){
		.options = options,
		.floor = {.supervisor = -1, .border = -1, .agent = -1},
		.supervisor =
			{
				.listener = -1,
				.supervisor_pid = getpid(),
				.simulate = options->simulate,
				.degrade = options->degrade,
				.warn_on_tighten = options->warn_on_tighten,
				.tell = gk_complain,
				.run = options->run,
				.uid = geteuid(),
				.gid = getegid(),
				.mutation = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
			},
	};
	int error = become_supervisor(guardian, out);
	if (error < 0)
		return fail(error, "prepare", "the supervisor");
	static int (*const steps[])(struct gk_setup *) = {find_program, open_image, prepare_hook, lend, open_run,
						       connect_daemon, enter_floor, open_rooms};
	for (size_t i = 0; i < GK_COUNT(steps); i++) {
		int status = steps[i](out);
		if (status != 0)
			return status;
	}
	return 0;
}

static int become_supervisor(pid_t guardian, struct gk_setup *setup) {
	bool had_capabilities;
	signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Not only for the agent: what is opened on its behalf must not be opened with more rights than it has. */
	int error = gk_drop_capabilities(&had_capabilities);
	if (error < 0)
		return error;
	/* In a pipeline standard error belongs to the command. */
	if (had_capabilities && (setup->options->verbose || isatty(STDERR_FILENO)))
		gk_complain(geteuid() == 0 ? "running as root: capabilities dropped" : "capabilities dropped");
	setup->limits.bounds = setup->options->bounds;
	setup->supervisor.most_processes = setup->options->bounds.processes;
	error = gk_limits_apply(&setup->limits);
	if (error < 0)
		return error;
	/* A guardian that dies is noticed here, and the run ended: SIGKILL would leave the run without either. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, GK_SIGNAL_ORPHANED, 0, 0, 0) < 0)
		return -errno;
	return getppid() == guardian ? 0 : -ESRCH;
}

static int find_program(struct gk_setup *setup) {
	const char *name = setup->options->program[0];
	int error = gk_typed_find(name, &setup->typed);
	if (error == 0)
		return 0;
	if (error == -ENOENT || error == -ENOTDIR) {
		gk_complain("%s: command not found", name);
		return GK_EXIT_NOT_FOUND;
	}
	gk_complain("cannot execute %s: %s", name, strerror(-error));
	return GK_EXIT_CANNOT_EXECUTE;
}

static int open_image(struct gk_setup *setup) {
	const char *path = setup->options->image, *name = strrchr(path, '/') + 1, *why;
	size_t length = (size_t)(name - path) - 1;
	if (length == 0 || length >= sizeof(setup->images))
		return fail(-EINVAL, "use as policy image", path);
	memcpy(setup->images, path, length);
	GK_AUTO_CLOSE int images = open(setup->images, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (images < 0)
		return fail(-errno, "open the directory of policy images", setup->images);
	struct gk_image *image;
	int error = gk_image_load(images, name, &image, setup->digest, &why);
	if (error < 0) {
		gk_complain("cannot use the policy image %s: %s (%s)", path, why, strerror(-error));
		return GK_EXIT_SETUP;
	}
	atomic_store(&setup->supervisor.image, image);
	return 0;
}

static int prepare_hook(struct gk_setup *setup) {
	if (!setup->options->by_hook)
		return 0;
	gk_hooked_warn(setup->options);
	return gk_hooked_prepare(setup->options, setup->hook) < 0 ? GK_EXIT_SETUP : 0;
}

static int lend(struct gk_setup *setup) {
	const char *hooks = setup->options->hooks, *offered = setup->options->offered;
	struct gk_lent *lent = &setup->supervisor.lent;
	int error = gk_lent_open(lent, hooks, setup->images, gk_current_image(&setup->supervisor));
	if (error < 0)
		return fail(error, "use the hooks in", hooks);
	error = gk_lent_offer(lent, offered);
	return error < 0 ? fail(error, "offer what is in", offered) : 0;
}

/* The token, without the newline that it may end in. */
static int read_token(struct gk_setup *setup, int directory, size_t *length) {
	GK_AUTO_CLOSE int fd = openat(directory, "token", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ssize_t got = read(fd, setup->token, sizeof(setup->token));
	if (got < 0)
		return -errno;
	*length = (size_t)got;
	while (*length > 0 && setup->token[*length - 1] == '\n')
		--*length;
	return *length == 0 || (size_t)got == sizeof(setup->token) ? -EBADMSG : 0;
}

static int open_run(struct gk_setup *setup) {
	const char *path = setup->options->run_dir;
	GK_AUTO_CLOSE int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat stat;
	if (directory < 0 || fstat(directory, &stat) < 0)
		return fail(-errno, "open the run's directory", path);
	if (stat.st_uid != geteuid() || (stat.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		gk_complain("cannot use the run's directory %s: it must belong to this user with mode 0700", path);
		return GK_EXIT_SETUP;
	}
	int error = gk_journal_open(directory, gk_slice_of(setup->options->run), &setup->supervisor.journal);
	if (error < 0)
		return fail(error, "create the journal in", path);
	error = setup->options->by_hook ? gk_door_open(&setup->supervisor, path) : 0;
	return error < 0 ? fail(error, "open the hook's socket in", path) : 0;
}

static int connect_daemon(struct gk_setup *setup) {
	const struct gk_options *options = setup->options;
	size_t length = 0;
	GK_AUTO_CLOSE int directory = open(options->run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = directory < 0 ? -errno : read_token(setup, directory, &length);
	if (error < 0)
		return fail(error, "read the token in", options->run_dir);
	const struct gk_channel_options channel = {
		.socket = options->socket,
		.run_dir = options->run_dir,
		.images = setup->images,
		.token = gk_slice(setup->token, length),
	};
	error = gk_channel_open(&setup->supervisor, &channel, &setup->supervisor.channel);
	if (error < 0) {
		gk_complain("the daemon did not accept the run at %s (%s): restart it with `gatekeeper daemon stop`, then try again", options->socket,
			    strerror(-error));
		return GK_EXIT_SETUP;
	}
	return 0;
}

/* Named weaker mode within the weaker mode: the hook goes on without a second wall, and says so. */
static bool goes_without_floor(struct gk_setup *setup) {
	int abi = setup->options->by_hook ? gk_landlock_abi() : GK_LANDLOCK_ABI;
	bool walled = abi >= GK_LANDLOCK_ABI;
	if (setup->options->by_hook)
		snprintf(setup->in_force, sizeof(setup->in_force), "hook; %s",
			 walled ? "Landlock: files as far as the policy could allow, no TCP, no signals out of the run"
				: "no Landlock: nothing holds what passes the hook by");
	if (!walled)
		gk_complain("this kernel offers no Landlock of ABI %d: nothing holds what passes the hook by", GK_LANDLOCK_ABI);
	return !walled;
}

static int enter_floor(struct gk_setup *setup) {
	if (goes_without_floor(setup))
		return 0;
	const struct gk_floor_input input = {
		.image = gk_current_image(&setup->supervisor),
		.typed = &setup->typed,
		.run_dir = setup->options->run_dir,
		.images = setup->images,
		.hooks = setup->options->hooks,
		.offered = setup->options->offered,
		.image_file = setup->options->image,
		.by_hook = setup->options->by_hook,
		.hook = setup->hook,
		.region = &setup->region,
		.simulate = setup->options->simulate,
	};
	/* What a simulated run does must be recorded as what it would have been denied: nothing of it is done unseen. */
	int error = input.simulate || input.by_hook ? 0 : gk_region_open(input.image, &setup->region);
	if (error < 0)
		return fail(error, "read", "the mounts of this machine");
	error = gk_floor_build(&input, &setup->floor);
	if (error == 0)
		error = gk_ruleset_enforce(setup->floor.supervisor);
	if (error < 0)
		return fail(error, "enforce", "the Landlock floor");
	setup->supervisor.region = &setup->region;
	gk_hints_withdraw(setup->region.hints);
	gk_hints_tell(&setup->region, input.image, setup->options);
	return 0;
}

static int open_rooms(struct gk_setup *setup) {
	struct gk_supervisor *supervisor = &setup->supervisor;
	int error = gk_tasks_open(supervisor);
	if (error == 0)
		error = gk_network_open(supervisor, setup->options->proxy_port, setup->options->transparent_port);
	if (error == 0)
		error = gk_files_open(supervisor);
	return error < 0 ? fail(error, "prepare", "the supervisor") : 0;
}
