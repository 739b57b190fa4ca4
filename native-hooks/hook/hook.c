#include "hook/hook.h"

#include "hook/enforce.h"
#include "hook/next.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

struct gk_hook gk_hook;
struct gk_real gk_real;

extern char **environ __attribute__((weak));

static const char variable[] = "GATEKEEPER_HOOK=", preload[] = "LD_PRELOAD=";

static void begin(char *const envp[]);
static void find_real_functions(void);
static bool names_others(const char *libraries);
static void remember_error_output(void);

/* glibc passes what main will get, musl nothing at all: registers then hold what was left in them, which is not an argument vector with its
 * environment right behind it. The environment is read here and never again: what the program puts there later is its own. */
static void start(int argc, char **argv, char **envp) {
	bool passed = argc >= 0 && argv != NULL && envp == argv + argc + 1;
	begin(passed ? envp : &environ != NULL ? environ : NULL);
}
__attribute__((section(".init_array"), used)) static void (*const starts[])(int, char **, char **) = {start};

void gk_hook_begin_late(void) {
	begin(&environ != NULL ? environ : NULL);
}

static const char *find(char *const envp[], const char *name) {
	for (size_t length = strlen(name); envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, name, length) == 0)
			return *envp + length;
	return NULL;
}

static void begin(char *const envp[]) {
	if (gk_hook.begun != 0)
		return;
	gk_hook.begun = 1;
	find_real_functions();
	const char *value = find(envp, variable), *libraries = find(envp, preload);
	if (value != NULL)
		gk_hook_read(&gk_hook, value);
	if (gk_hook.enforces)
		gk_enforce_begin(value);
	/* What another library makes of a name is not known, so nothing is answered before it is asked. */
	if (libraries != NULL && names_others(libraries)) {
		gk_hook.files = gk_hook.directories = gk_hook.probes = false;
		gk_next_find();
	}
	if (gk_hook.explains)
		remember_error_output();
	gk_hook.begun = 2;
}

/* Here and not at the first call of each: dlsym(3) takes the loader's lock, which a signal handler or a child of vfork must not. */
static void find_real_functions(void) {
#define FIND(type, name, arguments)                               \
	do {                                                      \
		void *found = dlsym(RTLD_NEXT, #name);            \
		memcpy(&gk_real.name, &found, sizeof(found));     \
	} while (0);
	GK_REAL_FUNCTIONS(FIND)
#undef FIND
}

static bool names_others(const char *libraries) {
	static const char ours[] = "/libgk-hook.so";
	size_t name = sizeof(ours) - 1;
	while (*libraries != '\0') {
		size_t length = strcspn(libraries, ": ");
		if (length > 0 && (length < name || strncmp(libraries + length - name, ours, name) != 0))
			return true;
		libraries += length + (libraries[length] != '\0');
	}
	return false;
}

/* A program may close descriptor 2 and get a file of its own under that number: nothing of ours must end up in it. */
static void remember_error_output(void) {
	struct stat stat;
	if (gk_raw4(SYS_fstat, 2, (long)&stat, 0, 0) != 0)
		return;
	gk_hook.has_error_output = true;
	gk_hook.error_device = stat.st_dev;
	gk_hook.error_inode = stat.st_ino;
}

void gk_hook_read(struct gk_hook *hook, const char *value) {
	unsigned seen = 0;
	for (; *value != '\0' && *value != ':'; value++) {
		const char *letters = "fdhqec", *letter = strchr(letters, *value);
		unsigned bit = letter != NULL ? 1U << (letter - letters) : 0;
		if (bit == 0 || (seen & bit))
			return;
		seen |= bit;
	}
	if (value[0] != ':' || value[1] != '/')
		return;
	size_t length = strlen(value + 1);
	if (length < sizeof(hook->image))
		memcpy(hook->image, value + 1, length + 1);
	hook->enforces = (seen & 16) != 0;
	hook->files = (seen & 1) != 0 && !hook->enforces;
	hook->directories = ((seen & 2) != 0 || hook->files) && !hook->enforces;
	hook->probes = (seen & 4) == 0 && !hook->enforces;
	hook->explains = (seen & 8) == 0 && hook->image[0] != '\0';
}
