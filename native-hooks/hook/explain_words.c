#include "hook/explain_words.h"

#include "base/quotes.h"

static struct gk_slice base_name(struct gk_slice path) {
	const uint8_t *slash = memrchr(path.at, '/', path.length);
	return slash == NULL ? path : gk_slice(slash + 1, path.length - (size_t)(slash + 1 - path.at));
}

/* Where the next word goes; NULL when there is no room. */
static uint8_t *put_word(uint8_t *at, const uint8_t *end, struct gk_slice word) {
	if (at == NULL || (size_t)(end - at) < 4 * word.length + 3)
		return NULL;
	bool quoted = gk_needs_quotes(word);
	if (quoted)
		*at++ = '\'';
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == '\'') {
			memcpy(at, "'\\''", 4);
			at += 4;
		} else {
			*at++ = word.at[i];
		}
	}
	if (quoted)
		*at++ = '\'';
	return at;
}

/* The canonical text; its length, or 0. */
static size_t put_command(uint8_t text[GK_WORDS_MOST], struct gk_slice name, char *const argv[]) {
	const uint8_t *end = text + GK_WORDS_MOST;
	uint8_t *at = put_word(text, end, name);
	for (size_t i = 1; at != NULL && argv[0] != NULL && argv[i] != NULL; i++) {
		if (at == end)
			return 0;
		*at++ = ' ';
		at = put_word(at, end, gk_slice_of(argv[i]));
	}
	return at != NULL ? (size_t)(at - text) : 0;
}

static bool decide_as(struct gk_words *words, const struct gk_image *image, struct gk_slice program, char *const argv[],
		      struct gk_verdict *verdict) {
	words->program = base_name(program);
	words->base_length = put_command(words->base, words->program, argv);
	size_t length = put_command(words->path, program, argv);
	if (words->base_length == 0 || length == 0)
		return false;
	/* Names do not vouch for what the run may have put there itself. */
	bool writable = gk_decide_path(image, GK_ACTION_FILE_WRITE, program).effect != GK_EFFECT_DENY;
	*verdict = gk_decide_command(image, gk_slice(words->base, words->base_length), gk_slice(words->path, length), writable);
	return true;
}

bool gk_words_decide(struct gk_words *words, const struct gk_image *image, struct gk_slice own, struct gk_slice alias, char *const argv[],
		     struct gk_verdict *verdict) {
	struct gk_verdict by_alias = {.effect = GK_EFFECT_ALLOW, .rule = GK_NO_RULE};
	if (!decide_as(words, image, own, argv, verdict))
		return false;
	if (alias.length > 0 && !gk_slice_equal(alias, own)) {
		if (!decide_as(words, image, alias, argv, &by_alias))
			return false;
		/* A rule beats the default, the stricter rule the other. */
		if (by_alias.rule != GK_NO_RULE && (verdict->rule == GK_NO_RULE || by_alias.effect > verdict->effect))
			*verdict = by_alias;
	}
	bool launches = gk_image_is_launcher(image, base_name(own)) || gk_image_is_launcher(image, words->program);
	return verdict->effect != GK_EFFECT_ALLOW && !(verdict->rule == GK_NO_RULE && launches);
}
