#include "supervise/judge.h"

#include "supervise/channel.h"
#include "supervise/clock.h"
#include "supervise/files.h"
#include "supervise/mounts.h"
#include "supervise/region.h"
#include "supervise/result.h"
#include "supervise/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* Longer command texts are cut in the receipt; the decision saw them whole. */
#define MAX_COMMAND_BYTES 32768
#define NO_REASON GK_REASON_COUNT

struct receipt {
	enum gk_verdict_code verdict;
	enum gk_source source;
	uint32_t rule, pierced;
	unsigned reason; /* enum gk_reason, or NO_REASON */
	const struct gk_image *image;
};

static int refuse(struct gk_call *call, const struct gk_subject *subject, struct receipt *receipt, bool is_protection);
static int record(struct gk_call *call, const struct gk_subject *subject, const struct receipt *receipt);
static void add_program(struct gk_frame_writer *w, struct gk_call *call);
static bool is_protection_of_ours(enum gk_reason reason);
static bool is_failure_of_ours(enum gk_reason reason);

int gk_judge_path(struct gk_call *call, enum gk_action action, struct gk_slice path) {
	if (gk_is_lent(call->supervisor, action, path))
		return 0;
	struct gk_verdict verdict = gk_decide_path(gk_current_image(call->supervisor), action, path);
	struct gk_subject subject = {.action = action, .target = path};
	int rc = gk_judge_verdict(call, &subject, &verdict);
	if (rc < 0 || call->supervisor->files == NULL || call->supervisor->files->mounts == NULL ||
	    (action == GK_ACTION_FILE_READ && gk_region_reads(call->supervisor->region, path)))
		return rc;
	return gk_judge_other_names(call, action, path);
}

/* Where no rule speaks of the other place, its name says nothing: the run cannot have chosen it. */
int gk_judge_other_names(struct gk_call *call, enum gk_action action, struct gk_slice path) {
	char name[PATH_MAX];
	size_t length;
	int rc = 0;
	for (size_t at = 0; rc == 0 && gk_mounts_next(call->supervisor->files->mounts, path, &at, name, &length);) {
		struct gk_subject subject = {.action = action, .target = gk_slice(name, length)};
		struct gk_verdict verdict = gk_decide_path(gk_current_image(call->supervisor), action, subject.target);
		if (verdict.effect != GK_EFFECT_ALLOW && verdict.source != GK_SOURCE_DEFAULT)
			rc = gk_judge_verdict(call, &subject, &verdict);
	}
	return rc;
}

bool gk_path_is_free(struct gk_call *call, enum gk_action action, struct gk_slice path) {
	if (gk_is_lent(call->supervisor, action, path))
		return true;
	struct gk_verdict verdict = gk_decide_path(gk_current_image(call->supervisor), action, path);
	char other[PATH_MAX];
	size_t at = 0, length;
	return verdict.effect == GK_EFFECT_ALLOW && !verdict.log &&
	       (call->supervisor->files->mounts == NULL || !gk_mounts_next(call->supervisor->files->mounts, path, &at, other, &length));
}

int gk_judge_verdict(struct gk_call *call, const struct gk_subject *subject, const struct gk_verdict *verdict) {
	atomic_fetch_add_explicit(&call->supervisor->decided, 1, memory_order_relaxed);
	struct receipt receipt = {
		.verdict = GK_VERDICT_ALLOW,
		.source = verdict->source,
		.rule = verdict->rule,
		.pierced = verdict->pierced,
		.reason = NO_REASON,
		.image = verdict->image,
	};
	switch (verdict->effect) {
	case GK_EFFECT_ALLOW:
		if (!verdict->log)
			return 0;
		return record(call, subject, &receipt) < 0 && !call->supervisor->degrade ? -EACCES : 0;
	case GK_EFFECT_ASK:
		receipt.source = GK_SOURCE_SILENCE;
		receipt.reason = GK_REASON_ASK_UNANSWERED;
		break;
	case GK_EFFECT_SHADOW: /* refused until a private copy can be offered */
	case GK_EFFECT_DENY:
		if (verdict->rule == GK_NO_RULE)
			receipt.reason = GK_REASON_NO_RULE;
		break;
	}
	return refuse(call, subject, &receipt, verdict->source == GK_SOURCE_PROTECTION);
}

int gk_refuse(struct gk_call *call, const struct gk_subject *subject, enum gk_reason reason) {
	atomic_fetch_add_explicit(&call->supervisor->decided, 1, memory_order_relaxed);
	struct receipt receipt = {
		.source = is_failure_of_ours(reason) ? GK_SOURCE_INTERNAL : GK_SOURCE_PROTECTION,
		.rule = GK_NO_RULE,
		.pierced = GK_NO_RULE,
		.reason = reason,
	};
	return refuse(call, subject, &receipt, is_protection_of_ours(reason));
}

/* A simulated run softens policy, never what guards gatekeeper itself. */
static int refuse(struct gk_call *call, const struct gk_subject *subject, struct receipt *receipt, bool is_protection) {
	bool softened = call->supervisor->simulate && !is_protection;
	receipt->verdict = softened ? GK_VERDICT_WOULD_DENY : GK_VERDICT_DENY;
	atomic_fetch_add_explicit(&call->supervisor->denied, 1, memory_order_relaxed);
	bool recorded = record(call, subject, receipt) == 0;
	return softened && (recorded || call->supervisor->degrade) ? 0 : -EACCES;
}

static void add_slice(struct gk_frame_writer *w, enum gk_field tag, struct gk_slice bytes) {
	if (bytes.at != NULL)
		gk_frame_bytes(w, tag, bytes);
}

static void add_rule(struct gk_frame_writer *w, enum gk_field tag, uint32_t rule) {
	if (rule != GK_NO_RULE)
		gk_frame_u64(w, tag, rule);
}

static int append(struct gk_supervisor *supervisor, struct gk_frame_writer *w, enum gk_unrecorded_kind kind, uint64_t *number) {
	int error = gk_frame_end(w);
	if (error == 0)
		error = gk_unrecorded_record(supervisor, gk_journal_append);
	if (error == 0)
		error = gk_journal_append_numbered(supervisor->journal, gk_slice(w->buffer, w->length), number);
	if (error < 0)
		gk_unrecorded_add(supervisor, kind, error);
	else if (supervisor->channel != NULL)
		gk_channel_kick(supervisor->channel);
	return error;
}

static void add_named(struct gk_frame_writer *w, enum gk_field tag, struct gk_slice bytes) {
	if (bytes.length > 0)
		gk_frame_bytes(w, tag, bytes);
}

static void add_naming(struct gk_frame_writer *w, const struct gk_naming *naming) {
	char places[64];
	int length = snprintf(places, sizeof(places), "%" PRIx64 " %" PRIx64 " %" PRIx64, naming->program_may_write,
			      naming->alias_may_write, naming->interpreter_may_write);
	add_named(w, GK_FIELD_ALIAS, naming->alias);
	add_named(w, GK_FIELD_CALLED, naming->called);
	add_named(w, GK_FIELD_INTERPRETER, naming->interpreter);
	add_named(w, GK_FIELD_LINE, naming->line);
	if (naming->by_interpreter)
		gk_frame_u64(w, GK_FIELD_BY_INTERPRETER, 1);
	gk_frame_bytes(w, GK_FIELD_MAY_WRITE, gk_slice(places, (size_t)length));
}

static int record(struct gk_call *call, const struct gk_subject *subject, const struct receipt *receipt) {
	uint8_t buffer[GK_FRAME_MAX_BYTES];
	struct gk_frame_writer w;
	struct gk_slice command = subject->command;
	if (command.length > MAX_COMMAND_BYTES)
		command.length = MAX_COMMAND_BYTES;
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_DECISION, 0);
	gk_frame_times(&w);
	gk_frame_u64(&w, GK_FIELD_PID, (uint64_t)call->tgid);
	gk_frame_u64(&w, GK_FIELD_TID, (uint64_t)call->tid);
	add_program(&w, call);
	gk_frame_u64(&w, GK_FIELD_ACTION, subject->action);
	gk_frame_u64(&w, GK_FIELD_VERDICT, receipt->verdict);
	gk_frame_u64(&w, GK_FIELD_SOURCE, receipt->source);
	if (call->nr >= 0)
		gk_frame_u64(&w, GK_FIELD_SYSCALL, (uint64_t)call->nr);
	add_slice(&w, GK_FIELD_TARGET, subject->target);
	add_slice(&w, GK_FIELD_TARGET2, subject->target2);
	add_slice(&w, GK_FIELD_COMMAND, command);
	if (subject->naming != NULL)
		add_naming(&w, subject->naming);
	add_rule(&w, GK_FIELD_RULE, receipt->rule);
	add_rule(&w, GK_FIELD_PIERCED, receipt->pierced);
	const struct gk_image *image = receipt->image != NULL ? receipt->image : gk_current_image(call->supervisor);
	add_slice(&w, GK_FIELD_IMAGE_DIGEST, gk_image_digest(image));
	if (receipt->reason != NO_REASON)
		gk_frame_bytes(&w, GK_FIELD_REASON, gk_slice_of(gk_reason_codes[receipt->reason]));
	if (call->supervisor->by_hook)
		gk_frame_bytes(&w, GK_FIELD_ENFORCE, gk_slice_of("hook"));
	if (subject->port != 0)
		gk_frame_u64(&w, GK_FIELD_PORT, subject->port);
	uint64_t number;
	bool goes_on = receipt->verdict != GK_VERDICT_DENY && call->supervisor->degrade;
	int error = append(call->supervisor, &w, goes_on ? GK_UNRECORDED_ALLOWED : GK_UNRECORDED_REFUSED, &number);
	if (error == 0 && receipt->verdict != GK_VERDICT_DENY)
		gk_receipts_add(&call->receipts, number);
	return error;
}

static void add_program(struct gk_frame_writer *w, struct gk_call *call) {
	char program[PATH_MAX];
	int proc;
	if ((call->listener < 0 && !call->by_door) || gk_call_proc(call, &proc) < 0)
		return;
	ssize_t length = readlinkat(proc, "exe", program, sizeof(program));
	if (length > 0)
		gk_frame_bytes(w, GK_FIELD_PROGRAM, gk_slice(program, (size_t)length));
}

void gk_note(struct gk_call *call, const char *kind, struct gk_slice text) {
	uint8_t buffer[2 * PATH_MAX + 1024];
	struct gk_frame_writer w;
	if (text.length > PATH_MAX)
		text.length = PATH_MAX;
	gk_frame_begin(&w, buffer, sizeof(buffer), GK_FRAME_NOTE, 0);
	gk_frame_times(&w);
	gk_frame_bytes(&w, GK_FIELD_KIND, gk_slice_of(kind));
	gk_frame_bytes(&w, GK_FIELD_TEXT, text);
	if (call->tgid != 0)
		gk_frame_u64(&w, GK_FIELD_PID, (uint64_t)call->tgid);
	add_program(&w, call);
	uint64_t number;
	append(call->supervisor, &w, GK_UNRECORDED_NOTE, &number);
}

static bool is_failure_of_ours(enum gk_reason reason) {
	return reason == GK_REASON_UNREADABLE_MEMORY || reason == GK_REASON_JOURNAL_FAILED || reason == GK_REASON_RESOURCES ||
	       reason == GK_REASON_TRANSIENT;
}

static bool is_protection_of_ours(enum gk_reason reason) {
	return reason == GK_REASON_SELF_PROTECTION || reason == GK_REASON_FOREIGN_PROCESS || reason == GK_REASON_EXEC_MISMATCH ||
	       reason == GK_REASON_UNREADABLE_MEMORY || reason == GK_REASON_JOURNAL_FAILED || reason == GK_REASON_RESOURCES;
}
