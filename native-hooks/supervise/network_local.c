/* A socket that is bound to every address of the machine would let the network in. Programs do it all the time (a development
 * server on 0.0.0.0), so it is bound as asked, and to the loopback device besides: what comes from another machine arrives by
 * another device. A socket filter would do as well, but newer kernels want CAP_NET_ADMIN for one. */
#include "supervise/network.h"

#include <errno.h>
#include <net/if.h>

static const char loopback[] = "lo";

static bool is_kept_local(int socket) {
	char device[IF_NAMESIZE] = {0};
	socklen_t length = sizeof(device);
	return getsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, device, &length) == 0 && strcmp(device, loopback) == 0;
}

/* Since Linux 5.7 a socket may be bound to a device without privilege, but only once: nobody in the run can undo it. */
int gk_socket_keep_local(int socket) {
	if (is_kept_local(socket))
		return 0;
	if (setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, loopback, sizeof(loopback)) != 0)
		return -EACCES;
	return is_kept_local(socket) ? 0 : -EACCES;
}
