/* Any configuration file of git: refused, or a list in one form, which a second reading, and what git skips, does not change. */
#include "fuzz/driver.h"
#include "supervise/git_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long taken, refused, dangerous;

/* Four parts each, all ended. */
static void check_form(const struct gk_settings *settings) {
	size_t ends = 0;
	for (size_t i = 0; i < settings->length; i++)
		ends += settings->bytes[i] == '\0';
	if (ends % 4 != 0 || (settings->length > 0 && settings->bytes[settings->length - 1] != '\0'))
		abort();
}

/* Where a file was read to its end, a comment and a setting that runs something are read as such. */
static void check_appended(struct gk_slice text, const struct gk_settings *before) {
	static const char tail[] = "\n# comment \"\n[core]\n\tpager = x\n";
	uint8_t *longer = malloc(text.length + sizeof tail - 1);
	if (longer == NULL)
		abort();
	memcpy(longer, text.at, text.length);
	memcpy(longer + text.length, tail, sizeof tail - 1);
	struct gk_settings after;
	int rc = gk_settings_parse(gk_slice(longer, text.length + sizeof tail - 1), &after);
	/* An open continuation at the end takes the first line of the tail in. */
	bool continued = text.length > 0 && text.at[text.length - 1] == '\\';
	if (rc != 0 ? !continued : after.length <= before->length || !gk_settings_within(before, &after))
		abort();
	gk_settings_release(&after);
	free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
	struct gk_settings settings;
	int rc = gk_settings_parse(gk_slice(bytes, length), &settings);
	if (rc != 0 && rc != -EBADMSG)
		abort();
	refused += rc != 0;
	if (rc != 0)
		return 0;
	taken++;
	dangerous += settings.length > 0;
	check_form(&settings);
	if (!gk_settings_within(&settings, &settings))
		abort();
	check_appended(gk_slice(bytes, length), &settings);
	gk_settings_release(&settings);
	return 0;
}

struct gk_slice gk_fuzz_seed(unsigned index) {
	static const char *const texts[] = {
		"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n[remote \"origin\"]\n\turl = https://e.org/x.git\n",
		"[core]\n\thooksPath = \"a # b\" ; c\n\tsshCommand\n[alias]\n\tx = !sh -c \\\"y\\\" \\\n more\n",
		"\xef\xbb\xbf[Core]\r\n\tPager=x\r\n[filter \"a\\\\b\\\"c\"] clean = y # z\n[diff.x] command=y\n",
		"[includeIf \"gitdir:x\"]\n\tpath = \"x\ty\"\n[http]\n\tcookieFile = x\n\tsaveCookies\n; end",
		"[url \"ext::sh \"]\n\tinsteadOf = x\n[submodule \"x\"]\n\tupdate = !x\n\\",
	};
	if (index >= GK_COUNT(texts))
		return gk_slice(NULL, 0);
	size_t length = strlen(texts[index]);
	uint8_t *bytes = malloc(length);
	if (bytes == NULL)
		abort();
	memcpy(bytes, texts[index], length);
	return gk_slice(bytes, length);
}

int gk_fuzz_report(void) {
	printf("settings_fuzz: %lu taken (%lu that run something), %lu refused\n", taken, dangerous, refused);
	return taken == 0 || refused == 0 || dangerous == 0;
}
