/* image_tool RULES OUT: writes a policy image with that many path rules for file_read, of the kinds that policies have: trees,
 * file names at any depth, suffixes. For measuring decisions, and as seeds for fuzzing. */
#include "test/image_builder.h"

static void add_rules(struct builder *b, unsigned count) {
	char text[128];
	build_path(b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, 0, 0, "/home/u/**");
	for (unsigned i = 1; i < count; i++) {
		enum gk_effect effect = i % 3 == 0 ? GK_EFFECT_DENY : GK_EFFECT_ALLOW;
		if (i % 10 == 0)
			snprintf(text, sizeof(text), "**/.secret%u", i);
		else if (i % 10 == 1)
			snprintf(text, sizeof(text), "/home/u/p/src%u/**/key%u.pem", i % 7, i);
		else
			snprintf(text, sizeof(text), "/home/u/p/src%u/module%u/package%u/**", i % 7, i % 100, i);
		build_path(b, GK_ACTION_FILE_READ, effect, 0, 0, text);
	}
}

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: image_tool RULES OUT\n");
		return 2;
	}
	static struct builder b;
	build_begin(&b);
	build_file(&b, 3, 1);
	add_rules(&b, (unsigned)atoi(argv[1]));
	struct bytes image = build_end(&b);
	FILE *out = fopen(argv[2], "we");
	bool written = out && fwrite(image.at, 1, image.length, out) == image.length;
	if (out && fclose(out) != 0)
		written = false;
	free(image.at);
	if (!written)
		perror(argv[2]);
	return written ? 0 : 1;
}
