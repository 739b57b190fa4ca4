/* probe TECHNIQUE ARGS…: exit 0 when the attack worked, else 1 with the errno's name on standard error. Linked statically. */
#define _GNU_SOURCE
#include "probe.h"
#include <stdio.h>
#include <string.h>

int spill(int fd) {
	char buffer[4096];
	if (fd < 0)
		return errno;
	for (;;) {
		ssize_t got = syscall(SYS_read, fd, buffer, sizeof buffer);
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		if (write(STDOUT_FILENO, buffer, (size_t)got) != got)
			return EIO;
	}
	syscall(SYS_close, fd);
	return 0;
}

static const struct technique *find(const char *name) {
	const struct technique *lists[] = {file_techniques, change_techniques,	network_techniques,  process_techniques, race_techniques,
					   socket_techniques, connect_techniques, outside_techniques, terminal_techniques, blinding_techniques, odd_techniques,
					   call_techniques, spawn_techniques, hint_techniques, offered_techniques};
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		for (const struct technique *t = lists[i]; t->name != NULL; t++)
			if (strcmp(t->name, name) == 0)
				return t;
	return NULL;
}

int main(int argc, char **argv) {
	const struct technique *technique = argc > 1 ? find(argv[1]) : NULL;
	if (technique == NULL || argc - 2 < technique->arguments) {
		fprintf(stderr, "probe: unknown technique or too few arguments\n");
		return 2;
	}
	int error = technique->run(argv + 2);
	if (error == 0)
		return 0;
	const char *name = strerrorname_np(error);
	fprintf(stderr, "%s\n", name != NULL ? name : "unknown errno");
	return 1;
}
