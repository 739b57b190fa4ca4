#include "supervise/git_dangerous.h"

#include "base/attr.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* name NULL: the whole section. A section is listed without its subsection: diff.<driver>.command stands as diff, command. */
struct setting {
	const char *section, *name;
};

/* git-config(1) of git 2.51, and the settings of git-lfs and git-annex that run programs. */
static const struct setting dangerous[] = {
	{"core", "hookspath"},	      {"core", "fsmonitor"},	 {"core", "sshcommand"},   {"core", "pager"},
	{"core", "editor"},	      {"core", "askpass"},	 {"core", "gitproxy"},	   {"core", "alternaterefscommand"},
	{"core", "attributesfile"},   {"core", "worktree"},	 {"sequence", NULL},	   {"include", NULL},
	{"includeif", NULL},	      {"diff", "external"},	 {"diff", "command"},	   {"diff", "textconv"},
	{"merge", "driver"},	      {"mergetool", "cmd"},	 {"mergetool", "path"},	   {"difftool", "cmd"},
	{"difftool", "path"},	      {"guitool", NULL},	 {"credential", "helper"}, {"gpg", "program"},
	{"gpg", "defaultkeycommand"}, {"pager", NULL},		 {"browser", NULL},	   {"web", "browser"},
	{"help", "browser"},	      {"man", NULL},		 {"remote", "receivepack"}, {"remote", "uploadpack"},
	{"remote", "proxy"},	      {"remote", "vcs"},	 {"protocol", NULL},	   {"trailer", "command"},
	{"trailer", "cmd"},	      {"interactive", "difffilter"}, {"uploadpack", "packobjectshook"}, {"init", "templatedir"},
	{"sendemail", NULL},	      {"instaweb", NULL},	 {"tar", "command"},	   {"imap", "tunnel"},
	{"hook", NULL},		      {"gc", "recentobjectshook"}, {"annex", NULL},	   {"receive", "certnonceseed"},
	{"lfs", "path"},	      {"lfs", "clean"},		 {"lfs", "smudge"},	   {"lfs", "standalonetransferagent"},
	{"lfs", "args"},	      {"http", "proxy"},	 {"http", "curloptresolve"}, {"http", "sslverify"},
	/* Together they have a server write a file of the user's: the cookie jar. */
	{"http", "cookiefile"},	      {"http", "savecookies"},
	{"filter", "clean"},	      {"filter", "smudge"},	 {"filter", "process"},
};

/* Ends of names that speak for themselves, in settings that are not known yet. */
static const char *const telling[] = {"command", "cmd", "program", "hook", "editor", "pager", "askpass", "textconv", "driver"};

static bool ends_with(const char *text, const char *end) {
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool starts_with(const char *text, const char *start) {
	return strncasecmp(text, start, strlen(start)) == 0;
}

/* An alias that runs no shell still takes options: "-c core.fsmonitor=…", "grep -O…", "bisect run …". A word alone takes none. */
static bool is_one_word(const char *text) {
	return isalpha((unsigned char)text[0]) && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] == '\0';
}

bool gk_git_is_dangerous(const char *section, const char *subsection, const char *name, const char *value) {
	for (size_t i = 0; i < GK_COUNT(dangerous); i++)
		if (strcmp(dangerous[i].section, section) == 0 &&
		    (dangerous[i].name == NULL || strcmp(dangerous[i].name, name) == 0))
			return true;
	for (size_t i = 0; i < GK_COUNT(telling); i++)
		if (ends_with(name, telling[i]))
			return true;
	if (strcmp(section, "alias") == 0)
		return !is_one_word(value);
	if (strcmp(name, "update") == 0) {
		const char *text = value + strspn(value, " \t\n\v\f\r");
		return *text == '!';
	}
	/* ext::<command> is an address that git runs; it may stand behind a rewritten prefix too. */
	return strstr(value, "ext::") != NULL || starts_with(subsection, "ext::");
}
