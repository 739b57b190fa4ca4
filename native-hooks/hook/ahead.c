#include "hook/ahead.h"

#include "hook/hook.h"
#include "include/gk_hint.gen.h"

#include <fcntl.h>

/* Of this process; racing threads only lose a little speed. */
static uint8_t refused_in_row, hints_skipped, probes_skipped;
static uint8_t probe_credit = 16;

/* A refused hint costs a tenth of the call that follows it, a hint that was not tried the whole of it. */
#define REFUSED_ENOUGH 16
#define TRY_ONE_IN 8
/* The same for looking whether something is there: worth it while one in nine is missing. */
#define CREDIT_OF_MISS 8
#define CREDIT_MOST 64
#define PROBE_ONE_IN 16

static long hint(int dirfd, const char *path, int flags);
static long probe(int dirfd, const char *path, int flags);

long gk_read_ahead(int dirfd, const char *path, int flags) {
	if ((unsigned)flags & ~GK_HINT_FLAGS)
		return GK_UNDECIDED;
	if (gk_hook.files || (gk_hook.directories && (flags & O_DIRECTORY))) {
		if (refused_in_row < REFUSED_ENOUGH || ++hints_skipped % TRY_ONE_IN == 0)
			return hint(dirfd, path, flags);
	}
	if (!gk_hook.probes || (probe_credit == 0 && ++probes_skipped % PROBE_ONE_IN != 0))
		return GK_UNDECIDED;
	return probe(dirfd, path, flags);
}

/* Names that the supervisor answers with another file: what git writes under the first three is a draft until it is asked again (supervise/git_draft.h), and in place
 * of the others the run may be offered something (supervise/offered.h). */
static bool may_be_replaced(const char *path) {
	static const char *const names[] = {".git", "gitdir", "commondir", "hosts", "resolv.conf", "stub-resolv.conf", "nsswitch.conf"};
	const char *name = path;
	for (const char *at = path; *at != '\0'; at++)
		if (*at == '/')
			name = at + 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t same = 0;
		while (name[same] != '\0' && name[same] == names[i][same])
			same++;
		if (name[same] == names[i][same])
			return true;
	}
	return false;
}

/* EACCES may mean that the supervisor has to open it; whatever else the kernel says, it would say again. */
static long hint(int dirfd, const char *path, int flags) {
	uint64_t hinted = (uint64_t)GK_HINT_MAGIC << 32 | (unsigned)flags;
	long answer = gk_raw4(SYS_openat, dirfd, (long)path, (long)hinted, 0);
	/* Only now is it known that path is a string. */
	if ((answer >= 0 || answer == -ENOENT) && !(flags & O_DIRECTORY) && may_be_replaced(path)) {
		if (answer >= 0)
			gk_raw4(SYS_close, answer, 0, 0, 0);
		return GK_UNDECIDED;
	}
	if (answer != -EACCES) {
		if (refused_in_row != 0)
			refused_in_row = 0;
		return answer;
	}
	if (refused_in_row < REFUSED_ENOUGH)
		refused_in_row++;
	return GK_UNDECIDED;
}

/* Looked up as the open would be: with the effective ids (without AT_EACCESS the kernel may have to make other credentials), and a link
 * in the last place only as far as the open would follow it. */
static long probe(int dirfd, const char *path, int flags) {
	int how = AT_EACCESS | ((flags & O_NOFOLLOW) ? AT_SYMLINK_NOFOLLOW : 0);
	long found = gk_raw4(SYS_faccessat2, dirfd, (long)path, F_OK, how);
	if (found != -ENOENT && found != -ENOTDIR) {
		if (probe_credit > 0)
			probe_credit--;
		return GK_UNDECIDED;
	}
	if (probe_credit <= CREDIT_MOST - CREDIT_OF_MISS)
		probe_credit += CREDIT_OF_MISS;
	return found == -ENOENT && may_be_replaced(path) ? GK_UNDECIDED : found;
}

/* Against what an execution costs the look is nothing, and who searches PATH misses often. */
long gk_absent_ahead(const char *path) {
	if (!gk_hook.probes)
		return GK_UNDECIDED;
	long found = gk_raw4(SYS_faccessat2, AT_FDCWD, (long)path, F_OK, AT_EACCESS);
	return found == -ENOENT || found == -ENOTDIR ? found : GK_UNDECIDED;
}
