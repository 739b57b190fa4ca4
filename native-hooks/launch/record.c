#include "launch/record.h"

#include "supervise/channel.h"
#include "supervise/clock.h"
#include "supervise/command_text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

typedef int append_fn(struct gk_journal *journal, struct gk_slice frame);
static int append(struct gk_supervisor *supervisor, struct gk_frame_writer *w, append_fn *how);
static int add_command(struct gk_frame_writer *w, char *const *argv);
static int write_command(struct gk_command_text *text, char *const *argv);

int gk_record_start(struct gk_supervisor *supervisor, char *const *argv, struct gk_slice image_digest,
		    const char *in_force) {
	uint8_t buffer[2 * PATH_MAX + GK_COMMAND_SHOWN];
	struct gk_frame_writer w;
	char cwd[PATH_MAX];
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_RUN_START, 0);
	gk_frame_times(&w);
	gk_frame_u64(&w, GK_FIELD_PID, (uint64_t)supervisor->first_pid);
	int error = add_command(&w, argv);
	if (error < 0)
		return error;
	if (getcwd(cwd, sizeof(cwd)) != NULL)
		gk_frame_bytes(&w, GK_FIELD_CWD, gk_slice_of(cwd));
	gk_frame_bytes(&w, GK_FIELD_IMAGE_DIGEST, image_digest);
	gk_frame_bytes(&w, GK_FIELD_ENFORCE, gk_slice_of(supervisor->by_hook ? "hook" : "kernel"));
	char text[PATH_MAX];
	snprintf(text, sizeof(text), "%s%s%s", in_force, in_force[0] != '\0' && supervisor->degrade ? "; " : "",
		 supervisor->degrade ? "degrade: what the journal cannot take happens all the same, and is counted" : "");
	if (text[0] != '\0')
		gk_frame_bytes(&w, GK_FIELD_TEXT, gk_slice_of(text));
	gk_frame_u64(&w, GK_FIELD_SIMULATE, supervisor->simulate ? 1 : 0);
	return append(supervisor, &w, gk_journal_append);
}

/* Decisions whose result could not be written down, which says nothing of the others. */
static void record_losses(struct gk_supervisor *supervisor) {
	uint8_t buffer[256];
	struct gk_frame_writer w;
	unsigned long lost = atomic_load(&supervisor->results_lost);
	if (lost == 0)
		return;
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_NOTE, 0);
	gk_frame_times(&w);
	gk_frame_bytes(&w, GK_FIELD_KIND, gk_slice_of("results-lost"));
	gk_frame_u64(&w, GK_FIELD_COUNT, lost);
	(void)!append(supervisor, &w, gk_journal_append_final);
}

int gk_record_end(struct gk_supervisor *supervisor, int status) {
	uint8_t buffer[256];
	struct gk_frame_writer w;
	record_losses(supervisor);
	gk_unrecorded_tend(supervisor);
	(void)!gk_unrecorded_record(supervisor, gk_journal_append_final);
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_RUN_END, 0);
	gk_frame_times(&w);
	gk_frame_u64(&w, GK_FIELD_STATUS, (uint64_t)(unsigned)status);
	gk_frame_u64(&w, GK_FIELD_COUNT, atomic_load(&supervisor->decided));
	return append(supervisor, &w, gk_journal_append_final); /* its room was kept free */
}

static int append(struct gk_supervisor *supervisor, struct gk_frame_writer *w, append_fn *how) {
	int error = gk_frame_end(w);
	if (error == 0)
		error = how(supervisor->journal, gk_slice(w->buffer, w->length));
	if (error == 0)
		gk_channel_kick(supervisor->channel);
	return error;
}

static int add_command(struct gk_frame_writer *w, char *const *argv) {
	struct gk_command_text text = {0};
	uint8_t shown[GK_COMMAND_SHOWN];
	int error = write_command(&text, argv);
	if (error == 0)
		gk_frame_bytes(w, GK_FIELD_COMMAND, gk_command_shown(gk_command_text_slice(&text), shown));
	gk_command_text_free(&text);
	return error;
}

static int write_command(struct gk_command_text *text, char *const *argv) {
	size_t size = 0;
	for (size_t i = 0; argv[i] != NULL; i++)
		size += strlen(argv[i]) + 1;
	char *joined = malloc(size);
	if (joined == NULL)
		return -ENOMEM;
	char *end = joined;
	for (size_t i = 0; argv[i] != NULL; i++)
		end = stpcpy(end, argv[i]) + 1;
	int error = gk_command_text_open(text, gk_slice(joined, size));
	free(joined);
	return error < 0 ? error : gk_command_text_name(text, gk_slice_of(argv[0]));
}
