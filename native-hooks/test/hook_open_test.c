/* What the hook does with opens: which are hinted, which are answered ahead, and that all else is as without it. */
#include "test/hooked.h"

#include <dirent.h>
#include <elf.h>
#include <ftw.h>
#include <sys/mman.h>

/* No errno that anything here gives by itself. */
#define HINTED ENODATA

static char *directory;

static void begin(void) {
	directory = enter_directory();
	umask(0);
	write_file("file", "abc");
	EXPECT(mkdir("dir", 0755) == 0 && symlink("file", "link") == 0 && symlink("nowhere", "dangling") == 0 && symlink("loop", "loop") == 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void end(void) {
	EXPECT(chdir("/") == 0 && nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static bool opens(const char *path, int flags) {
	errno = 0;
	int fd = open(path, flags, 0600);
	return fd >= 0 && close(fd) == 0;
}

static bool is_hinted(const char *path, int flags) {
	return !opens(path, flags) && errno == HINTED;
}

static bool lists(const char *path) {
	errno = 0;
	DIR *opened = opendir(path);
	return opened != NULL && readdir(opened) != NULL && closedir(opened) == 0;
}

static void files_are_hinted(void) {
	begin();
	int here = open(".", O_RDONLY);
	answer_hints(HINTED);
	EXPECT(is_hinted("file", O_RDONLY) && is_hinted("file", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
	EXPECT(is_hinted("/etc/passwd", O_RDONLY) && is_hinted("dir", O_RDONLY | O_DIRECTORY));
	EXPECT(openat(here, "file", O_RDONLY) < 0 && errno == HINTED);
	EXPECT(fopen("file", "r") == NULL && errno == HINTED && fopen("file", "rbe") == NULL && errno == HINTED);
	EXPECT(!lists("dir") && errno == HINTED);
	/* What may change something, or is nothing that a hint may say. */
	EXPECT(opens("file", O_WRONLY) && opens("file", O_RDWR) && opens("file", O_RDONLY | O_TRUNC) && opens("new", O_RDONLY | O_CREAT));
	EXPECT(opens("file", O_PATH) && opens("file", O_RDONLY | O_NOATIME) && opens(".", O_TMPFILE | O_RDWR));
	FILE *stream = fopen("file", "r+");
	EXPECT(stream != NULL && fclose(stream) == 0);
	end();
}

static void directories_are_hinted(void) {
	begin();
	answer_hints(HINTED);
	EXPECT(!lists("dir") && errno == HINTED && is_hinted("dir", O_RDONLY | O_DIRECTORY));
	EXPECT(opens("file", O_RDONLY) && opens("dir", O_RDONLY));
	FILE *stream = fopen("file", "r");
	EXPECT(stream != NULL && fclose(stream) == 0);
	end();
}

static void nothing_is_hinted(void) {
	begin();
	answer_hints(HINTED);
	EXPECT(opens("file", O_RDONLY) && lists("dir") && opens("dir", O_RDONLY | O_DIRECTORY));
	end();
}

static const char *const asked_for[] = {"hosts", "./hosts", "dir/resolv.conf", "dir/stub-resolv.conf", "nsswitch.conf", "dir/.git"};

/* Where nothing can be listed any more. */
static void end_by_names(void) {
	static const char *const made[] = {"file", "link", "dangling", "loop"};
	for (size_t i = 0; i < sizeof(asked_for) / sizeof(*asked_for); i++)
		unlink(asked_for[i]);
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		EXPECT(unlink(made[i]) == 0);
	EXPECT(rmdir("dir") == 0 && chdir("/") == 0 && rmdir(directory) == 0);
}

/* The supervisor may have something else for them than the kernel. */
static void some_names_are_asked_for(void) {
	begin();
	for (size_t i = 0; i < sizeof(asked_for) / sizeof(*asked_for); i++)
		write_file(asked_for[i], "");
	answer_opens(HINTED);
	EXPECT(opens("file", O_RDONLY));
	FILE *stream = fopen("file", "r");
	EXPECT(stream != NULL && fclose(stream) == 0);
	for (size_t i = 0; i < sizeof(asked_for) / sizeof(*asked_for); i++) {
		EXPECT(is_hinted(asked_for[i], O_RDONLY));
		EXPECT(fopen(asked_for[i], "r") == NULL && errno == HINTED);
	}
	end_by_names();
}

static void some_names_are_asked_for_though_missing(void) {
	begin();
	answer_opens(HINTED);
	EXPECT(!opens("none", O_RDONLY) && errno == ENOENT);
	for (size_t i = 0; i < sizeof(asked_for) / sizeof(*asked_for); i++)
		EXPECT(is_hinted(asked_for[i], O_RDONLY));
	end_by_names();
}

/* Its own descriptor of the file, its own place in it. */
static void a_refused_hint_is_asked_again(void) {
	begin();
	answer_hints(EACCES);
	char text[4] = {0};
	for (int i = 0; i < 1000; i++) {
		errno = 77;
		int fd = open("file", O_RDONLY | (i % 2 ? O_CLOEXEC : 0));
		EXPECT(fd >= 0 && errno == 77 && read(fd, text, 4) == 3 && memcmp(text, "abc", 3) == 0);
		EXPECT(fcntl(fd, F_GETFD) == (i % 2 ? FD_CLOEXEC : 0) && close(fd) == 0 && lists("dir"));
	}
	end();
}

static void probes_are_saved_where_everything_is_there(void) {
	begin();
	answer_call(SYS_faccessat2, ENOENT);
	EXPECT(!opens("file", O_RDONLY) && errno == ENOENT); /* it is looked for */
	end();
}

/* In a run that hides names the look would be a question itself. */
static void nothing_is_probed(void) {
	begin();
	answer_call(SYS_faccessat2, ENOENT);
	EXPECT(opens("file", O_RDONLY) && lists("dir"));
	end();
}

struct spelling {
	const char *path;
	int flags;
};

/* Whatever is hinted or answered ahead: success, errno, and what the descriptor is, are the kernel's. */
static void answers_are_the_kernels(void) {
	begin();
	static const char *const paths[] = {"file", "file/", "file/x", "dir", "dir/", "dir/none", "none", "none/", "none/x", "link", "link/", "link/x",
					    "dangling", "dangling/", "loop", "loop/x", "", ".", "..", "/", "//", "/etc/passwd", "/proc/self/fd/0",
					    "/proc/self/exe", "/proc/self/fd/999", "/dev/null", "/dev/fd/1/x", "/nonexistent"};
	static const int flags[] = {O_RDONLY, O_RDONLY | O_NOFOLLOW, O_RDONLY | O_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, O_RDONLY | O_CLOEXEC,
				    O_RDONLY | O_NONBLOCK, O_PATH, O_PATH | O_NOFOLLOW, O_RDWR, O_WRONLY | O_NOFOLLOW};
	for (unsigned round = 0; round < 40; round++)
		for (unsigned p = 0; p < sizeof(paths) / sizeof(*paths); p++)
			for (unsigned f = 0; f < sizeof(flags) / sizeof(*flags); f++) {
				errno = 0;
				long raw = syscall(SYS_openat, AT_FDCWD, paths[p], flags[f], 0);
				int wanted = errno, status = raw < 0 ? 0 : fcntl((int)raw, F_GETFL);
				EXPECT(raw < 0 || close((int)raw) == 0);
				errno = 0;
				int fd = round % 2 ? open(paths[p], flags[f]) : openat(AT_FDCWD, paths[p], flags[f]);
				if (fd != raw || errno != wanted || (fd >= 0 && fcntl(fd, F_GETFL) != status)) {
					dprintf(2, "%s with %#o: %d instead of %ld, errno %d instead of %d\n", paths[p], (unsigned)flags[f], fd,
						raw, errno, wanted);
					_exit(1);
				}
				EXPECT(fd < 0 || close(fd) == 0);
			}
	char longer[PATH_MAX + 1];
	memset(longer, 'x', PATH_MAX);
	longer[PATH_MAX] = '\0';
	EXPECT(!opens(longer, O_RDONLY) && errno == ENAMETOOLONG);
	/* Not through its declaration, which says that there is a name. */
	int (*volatile undeclared)(const char *, int, ...) = open;
	EXPECT(undeclared(NULL, O_RDONLY) < 0 && errno == EFAULT && undeclared((const char *)4096, O_RDONLY) < 0 && errno == EFAULT);
	EXPECT(openat(999, "file", O_RDONLY) < 0 && errno == EBADF);
	end();
}

static bool has_mode(const char *path, mode_t mode) {
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & 07777) == mode;
}

extern int open64(const char *path, int flags, ...), __open_2(const char *path, int flags);

static void new_files_get_the_mode_that_was_given(void) {
	begin();
	EXPECT(close(open("a", O_WRONLY | O_CREAT, 0640)) == 0 && has_mode("a", 0640));
	EXPECT(close(open64("b", O_RDONLY | O_CREAT | O_EXCL, 0604)) == 0 && has_mode("b", 0604));
	EXPECT(close(openat(AT_FDCWD, "c", O_RDWR | O_CREAT, 0751)) == 0 && has_mode("c", 0751));
	EXPECT(close(creat("d", 0600)) == 0 && has_mode("d", 0600));
	int fd = open(".", O_TMPFILE | O_RDWR, 0614);
	struct stat st;
	EXPECT(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0614);
	EXPECT(mkdir("e", 0710) == 0 && has_mode("e", 0710) && mkfifo("f", 0640) == 0 && has_mode("f", 0640));
	EXPECT(chmod("a", 0600) == 0 && has_mode("a", 0600) && fchmodat(AT_FDCWD, "a", 0644, 0) == 0 && has_mode("a", 0644));
	EXPECT(close(__open_2("a", O_RDONLY)) == 0);
	pid_t child = fork();
	if (child == 0) {
		close(2);
		_exit(__open_2("g", O_WRONLY | O_CREAT)); /* without a mode: ends the process */
	}
	int status;
	EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && access("g", F_OK) < 0);
	end();
}

static bool reads(FILE *stream, const char *wanted) {
	char text[64] = {0};
	return stream != NULL && fread(text, 1, sizeof(text) - 1, stream) == strlen(wanted) && strcmp(text, wanted) == 0;
}

static void streams_are_what_their_mode_says(void) {
	begin();
	static const char *const reading[] = {"r", "rb", "re", "rbe", "r+", "rm"};
	for (unsigned i = 0; i < sizeof(reading) / sizeof(*reading); i++) {
		FILE *stream = fopen("file", reading[i]);
		bool closes = stream != NULL && (fcntl(fileno(stream), F_GETFD) & FD_CLOEXEC);
		EXPECT(closes == (strchr(reading[i], 'e') != NULL));
		EXPECT(reads(stream, "abc") && fseek(stream, 1, SEEK_SET) == 0 && reads(stream, "bc") && fclose(stream) == 0);
	}
	FILE *stream = fopen("file", "r,ccs=UTF-8");
	EXPECT(stream != NULL && fclose(stream) == 0);
	stream = fopen("file", "r");
	EXPECT(stream != NULL && fputc('x', stream) == EOF && fclose(stream) == 0);
	stream = fopen("file", "a+");
	EXPECT(fputs("d", stream) >= 0 && fclose(stream) == 0);
	stream = fopen("file", "r");
	EXPECT(reads(stream, "abcd"));
	stream = freopen("file", "w", stream);
	EXPECT(stream != NULL && fputs("new", stream) >= 0 && fclose(stream) == 0);
	EXPECT(reads(fopen("file", "r"), "new") && fopen("file", "wx") == NULL && errno == EEXIST);
	EXPECT(fopen("none", "r") == NULL && errno == ENOENT && fopen("file/x", "r") == NULL && errno == ENOTDIR);
	EXPECT(freopen(NULL, "r", stdin) == stdin);
	EXPECT(opendir("file") == NULL && errno == ENOTDIR && opendir("none") == NULL && errno == ENOENT);
	DIR *opened = opendir("dir");
	EXPECT(opened != NULL && (fcntl(dirfd(opened), F_GETFD) & FD_CLOEXEC) && closedir(opened) == 0);
	end();
}

static void the_environment_is_read_once(void) {
	begin();
	setenv("GATEKEEPER_HOOK", "fd:/x", 1);
	answer_hints(HINTED);
	EXPECT(opens("file", O_RDONLY) && lists("dir"));
	end();
}

static void needs_no_library(void) {
	int fd = open(hooked_library(), O_RDONLY | O_CLOEXEC);
	struct stat st;
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	const uint8_t *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	const Elf64_Ehdr *header = (const void *)bytes;
	const Elf64_Shdr *sections = (const void *)(bytes + header->e_shoff);
	for (unsigned i = 0; i < header->e_shnum; i++) {
		const char *texts = (const char *)bytes + sections[sections[i].sh_link].sh_offset;
		if (sections[i].sh_type == SHT_DYNSYM) {
			const Elf64_Sym *symbols = (const void *)(bytes + sections[i].sh_offset);
			for (size_t s = 1; s < sections[i].sh_size / sizeof(*symbols); s++) {
				const char *name = texts + symbols[s].st_name;
				bool known = strcmp(name, "dlsym") == 0 || strcmp(name, "__errno_location") == 0 || strcmp(name, "environ") == 0;
				CHECK(symbols[s].st_shndx != SHN_UNDEF || known, "needs %s of whatever libc there is", name);
			}
		}
		for (size_t d = 0; sections[i].sh_type == SHT_DYNAMIC && d < sections[i].sh_size / sizeof(Elf64_Dyn); d++) {
			const Elf64_Dyn *entry = (const Elf64_Dyn *)(const void *)(bytes + sections[i].sh_offset) + d;
			CHECK(entry->d_tag != DT_NEEDED, "needs %s", texts + entry->d_un.d_val);
		}
		CHECK(sections[i].sh_type != SHT_GNU_verneed, "needs versions of a libc");
	}
	close(fd);
}

/* Of what it may call after, nothing is missing that libc needs; all else ends it. */
static void close_off(bool by_prctl) {
	static const int needed[] = {SYS_openat, SYS_close, SYS_newfstatat, SYS_fstat, SYS_execve, SYS_exit_group, SYS_write};
	struct sock_filter code[2 * sizeof(needed) / sizeof(*needed) + 2] = {LOAD(nr)};
	unsigned used = 1;
	for (unsigned i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		code[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)needed[i], 0, 1);
		code[used++] = (struct sock_filter)ALLOW;
	}
	code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	const struct sock_fprog program = {.len = (unsigned short)used, .filter = code};
	EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	EXPECT((by_prctl ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0)
			 : syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) == 0);
}

static void nothing_is_called_but_what_libc_calls(bool by_prctl) {
	char *const argv[] = {NULL};
	close_off(by_prctl);
	EXPECT(opens("/proc/self/maps", O_RDONLY) && opens("/etc", O_RDONLY | O_DIRECTORY));
	EXPECT(!opens("/nonexistent", O_RDONLY) && errno == ENOENT && opendir("/nonexistent") == NULL && errno == ENOENT);
	EXPECT(execve("/nonexistent", argv, argv) < 0 && errno == ENOENT && execve("/etc", argv, argv) < 0 && errno == EACCES);
	_exit(0);
}

static void behind_a_filter_of_its_own(void) {
	nothing_is_called_but_what_libc_calls(true);
}

static void behind_a_filter_of_a_library(void) {
	nothing_is_called_but_what_libc_calls(false);
}

static const struct actor actors[] = {
	{"filtered by prctl", behind_a_filter_of_its_own},
	{"filtered by seccomp", behind_a_filter_of_a_library},
	{"files hinted", files_are_hinted},
	{"directories hinted", directories_are_hinted},
	{"nothing hinted", nothing_is_hinted},
	{"asked for", some_names_are_asked_for},
	{"asked for though missing", some_names_are_asked_for_though_missing},
	{"refused hint", a_refused_hint_is_asked_again},
	{"probed", probes_are_saved_where_everything_is_there},
	{"not probed", nothing_is_probed},
	{"as the kernel", answers_are_the_kernels},
	{"modes", new_files_get_the_mode_that_was_given},
	{"streams", streams_are_what_their_mode_says},
	{"environment", the_environment_is_read_once},
};

int main(int argc, char **argv) {
	if (argc == 2)
		return act(actors, sizeof(actors) / sizeof(*actors), argv[1]) ? 0 : 2;
	needs_no_library();
	CHECK_HOOKED("files hinted", "f:/none");
	CHECK_HOOKED("files hinted", "dfq:/none");
	CHECK_HOOKED("directories hinted", "d:/none");
	CHECK_HOOKED("directories hinted", "dh:/none");
	static const char *const without[] = {"", ":", "f", "fd", "x:/none", "fx:/none", "ff:/none", "f:none", "F:/none", " f:/none", "h:/none", "q:/none"};
	for (unsigned i = 0; i < sizeof(without) / sizeof(*without); i++)
		CHECK_HOOKED("nothing hinted", without[i]);
	CHECK_HOOKED("nothing hinted", NULL);
	CHECK_HOOKED("environment", NULL);
	static const char *const values[] = {"fd:/none", "d:/none", ":/none", "dh:/none", "nonsense"};
	for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++) {
		CHECK_HOOKED("as the kernel", values[i]);
		CHECK_HOOKED("modes", values[i]);
		CHECK_HOOKED("streams", values[i]);
	}
	CHECK_HOOKED("filtered by prctl", "fd:/none");
	CHECK_HOOKED("filtered by seccomp", "fd:/none");
	CHECK_HOOKED("refused hint", "fd:/none");
	CHECK_HOOKED("asked for", "fd:/none");
	CHECK_HOOKED("asked for though missing", "fd:/none");
	CHECK_HOOKED("asked for though missing", "d:/none");
	CHECK_HOOKED("probed", ":/none");
	CHECK_HOOKED("probed", "d:/none");
	CHECK_HOOKED("not probed", "h:/none");
	CHECK_HOOKED("not probed", NULL);
	return gk_check_status();
}
