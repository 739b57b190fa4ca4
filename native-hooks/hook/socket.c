#include "hook/enforce.h"
#include "hook/explain.h"
#include "hook/hook.h"
#include "hook/next.h"

GK_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG given, socklen_t length) {
	const struct sockaddr *address = given.__sockaddr__;
	gk_hook_ready();
	if (GK_UNLIKELY(gk_hook.enforces)) {
		int verdict = gk_enforce_connect(fd, address, length);
		if (verdict == GK_ENFORCE_DONE)
			return 0;
		gk_explain_connect(-verdict, address, length);
		if (verdict < 0)
			return (int)gk_result(verdict);
	}
	int result = gk_real.connect(fd, address, length);
	if (GK_UNLIKELY(result < 0))
		gk_explain_connect(errno, address, length);
	return result;
}

/* A run's own resolver says of names that may not be reached that they do not exist, and programs repeat that (docs/network.md). */
GK_EXPORT int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
	gk_hook_ready();
	int result = gk_real.getaddrinfo(name, service, hints, found);
	bool asked = name != NULL && (hints == NULL || (hints->ai_flags & AI_NUMERICHOST) == 0);
	if (GK_UNLIKELY(result != 0) && asked && !gk_hook.enforces)
		gk_explain_name(result, name);
	return result;
}

GK_EXPORT int bind(int fd, __CONST_SOCKADDR_ARG given, socklen_t length) {
	const struct sockaddr *address = given.__sockaddr__;
	gk_hook_ready();
	int verdict = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_bind(fd, address, length) : 0;
	if (verdict == GK_ENFORCE_DONE)
		return 0;
	return (int)gk_result(verdict < 0 ? verdict : gk_next_call(&(struct gk_call){GK_NEXT_bind, SYS_bind, {fd, (long)address, length}}));
}

GK_EXPORT int listen(int fd, int backlog) {
	gk_hook_ready();
	int verdict = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_listen(fd, backlog) : 0;
	if (verdict == GK_ENFORCE_DONE)
		return 0;
	return (int)gk_result(verdict < 0 ? verdict : gk_next_call(&(struct gk_call){GK_NEXT_listen, SYS_listen, {fd, backlog}}));
}

GK_EXPORT ssize_t sendto(int fd, const void *bytes, size_t length, int flags, __CONST_SOCKADDR_ARG given, socklen_t address_length) {
	const struct sockaddr *address = given.__sockaddr__;
	gk_hook_ready();
	int verdict = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_send(fd, address, address_length) : 0;
	return verdict < 0 ? gk_result(verdict) : gk_real.sendto(fd, bytes, length, flags, address, address_length);
}

GK_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
	gk_hook_ready();
	int verdict = GK_UNLIKELY(gk_hook.enforces) ? gk_enforce_send(fd, message->msg_name, message->msg_namelen) : 0;
	return verdict < 0 ? gk_result(verdict) : gk_real.sendmsg(fd, message, flags);
}

/* The messages before one that is refused are sent, as if that one had failed. */
GK_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
	gk_hook_ready();
	for (unsigned i = 0; GK_UNLIKELY(gk_hook.enforces) && i < count; i++) {
		int verdict = gk_enforce_send(fd, messages[i].msg_hdr.msg_name, messages[i].msg_hdr.msg_namelen);
		if (verdict < 0 && i == 0)
			return (int)gk_result(verdict);
		if (verdict < 0)
			count = i;
	}
	return gk_real.sendmmsg(fd, messages, count, flags);
}
