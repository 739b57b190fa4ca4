#include "launch/forward.h"

#include <stddef.h>

/* A command line that got a signal with the whole group hands it on as well, a moment later. */
#define ECHO_NS 500000000ULL
/* Two requests closer than this are one. */
#define SECOND_NS 500000000ULL

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

void gk_forwarded_signals(sigset_t *set) {
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(set, forwarded[i]);
}

/* The agent shares our process group. What comes from the guardian was sent to the guardian alone, or came to everybody; what
 * comes from anywhere else came to everybody. */
enum gk_forward gk_forward_judge(struct gk_forwarder *forwarder, const siginfo_t *info, unsigned long long now_ns) {
	int signal = info->si_signo;
	if (signal <= 0 || signal >= 32)
		return GK_FORWARD_DROP;
	unsigned long long *direct = &forwarder->direct_ns[signal];
	if (info->si_code != SI_USER || info->si_pid != forwarder->guardian) {
		*direct = now_ns;
		return GK_FORWARD_DROP;
	}
	if (*direct != 0 && now_ns - *direct < ECHO_NS)
		return GK_FORWARD_DROP;
	if (signal != SIGTERM)
		return GK_FORWARD_AGENT;
	if (forwarder->terminated_ns != 0 && now_ns - forwarder->terminated_ns >= SECOND_NS)
		return GK_FORWARD_END;
	if (forwarder->terminated_ns == 0)
		forwarder->terminated_ns = now_ns;
	return GK_FORWARD_AGENT;
}
