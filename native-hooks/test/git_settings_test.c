/* git's configuration syntax as git reads it, and the settings that run something. */
#include "supervise/git_settings.h"
#include "test/check.h"

#include <errno.h>

static int parse(const char *text, struct gk_settings *out) {
	return gk_settings_parse(gk_slice_of(text), out);
}

static void check_dangerous(const char *text, bool dangerous) {
	struct gk_settings settings;
	int rc = parse(text, &settings);
	CHECK(rc == 0, "%d for %s", rc, text);
	CHECK((settings.length > 0) == dangerous, "%s", text);
	gk_settings_release(&settings);
}

static void settings_that_run_something_are_found(void) {
	static const char *const texts[] = {
		"[core]\n\thooksPath = x\n", "[CORE]\nHOOKSPATH=x", "[core] fsmonitor = x", "[core]\nsshCommand\n", "[filter \"a\"]\nclean=x",
		"[alias]\nx = \"!sh\"", "[alias]\nx = \\\n!sh", "[alias]\nx = \"-c core.fsmonitor=sh status\"", "[alias]\nx = bisect run sh",
		"[alias \"x\"]\ncommand = bisect run sh", "[http]\ncookieFile = x\nsaveCookies = true", "[include]\npath=x", "[includeIf \"gitdir:x\"]\npath=x", "[diff \"x\"]\ntextconv=x",
		"[merge \"x\"]\ndriver=x", "[credential]\nhelper=x", "[credential \"https://x\"]\nhelper = !x", "[gpg \"ssh\"]\nprogram=x",
		"[submodule \"x\"]\nupdate = !x", "[remote \"o\"]\nurl = ext::sh", "[url \"ext::sh \"]\ninsteadOf = x", "[pager]\nlog=x",
		"\xef\xbb\xbf[core]\r\n\teditor = x\r\n", "[core] ; c\n # d\n editor = x", "[diff.x]\ncommand=y", "[unknown]\nmycommand=x",
		"[a]\nb=\"c;d\" # \"\n[core]\npager=x",
	};
	for (size_t i = 0; i < GK_COUNT(texts); i++)
		check_dangerous(texts[i], true);
}

static void ordinary_settings_are_not(void) {
	static const char *const texts[] = {
		"", "\n\n", "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n",
		"[remote \"origin\"]\n\turl = https://example.org/x.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
		"[branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n", "[user]\nname = \"A # B\"", "[alias]\nst = status",
		"[submodule \"x\"]\nupdate = rebase", "[core]\n# hooksPath = x\n; pager = y\n", "[user]\nname = a \\\n pager = b\n",
	};
	for (size_t i = 0; i < GK_COUNT(texts); i++)
		check_dangerous(texts[i], false);
}

static void what_git_cannot_read_is_refused(void) {
	static const char *const texts[] = {
		"[core", "x = y", "[]\n", "[core]\n= x", "[core]\n1a = x", "[a b]\n", "[a \"b]\n", "[a \"b\"c]\n", "[core]\na = \"b\n",
		"[core]\na = \\q", "[core]\na b", "[co_re]\na=b", "[core]\na_b=c",
	};
	for (size_t i = 0; i < GK_COUNT(texts); i++) {
		struct gk_settings settings;
		int rc = parse(texts[i], &settings);
		CHECK(rc == -EBADMSG, "%d for %s", rc, texts[i]);
		gk_settings_release(&settings);
	}
	struct gk_settings settings;
	CHECK(gk_settings_parse(gk_slice("[a]\0[core]\npager=x", 18), &settings) == -EBADMSG);
}

static bool within(const char *after, const char *before) {
	struct gk_settings a, b;
	bool result = parse(after, &a) == 0 && parse(before, &b) == 0 && gk_settings_within(&a, &b);
	gk_settings_release(&a);
	gk_settings_release(&b);
	return result;
}

static void only_settings_that_were_there_may_stay(void) {
	static const char one[] = "[core]\npager = a\n", two[] = "[core]\npager = a\npager = b\n";
	CHECK(within(one, one));
	CHECK(within("", one));
	CHECK(within(one, two));
	CHECK(within("[user]\nname=x\n[CORE]\n\tPager=a", one), "spelling and other settings do not matter");
	CHECK(!within(one, ""));
	CHECK(!within(two, one));
	CHECK(!within("[core]\npager = b\npager = a\n", two), "the last one wins: the order matters");
	CHECK(!within("[core]\npager = A\n", one));
	CHECK(!within("[diff \"X\"]\ncommand=a\n", "[diff \"x\"]\ncommand=a\n"), "subsections tell cases apart");
	CHECK(!within("[core]\npager = a\v\n", one), "only what git calls a blank is cut off");
	CHECK(within("[core]\npager = a \t\r\n", one));
}

int main(void) {
	settings_that_run_something_are_found();
	ordinary_settings_are_not();
	what_git_cannot_read_is_refused();
	only_settings_that_were_there_may_stay();
	return gk_check_status();
}
