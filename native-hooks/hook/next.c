#include "hook/next.h"

#include "hook/hook.h"

#include <dlfcn.h>
#include <string.h>

/* Integers and pointers go the same way, in registers of their own, whatever their type (System V ABI, x86-64). */
typedef int any_function(long, long, long, long, long);
static any_function *found[GK_NEXT_COUNT];

void gk_next_find(void) {
	static const char names[] =
#define GK_NEXT_TEXT(name) #name "\0"
		GK_NEXT_FUNCTIONS(GK_NEXT_TEXT);
#undef GK_NEXT_TEXT
	const char *name = names;
	for (unsigned i = 0; i < GK_NEXT_COUNT; i++, name += strlen(name) + 1) {
		void *at = dlsym(RTLD_NEXT, name);
		memcpy(&found[i], &at, sizeof(at));
	}
}

long gk_next_call(const struct gk_call *call) {
	const long *a = call->arguments;
	if (GK_LIKELY(found[call->next] == NULL))
		return gk_raw6(call->nr, a[0], a[1], a[2], a[3], a[4], 0);
	int kept = errno;
	errno = 0;
	int answer = found[call->next](a[0], a[1], a[2], a[3], a[4]);
	if (answer < 0)
		return errno != 0 ? -errno : -EIO;
	errno = kept;
	return answer;
}
