#include "hook/explain.h"

#include "hook/explain_image.h"
#include "hook/explain_words.h"
#include "hook/hook.h"
#include "hook/line.h"
#include "hook/place.h"
#include "hook/quiet.h"
#include "image/address.h"
#include "image/decide.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>

/* Longer ones are cut, and the command to type is left out. */
#define TARGET_MOST 1200
#define REASON_MOST 600
#define LABEL_MOST 200
#define HOST_NAME_MOST 253

/* Room for one explanation: pages that live as long as it, since a signal handler's stack may be small and a static buffer
 * would need a lock. */
struct scratch {
	struct gk_place place, alias;
	struct gk_words words;
	struct gk_line line;
};

/* What the policy says about something, and how it is called. */
struct refusal {
	enum gk_action action;
	struct gk_verdict verdict;
	struct gk_slice target;
	struct gk_slice program; /* of a command: its name, which argv follows */
	char *const *argv;
	const char *reason; /* in place of what the image says; NULL elsewhere */
};

static struct scratch *begin(int error, const struct gk_image **image);
static void end(struct scratch *scratch);
static bool tell_path(struct scratch *scratch, const struct gk_image *image, enum gk_action action);
static void tell(struct gk_line *line, const struct gk_image *image, const struct refusal *refusal);

void gk_explain_open(int error, int dirfd, const char *path, int flags) {
	const struct gk_image *image;
	struct scratch *scratch = (flags & O_PATH) ? NULL : begin(error, &image);
	if (scratch == NULL)
		return;
	bool follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	if (gk_place_find(dirfd, path, follow, &scratch->place)) {
		bool reads = (flags & O_ACCMODE) != O_WRONLY && scratch->place.exists;
		bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) || !scratch->place.exists;
		if (!(reads && tell_path(scratch, image, GK_ACTION_FILE_READ)) && writes)
			(void)tell_path(scratch, image, GK_ACTION_FILE_WRITE);
	}
	end(scratch);
}

void gk_explain_path(int error, enum gk_action action, int dirfd, const char *path, bool follow) {
	const struct gk_image *image;
	struct scratch *scratch = begin(error, &image);
	if (scratch == NULL)
		return;
	if (gk_place_find(dirfd, path, follow, &scratch->place))
		(void)tell_path(scratch, image, action);
	end(scratch);
}

/* What the user himself may not execute was not refused by a policy. */
static bool may_execute(int dirfd, const char *path, int flags) {
	return gk_raw4(SYS_faccessat2, dirfd, (long)path, X_OK, AT_EACCESS | (flags & AT_EMPTY_PATH)) == 0;
}

void gk_explain_exec(int error, int dirfd, const char *path, char *const argv[], int flags) {
	const struct gk_image *image;
	struct scratch *scratch = argv != NULL ? begin(error, &image) : NULL;
	if (scratch == NULL)
		return;
	struct gk_place *place = &scratch->place, *alias = &scratch->alias;
	if (may_execute(dirfd, path, flags) && gk_place_find(dirfd, path, true, place)) {
		struct gk_slice own = gk_slice(place->text, place->length), other = gk_slice(NULL, 0);
		if (path[0] != '\0' && gk_place_name(dirfd, path, alias))
			other = gk_slice(alias->text, alias->length);
		struct refusal refusal = {.action = GK_ACTION_SHELL_EXEC, .argv = argv};
		if (gk_words_decide(&scratch->words, image, own, other, argv, &refusal.verdict)) {
			refusal.target = gk_slice(scratch->words.base, scratch->words.base_length);
			refusal.program = scratch->words.program;
			tell(&scratch->line, image, &refusal);
		}
	}
	end(scratch);
}

static void name_address(struct gk_line *line, const uint8_t address[16], unsigned port);

static void tell_address(struct scratch *scratch, const struct gk_image *image, const uint8_t given[16], unsigned port) {
	uint8_t address[16];
	memcpy(address, given, 16);
	gk_address_unwrap(address);
	/* The place's room is free: nothing here has a path. */
	struct gk_line *name = &scratch->words.name;
	name->used = 0;
	name_address(name, address, port);
	struct refusal refusal = {.action = GK_ACTION_NETWORK,
				  .verdict = gk_decide_address(image, address, (uint16_t)port),
				  .target = gk_slice(name->text, name->used)};
	tell(&scratch->line, image, &refusal);
}

static void tell_unix(struct scratch *scratch, const struct gk_image *image, const struct sockaddr *address, socklen_t length) {
	const struct sockaddr_un *named = (const void *)address;
	char path[sizeof(named->sun_path) + 1] = {0};
	size_t most = length - offsetof(struct sockaddr_un, sun_path);
	memcpy(path, named->sun_path, most < sizeof(path) - 1 ? most : sizeof(path) - 1);
	if (path[0] != '\0' && gk_place_find(AT_FDCWD, path, true, &scratch->place))
		(void)tell_path(scratch, image, GK_ACTION_UNIX_SOCKET);
}

void gk_explain_connect(int error, const struct sockaddr *address, socklen_t length) {
	const struct gk_image *image;
	struct scratch *scratch = address != NULL && length >= sizeof(sa_family_t) ? begin(error, &image) : NULL;
	if (scratch == NULL)
		return;
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
	if (address->sa_family == AF_INET && length >= sizeof(*v4)) {
		memcpy(mapped + 12, &v4->sin_addr, 4);
		tell_address(scratch, image, mapped, __builtin_bswap16(v4->sin_port));
	} else if (address->sa_family == AF_INET6 && length >= sizeof(*v6)) {
		tell_address(scratch, image, v6->sin6_addr.s6_addr, __builtin_bswap16(v6->sin6_port));
	} else if (address->sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
		tell_unix(scratch, image, address, length);
	}
	end(scratch);
}

/* Other characters are in no name of a host, so that no rule can be what was missing. */
static bool is_host_name(struct gk_slice name) {
	static const char digits_and_marks[] = "0123456789-.";
	bool has_letter = false;
	for (size_t i = 0; i < name.length; i++) {
		bool letter = (name.at[i] | 0x20) >= 'a' && (name.at[i] | 0x20) <= 'z';
		if (!letter && strchr(digits_and_marks, name.at[i]) == NULL)
			return false;
		has_letter = has_letter || letter;
	}
	return has_letter && name.length <= HOST_NAME_MOST;
}

void gk_explain_name(int result, const char *name) {
	const struct gk_image *image;
	struct gk_slice host = gk_slice_of(name);
	if (host.length > 0 && host.at[host.length - 1] == '.')
		host.length--;
	bool refused = result == EAI_NONAME || (result == EAI_SYSTEM && errno == EACCES);
	struct scratch *scratch = refused && is_host_name(host) ? begin(EACCES, &image) : NULL;
	if (scratch == NULL)
		return;
	struct refusal refusal = {.action = GK_ACTION_NETWORK,
				  .verdict = {.effect = GK_EFFECT_DENY, .rule = GK_NO_RULE},
				  .target = host,
				  .reason = result == EAI_NONAME ? ": no rule lets this name be reached"
								 : ": no rule spells this name out, and this program asks for others by datagrams alone"};
	tell(&scratch->line, image, &refusal);
	end(scratch);
}

static struct scratch *begin(int error, const struct gk_image **image) {
	if ((error != EACCES && error != EPERM) || !gk_hook.explains || !gk_quiet_may_look())
		return NULL;
	*image = gk_explain_image();
	if (*image == NULL)
		return NULL;
	long at = gk_raw6(SYS_mmap, 0, sizeof(struct scratch), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at < 0 ? NULL : (struct scratch *)at;
}

static void end(struct scratch *scratch) {
	(void)gk_raw4(SYS_munmap, (long)scratch, sizeof(*scratch), 0, 0);
}

/* Whoever lists processes looks at all of them, and carries on without those of others. */
static bool is_look_at_process(const struct refusal *refusal) {
	static const char prefix[] = "/proc/";
	const size_t length = sizeof prefix - 1;
	return refusal->action == GK_ACTION_FILE_READ && refusal->verdict.rule == GK_NO_RULE && refusal->target.length > length &&
	       memcmp(refusal->target.at, prefix, length) == 0 && refusal->target.at[length] >= '0' && refusal->target.at[length] <= '9';
}

/* Whether the policy is why: then nothing else has to be looked for. */
static bool tell_path(struct scratch *scratch, const struct gk_image *image, enum gk_action action) {
	struct gk_slice name = gk_slice(scratch->place.text, scratch->place.length);
	struct refusal refusal = {.action = action, .verdict = gk_decide_path(image, action, name), .target = name};
	if (!is_look_at_process(&refusal))
		tell(&scratch->line, image, &refusal);
	return refusal.verdict.effect != GK_EFFECT_ALLOW;
}

static void put_label(struct gk_line *line, struct gk_slice label) {
	gk_line_put(line, " (");
	gk_line_visible(line, label, LABEL_MOST);
	gk_line_put(line, ")");
}

static void put_reason(struct gk_line *line, const struct gk_image *image, const struct refusal *refusal) {
	if (refusal->reason != NULL) {
		gk_line_put(line, refusal->reason);
		return;
	}
	gk_line_put(line, ": ");
	if (refusal->verdict.rule == GK_NO_RULE) {
		uint32_t stated = gk_image_default_rule(image, refusal->action);
		gk_line_put(line, "no rule allows it");
		if (stated != GK_NO_RULE)
			put_label(line, gk_image_rule(image, stated).label);
		return;
	}
	struct gk_rule_view rule = gk_image_rule(image, refusal->verdict.rule);
	if (rule.reason.length > 0)
		gk_line_visible(line, rule.reason, REASON_MOST);
	else
		gk_line_put(line, rule.effect == GK_EFFECT_ASK ? "a rule asks for it" : "a rule denies it");
	put_label(line, rule.label);
}

/* A command is given word by word, each quoted: what a human copies must not become another command. */
static bool put_words(struct gk_line *line, const struct refusal *refusal) {
	if (refusal->argv == NULL)
		return gk_line_word(line, refusal->target, TARGET_MOST);
	size_t start = line->used;
	bool whole = gk_line_word(line, refusal->program, TARGET_MOST);
	for (size_t i = 1; whole && refusal->argv[0] != NULL && refusal->argv[i] != NULL; i++) {
		gk_line_put(line, " ");
		whole = line->used - start < TARGET_MOST && gk_line_word(line, gk_slice_of(refusal->argv[i]), TARGET_MOST);
	}
	return whole;
}

static void tell(struct gk_line *line, const struct gk_image *image, const struct refusal *refusal) {
	static const char *const actions[GK_ACTION_COUNT] = {
		[GK_ACTION_FILE_READ] = "file_read",   [GK_ACTION_FILE_WRITE] = "file_write",	[GK_ACTION_FILE_DELETE] = "file_delete",
		[GK_ACTION_SHELL_EXEC] = "shell_exec", [GK_ACTION_NETWORK] = "network",		[GK_ACTION_UNIX_SOCKET] = "unix_socket",
		[GK_ACTION_TOOL_CALL] = "tool_call",
	};
	if (refusal->verdict.effect == GK_EFFECT_ALLOW)
		return;
	const char *action = actions[refusal->action];
	uint64_t hash = gk_quiet_hash(gk_quiet_hash(GK_QUIET_HASH, action, strlen(action) + 1), refusal->target.at, refusal->target.length);
	if (!gk_quiet_may_tell(hash))
		return;
	line->used = 0;
	line->full = false;
	gk_line_put(line, "gatekeeper: denied ");
	gk_line_put(line, action);
	gk_line_put(line, " ");
	bool whole = gk_line_visible(line, refusal->target, TARGET_MOST);
	put_reason(line, image, refusal);
	gk_line_put(line, ". Ask the user if you need it");
	size_t before = line->used;
	gk_line_put(line, "; they can see: gatekeeper policy explain ");
	gk_line_put(line, action);
	gk_line_put(line, " ");
	if (!whole || !put_words(line, refusal) || line->used >= sizeof(line->text) - 2) {
		line->used = before;
		gk_line_put(line, ".");
	}
	gk_line_put(line, "\n");
	gk_quiet_tell(line->text, line->used);
}

static void name_address(struct gk_line *line, const uint8_t address[16], unsigned port) {
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	bool mapped = memcmp(address, v4, sizeof(v4)) == 0;
	if (mapped) {
		for (unsigned i = 12; i < 16; i++) {
			gk_line_number(line, address[i], 10);
			gk_line_put(line, i < 15 ? "." : "");
		}
	} else {
		gk_line_put(line, "[");
		for (unsigned i = 0; i < 16; i += 2) {
			gk_line_number(line, (unsigned long)address[i] << 8 | address[i + 1], 16);
			gk_line_put(line, i < 14 ? ":" : "]");
		}
	}
	gk_line_put(line, ":");
	gk_line_number(line, port, 10);
}
