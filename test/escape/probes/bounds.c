/* Load that tries to wear the supervisor out: floods, calls that block, callers that are interrupted or die. A program of its own, since
 * what it measures is how others fare meanwhile. Prints counts; exits with 0 when all went as it does without a supervisor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *target;
static atomic_long calls, wrong;
static atomic_int stop, blocked;

static int64_t now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void pause_ms(long ms) {
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static int exists(const char *path) {
	struct stat st;
	return stat(path, &st) == 0; /* not a trapped call */
}

static int start_threads(long count, void *(*body)(void *), pthread_t *threads) {
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], &attributes, body, (void *)i) != 0) {
			perror("pthread_create");
			return -1;
		}
	return 0;
}

static void make(const char *path) {
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd >= 0)
		close(fd);
}

static void *flood_one(void *unused) {
	while (!atomic_load(&stop)) {
		int fd = open(target, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			atomic_fetch_add(&wrong, 1);
			close(fd);
		} else if (errno != EACCES) {
			atomic_fetch_add(&wrong, 1);
		}
		atomic_fetch_add(&calls, 1);
	}
	return unused;
}

/* THREADS DENIED STARTED STOP: opens DENIED all the time, until the file STOP is there; prints how many calls it made since all threads
 * were at it. */
static int flood(char **argv) {
	static pthread_t threads[16384];
	target = argv[1];
	if (start_threads(atol(argv[0]), flood_one, threads) != 0)
		return 1;
	while (atomic_load(&calls) < 2 * atol(argv[0]))
		pause_ms(5);
	long before = atomic_load(&calls);
	make(argv[2]);
	while (!exists(argv[3]))
		pause_ms(5);
	long after = atomic_load(&calls);
	atomic_store(&stop, 1);
	printf("flooded %ld wrong %ld\n", after - before, atomic_load(&wrong));
	fflush(stdout);
	_exit(atomic_load(&wrong) == 0 ? 0 : 1);
}

static int ascending(const void *a, const void *b) {
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* COUNT PATH: opens PATH one after the other; prints the median and the slowest in microseconds. */
static int opens(char **argv) {
	static int64_t took[100000];
	long count = atol(argv[0]);
	for (long i = 0; i < count; i++) {
		int64_t begin = now_ns();
		int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
		took[i] = now_ns() - begin;
		if (fd < 0) {
			perror("open");
			return 1;
		}
		close(fd);
	}
	qsort(took, (size_t)count, sizeof *took, ascending);
	printf("opened %ld median %lld slowest %lld us\n", count, (long long)took[count / 2] / 1000, (long long)took[count - 1] / 1000);
	return 0;
}

static void *read_fifo(void *number) {
	char name[4096], byte = 0;
	snprintf(name, sizeof name, "%s/%ld", target, (long)number);
	atomic_fetch_add(&blocked, 1);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &byte, 1) != 1 || byte != 'x')
		atomic_fetch_add(&wrong, 1);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* COUNT DIRECTORY STARTED GO: so many threads each wait for a writer of a FIFO of their own, until the file GO is there. */
static int fifos(char **argv) {
	static pthread_t threads[16384];
	long count = atol(argv[0]);
	char name[4096];
	target = argv[1];
	for (long i = 0; i < count; i++) {
		snprintf(name, sizeof name, "%s/%ld", target, i);
		if (mkfifo(name, 0600) != 0) {
			perror(name);
			return 1;
		}
	}
	if (start_threads(count, read_fifo, threads) != 0)
		return 1;
	while (atomic_load(&blocked) < count)
		pause_ms(5);
	pause_ms(100);
	make(argv[2]);
	while (!exists(argv[3]))
		pause_ms(5);
	for (long i = count; i-- > 0;) {
		snprintf(name, sizeof name, "%s/%ld", target, i);
		int fd = open(name, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "x", 1) != 1) {
			perror(name);
			return 1;
		}
		close(fd);
	}
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("met %ld wrong %ld\n", count, atomic_load(&wrong));
	return atomic_load(&wrong) == 0 ? 0 : 1;
}

static void *open_beneath(void *number) {
	char name[4096];
	snprintf(name, sizeof name, "%s/%ld", target, (long)number);
	atomic_fetch_add(&blocked, 1);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	atomic_fetch_add(&calls, 1);
	return NULL;
}

/* COUNT DIRECTORY STARTED STOP: so many threads open a name each, and the lookup does not return; prints how many did until STOP is
 * there. */
static int stalls(char **argv) {
	static pthread_t threads[16384];
	target = argv[1];
	if (start_threads(atol(argv[0]), open_beneath, threads) != 0)
		return 1;
	while (atomic_load(&blocked) < atol(argv[0]))
		pause_ms(5);
	pause_ms(100);
	make(argv[2]);
	while (!exists(argv[3]))
		pause_ms(5);
	printf("returned %ld\n", atomic_load(&calls));
	fflush(stdout);
	_exit(0);
}

static void on_alarm(int number) {
	(void)number;
	atomic_fetch_add(&calls, 1);
}

static int note(int rc, const char *what) {
	if (rc < 0 && errno == EINTR)
		return -1; /* nothing was done; to be repeated */
	if (rc < 0) {
		atomic_fetch_add(&wrong, 1);
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
	}
	return 0;
}

/* COUNT DIRECTORY: changes of names under a timer that strikes every millisecond. An answer that was lost after its effect shows
 * as EEXIST or ENOENT when the call is repeated. */
static int interrupted(char **argv) {
	char one[4096], other[4096];
	struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
	struct itimerval timer = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
	snprintf(one, sizeof one, "%s/one-%d", argv[1], getpid());
	snprintf(other, sizeof other, "%s/other-%d", argv[1], getpid());
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (long i = atol(argv[0]); i > 0; i--) {
		int fd;
		while (note(fd = open(one, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), "create") < 0)
			;
		close(fd);
		while (note(rename(one, other), "rename") < 0)
			;
		while (note(unlink(other), "unlink") < 0)
			;
		while (note(mkdir(one, 0700), "mkdir") < 0)
			;
		while (note(rmdir(one), "rmdir") < 0)
			;
	}
	printf("signals %ld wrong %ld\n", atomic_load(&calls), atomic_load(&wrong));
	return atomic_load(&wrong) == 0 ? 0 : 1;
}

/* ROUNDS THREADS PATH: processes whose threads open PATH all the time are killed in the middle of it. */
static int killed(char **argv) {
	static pthread_t threads[16384];
	target = argv[2];
	for (long i = atol(argv[0]); i > 0; i--) {
		pid_t child = fork();
		if (child == 0) {
			start_threads(atol(argv[1]), flood_one, threads);
			pause();
		}
		nanosleep(&(struct timespec){.tv_nsec = 1000000 + i * 7919 % 9000000}, NULL);
		kill(child, SIGKILL);
		if (waitpid(child, NULL, 0) != child)
			return 1;
	}
	printf("killed %s\n", argv[0]);
	return 0;
}

static const struct {
	const char *name;
	int (*body)(char **argv);
	int arguments;
} loads[] = {{"flood", flood, 4},	      {"opens", opens, 2},   {"fifos", fifos, 4}, {"stalls", stalls, 4},
	     {"interrupted", interrupted, 2}, {"killed", killed, 3}};

int main(int argc, char **argv) {
	for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
		if (argc > 1 && strcmp(argv[1], loads[i].name) == 0 && argc == 2 + loads[i].arguments)
			return loads[i].body(argv + 2);
	fprintf(stderr, "usage: bounds LOAD ARGUMENT…\n");
	return 2;
}
