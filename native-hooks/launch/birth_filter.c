#include "launch/birth_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* Every CLONE_NEW flag of clone(2): refused further on. */
#define NAMESPACES 0x7e020000U

/* Jumps are relative, so what follows needs no change; it loads what it looks at. clone3 is refused further on. */
int gk_birth_filter(const struct sock_filter *program, size_t length, struct sock_filter **out, size_t *out_length) {
	const struct sock_filter births[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 7),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fork, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vfork, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD | NAMESPACES, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	size_t total = GK_COUNT(births) + length;
	if (total > BPF_MAXINSNS)
		return -E2BIG;
	struct sock_filter *joined = calloc(total, sizeof(*joined));
	if (joined == NULL)
		return -ENOMEM;
	memcpy(joined, births, sizeof(births));
	memcpy(joined + GK_COUNT(births), program, length * sizeof(*program));
	*out = joined;
	*out_length = total;
	return 0;
}
