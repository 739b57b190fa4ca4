/* Where files that point git elsewhere may lead. */
#include "supervise/git_pointer.h"
#include "test/check.h"

#include <errno.h>

static char target[PATH_MAX];

static bool leads(const char *path, const char *content, const char *to) {
	size_t length;
	struct gk_slice name = gk_slice_of(path);
	int rc = gk_pointer_target(gk_pointer_of(name), name, gk_slice_of(content), target, &length);
	if (to == NULL)
		return rc == -EBADMSG;
	return rc == 0 && length == strlen(to) && strcmp(target, to) == 0;
}

static void names_tell_what_a_file_is(void) {
	static const struct {
		const char *path;
		enum gk_pointer pointer;
	} names[] = {
		{"/w/.git", GK_POINTER_LINK}, {"/.git", GK_POINTER_LINK}, {"/w/a.git", GK_POINTER_NONE}, {"/w/.git/x", GK_POINTER_NONE},
		{"/w/.git/worktrees/a/gitdir", GK_POINTER_GITDIR}, {"/w/.git/worktrees/a/commondir", GK_POINTER_COMMONDIR},
		{"/w/.git/worktrees/gitdir", GK_POINTER_NONE}, {"/w/.git/worktrees/a/b/gitdir", GK_POINTER_NONE},
		{"/w/.git/modules/a/gitdir", GK_POINTER_NONE}, {"/w/.git/commondir", GK_POINTER_NONE}, {"/w/git/worktrees/a/gitdir", GK_POINTER_NONE},
		{"/w/x.git/worktrees/a/commondir", GK_POINTER_NONE}, {"/", GK_POINTER_NONE}, {"", GK_POINTER_NONE},
	};
	for (size_t i = 0; i < GK_COUNT(names); i++)
		CHECK(gk_pointer_of(gk_slice_of(names[i].path)) == names[i].pointer, "%s", names[i].path);
}

static void what_git_writes_is_understood(void) {
	CHECK(leads("/w/sub/.git", "gitdir: ../.git/modules/sub\n", "/w/.git/modules/sub"));
	CHECK(leads("/w/a/b/.git", "gitdir: ../../.git/modules/a/b", "/w/.git/modules/a/b"));
	CHECK(leads("/w/sub/in/.git", "gitdir: ../../.git/modules/sub/modules/in\n", "/w/.git/modules/sub/modules/in"));
	CHECK(leads("/t/.git", "gitdir: /w/.git/worktrees/t\n", "/w/.git/worktrees/t"));
	CHECK(leads("/w/.git/worktrees/t/gitdir", "/t/.git\n", "/t/.git"));
	CHECK(leads("/w/.git/worktrees/t/gitdir", "../../../../t/.git\n", "/t/.git"));
	CHECK(leads("/w/.git/worktrees/t/commondir", "../..\n", "/w/.git"));
}

static void anything_else_is_refused(void) {
	static const char *const links[] = {
		"", "\n", "gitdir: ", "gitdir: \n", "gitdir: /", "gitdir: ..", "gitdir: .", "gitdir:../.git/modules/s\n", "GITDIR: /w/.git/modules/s",
		/* a repository that nothing guards */
		"gitdir: /w/bare\n", "gitdir: evil", "gitdir: ../evil\n", "gitdir: /w/.git\n", "gitdir: ../.git\n", "gitdir: /w/x.git/modules/s\n",
		"gitdir: /w/.git/modules\n", "gitdir: /w/.git/modules/\n", "gitdir: /w/.git/worktrees\n", "gitdir: /w/.git/worktrees/a/b\n",
		"gitdir: /w/.git/objects/x\n", "gitdir: /w/.git/modules/s/.git\n", "gitdir: /w/.git/modules/s/.git/x\n",
		/* spelled so that it could come to mean another place */
		"gitdir: /w/.git/modules/../../evil\n", "gitdir: /w/.git/modules/s/..\n", "gitdir: /w/.git/modules/s/\n", "gitdir: /w//.git/modules/s\n",
		"gitdir: /w/./.git/modules/s\n", "gitdir: x/../../.git/modules/s\n", "gitdir: ../../../../../.git/modules/s\n", "gitdir: /../w/.git/modules/s\n",
		"gitdir: ../modules/s\n", "gitdir: ./.git/modules/s\n",
		/* more than git writes */
		"gitdir: /w/.git/modules/s\n\n", "gitdir: /w/.git/modules/s\r\n", "gitdir: /w/.git/modules/s\nx", "gitdir: /w/.git/modules/s\n/../../evil",
		" gitdir: /w/.git/modules/s\n", "\xef\xbb\xbfgitdir: /w/.git/modules/s\n",
	};
	for (size_t i = 0; i < GK_COUNT(links); i++)
		CHECK(leads("/w/sub/.git", links[i], NULL), "%s leads to %s", links[i], target);
	/* What is beneath a guarded directory now need not be after a move. */
	CHECK(leads("/w/.git/modules/a/.git", "gitdir: ../b\n", NULL));
	CHECK(leads("/w/.git/.git", "gitdir: modules/b\n", NULL));
	static const char *const common[] = {"", "..\n", "../../..\n", "../..\n\n", "../../\n", "/w/.git\n", ".\n", "../../../w/.git\n", "../../evil"};
	for (size_t i = 0; i < GK_COUNT(common); i++)
		CHECK(leads("/w/.git/worktrees/t/commondir", common[i], NULL), "%s", common[i]);
	static const char *const gitdirs[] = {"", "/t\n", "/t/.git/x\n", "/t/../.git\n", ".git/..\n", "/t/.git\n/u/.git\n"};
	for (size_t i = 0; i < GK_COUNT(gitdirs); i++)
		CHECK(leads("/w/.git/worktrees/t/gitdir", gitdirs[i], NULL), "%s", gitdirs[i]);
	struct gk_slice name = gk_slice_of("/w/s/.git");
	size_t length;
	CHECK(gk_pointer_target(GK_POINTER_LINK, name, gk_slice("gitdir: /w/.git/modules/s\0x", 27), target, &length) == -EBADMSG);
	static char endless[2 * PATH_MAX] = "gitdir: /w/.git/modules/";
	memset(endless + strlen(endless), 'a', PATH_MAX - 24);
	memset(endless + strlen(endless), 'a', PATH_MAX - 24);
	CHECK(leads("/w/s/.git", endless, NULL));
}

static bool works_in(const char *config, const char *value, const char *to) {
	size_t length;
	int rc = gk_pointer_worktree(gk_slice_of(config), value, target, &length);
	return to == NULL ? rc == -EBADMSG : rc == 0 && strcmp(target, to) == 0;
}

static void a_submodule_has_its_files_beneath_the_whole(void) {
	CHECK(works_in("/w/.git/modules/sub/config", "../../../sub", "/w/sub"));
	CHECK(works_in("/w/.git/modules/a/modules/b/config", "../../../../../a/b", "/w/a/b"));
	static const char *const values[] = {"", "/", "/w/sub", "/home/u", "../../..", "../../../", "../../../../x", "../../../sub/..", "../../../sub/../../x",
					     "../../../.git", "../../../sub/.git", "../../hooks", "../x", "x", "../../../sub/", "../../../../w"};
	for (size_t i = 0; i < GK_COUNT(values); i++)
		CHECK(works_in("/w/.git/modules/sub/config", values[i], NULL), "%s leads to %s", values[i], target);
	CHECK(works_in("/w/.git/config", "../sub", NULL));
	CHECK(works_in("/w/.git/worktrees/a/config", "../../../sub", NULL));
	CHECK(works_in("/w/.git/modules/config", "../../sub", NULL));
	CHECK(works_in("/w/.git/modules/sub/config.worktree", "../../../sub", NULL));
}

int main(void) {
	names_tell_what_a_file_is();
	what_git_writes_is_understood();
	anything_else_is_refused();
	a_submodule_has_its_files_beneath_the_whole();
	return gk_check_status();
}
