#include "hook/enforce_offered.h"

#include "base/raw.h"
#include "hook/enforce_judge.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/syscall.h>

/* Under its own name, or where resolvers of the system keep what the name leads to: nothing here remembers how the links were at the start. */
static const char *const replaced[] = {"/etc/hosts", "/etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf", "/run/systemd/resolve/resolv.conf",
				       "/run/NetworkManager/resolv.conf", "/run/resolvconf/resolv.conf"};

/* The run's directory holds them (docs/supervisor-usage.md). */
int gk_enforce_take_offered(struct gk_slice path, int flags) {
	static const char hosts[] = "/offered/hosts", resolver[] = "/offered/resolv.conf";
	char name[PATH_MAX];
	for (size_t i = 0; i < GK_COUNT(replaced); i++) {
		if (!gk_slice_equal(path, gk_slice_of(replaced[i])))
			continue;
		size_t length = strlen(gk_enforce_run_dir());
		if (length + sizeof(resolver) > sizeof(name))
			return -1;
		memcpy(name, gk_enforce_run_dir(), length);
		memcpy(name + length, i == 0 ? hosts : resolver, i == 0 ? sizeof(hosts) : sizeof(resolver));
		long fd = gk_raw4(SYS_openat, AT_FDCWD, (long)name, (flags & ~(O_CREAT | O_EXCL)) | O_NOFOLLOW, 0);
		return fd < 0 ? -1 : (int)fd;
	}
	return -1;
}
