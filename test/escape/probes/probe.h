/* Attackers for the escape suite: each technique is one function that does by raw system calls what a hostile program would. */
#ifndef PROBE_H
#define PROBE_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0: the attack worked. Otherwise the errno that stopped it. argv[0] is the technique's first argument. */
typedef int technique_fn(char **argv);

struct technique {
	const char *name;
	technique_fn *run;
	int arguments;
};

extern const struct technique file_techniques[], change_techniques[], network_techniques[], process_techniques[], race_techniques[],
	socket_techniques[], connect_techniques[], outside_techniques[], terminal_techniques[], blinding_techniques[], odd_techniques[], call_techniques[], spawn_techniques[],
	hint_techniques[], offered_techniques[];

/* A raw system call's errno, 0 when it succeeded. */
#define FAILED(...) (syscall(__VA_ARGS__) < 0 ? errno : 0)

/* Copies what fd holds to standard output and closes it. */
int spill(int fd);

#endif
