/* Judging: what is refused, what is recorded, and that nothing is released that could not be recorded. */
#include "supervise/judge.h"
#include "supervise/loop.h"
#include "supervise/result.h"
#include "test/check.h"
#include "test/image_builder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char directory[] = "/tmp/gk-judge-XXXXXX";
static struct gk_supervisor supervisor;
static struct gk_call call;

static struct gk_image *make_image(void) {
	static struct builder b;
	const char *why = "";
	build_begin(&b);
	build_file(&b, 3, 1);
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, 0, 0, "/free/**");
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ALLOW, GK_RULE_LOG, 0, "/logged/**");
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_DENY, 0, 0, "/denied/**");
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_ASK, 0, 0, "/asked/**");
	build_path(&b, GK_ACTION_FILE_READ, GK_EFFECT_SHADOW, 0, 0, "/shadowed/**");
	struct bytes bytes = build_end(&b);
	struct gk_image *image = NULL;
	CHECK(gk_image_over(bytes.at, bytes.length, &image, &why) == 0, "%s", why);
	return image;
}

/* The n-th record of the journal, from 0; its type is 0 when there is none. */
static struct gk_frame_view record(size_t n) {
	static uint8_t *segment;
	char file[64];
	snprintf(file, sizeof(file), "%s/journal-000001", directory);
	int fd = open(file, O_RDONLY);
	if (segment != NULL)
		munmap(segment, GK_JOURNAL_SEGMENT_BYTES);
	segment = mmap(NULL, GK_JOURNAL_SEGMENT_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	struct gk_frame_view view = {0};
	size_t used, at = GK_JOURNAL_HEADER_BYTES;
	for (;; n--) {
		uint32_t length;
		memcpy(&length, segment + at, sizeof(length));
		if (length == 0)
			return (struct gk_frame_view){0};
		CHECK(gk_frame_parse(gk_slice(segment + at + 8, length), &view, &used) == 0);
		if (n == 0)
			return view;
		at = (at + 8 + length + 7) & ~(size_t)7;
	}
}

static bool says(const struct gk_frame_view *view, enum gk_verdict_code verdict, enum gk_source source, const char *reason) {
	struct gk_slice told = view->field[GK_FIELD_REASON];
	return view->type == GK_FRAME_DECISION && gk_frame_number(view, GK_FIELD_VERDICT, 99) == verdict &&
	       gk_frame_number(view, GK_FIELD_SOURCE, 99) == source &&
	       (reason == NULL ? told.at == NULL : gk_slice_equal(told, gk_slice_of(reason)));
}

static void refuses_and_records(void) {
	static const struct {
		const char *path;
		int result;
		enum gk_verdict_code verdict;
		enum gk_source source;
		const char *reason;
		bool recorded;
	} rows[] = {
		{"/free/a", 0, GK_VERDICT_ALLOW, GK_SOURCE_RULE, NULL, false},
		{"/logged/a", 0, GK_VERDICT_ALLOW, GK_SOURCE_RULE, NULL, true},
		{"/denied/a", -EACCES, GK_VERDICT_DENY, GK_SOURCE_RULE, NULL, true},
		{"/asked/a", -EACCES, GK_VERDICT_DENY, GK_SOURCE_SILENCE, "ask-unanswered", true},
		{"/shadowed/a", -EACCES, GK_VERDICT_DENY, GK_SOURCE_RULE, NULL, true},
		{"/elsewhere", -EACCES, GK_VERDICT_DENY, GK_SOURCE_DEFAULT, "no-rule", true},
	};
	size_t recorded = 0;
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		struct gk_slice path = gk_slice_of(rows[i].path);
		CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, path) == rows[i].result, "%s", rows[i].path);
		struct gk_frame_view view = record(recorded);
		CHECK((view.type != 0) == rows[i].recorded, "%s", rows[i].path);
		if (!rows[i].recorded)
			continue;
		CHECK(says(&view, rows[i].verdict, rows[i].source, rows[i].reason), "%s", rows[i].path);
		CHECK(gk_slice_equal(view.field[GK_FIELD_TARGET], path) && gk_frame_number(&view, GK_FIELD_PID, 0) == 77);
		recorded++;
	}
	CHECK(atomic_load(&supervisor.decided) == GK_COUNT(rows) && atomic_load(&supervisor.denied) == 4);
}

static void simulation_softens_policy_but_not_protection(void) {
	const struct gk_subject subject = {.action = GK_ACTION_FILE_READ, .target = gk_slice_of("/x")};
	supervisor.simulate = true;
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, gk_slice_of("/denied/a")) == 0);
	struct gk_frame_view view = record(5);
	CHECK(says(&view, GK_VERDICT_WOULD_DENY, GK_SOURCE_RULE, NULL));
	CHECK(gk_refuse(&call, &subject, GK_REASON_MOVE_LOOSENS) == 0);
	CHECK(gk_refuse(&call, &subject, GK_REASON_SELF_PROTECTION) == -EACCES);
	view = record(7);
	CHECK(says(&view, GK_VERDICT_DENY, GK_SOURCE_PROTECTION, "self-protection"));
	CHECK(gk_refuse(&call, &subject, GK_REASON_UNREADABLE_MEMORY) == -EACCES);
	view = record(8);
	CHECK(says(&view, GK_VERDICT_DENY, GK_SOURCE_INTERNAL, "unreadable-memory"));
	const struct gk_verdict own = {.effect = GK_EFFECT_DENY, .source = GK_SOURCE_PROTECTION, .rule = 0, .pierced = GK_NO_RULE};
	CHECK(gk_judge_verdict(&call, &subject, &own) == -EACCES, "a built-in rule that guards gatekeeper");
}

static size_t records(void) {
	size_t n = 0;
	while (record(n).type != 0)
		n++;
	return n;
}

/* A result names the decision that let the call go on: an allow, or a refusal that a simulated run passed by. */
static void results_name_their_decisions(void) {
	static const struct {
		const char *path;
		bool simulate;
		size_t results;
	} rows[] = {{"/free/a", false, 0}, {"/logged/a", false, 1}, {"/denied/a", false, 0}, {"/denied/a", true, 1}};
	bool simulated = supervisor.simulate;
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		gk_receipts_forget(&call.receipts);
		supervisor.simulate = rows[i].simulate;
		size_t before = records();
		(void)!gk_judge_path(&call, GK_ACTION_FILE_READ, gk_slice_of(rows[i].path));
		uint64_t decision = records() == before ? 0 : record(before).number;
		size_t judged = records();
		gk_answer_error(&call, EMFILE);
		gk_result_of_answer(&call);
		CHECK(records() - judged == rows[i].results, "%s", rows[i].path);
		if (rows[i].results == 0)
			continue;
		struct gk_frame_view view = record(judged);
		CHECK(view.type == GK_FRAME_RESULT && gk_frame_number(&view, GK_FIELD_OF, 0) == decision);
		CHECK(gk_frame_number(&view, GK_FIELD_ERRNO, 0) == EMFILE && view.field[GK_FIELD_TIME_NS].at != NULL);
	}
	/* The kernel answers these, or nobody does. */
	size_t before = records();
	gk_answer_continue(&call);
	gk_result_of_answer(&call);
	CHECK(records() == before);
	gk_result_record(&supervisor, &call.receipts, GK_RESULT_UNTOLD);
	struct gk_frame_view untold = record(before);
	CHECK(untold.type == GK_FRAME_RESULT && untold.field[GK_FIELD_ERRNO].at == NULL);
	for (uint64_t number = 1; number < 10; number++)
		gk_receipts_add(&call.receipts, number);
	CHECK(call.receipts.count == GK_RECEIPTS_MAX);
	gk_receipts_forget(&call.receipts);
	supervisor.simulate = simulated;
}

/* Nothing that deserves a receipt is released without one, in a simulated run neither. */
static void a_full_journal_denies(void) {
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 4096, .rlim_max = RLIM_INFINITY}) == 0);
	int result = 0;
	for (int i = 0; i < 100000 && result == 0; i++)
		result = gk_judge_path(&call, GK_ACTION_FILE_READ, gk_slice_of("/logged/a"));
	CHECK(result == -EACCES);
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, gk_slice_of("/denied/a")) == -EACCES, "though simulated");
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, gk_slice_of("/free/a")) == 0);
	CHECK(atomic_load(&supervisor.unrecorded.count[GK_UNRECORDED_REFUSED]) == 2);
	/* Where the user wants that, it goes on without: what rules let go, and never what they refuse. */
	supervisor.degrade = true;
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, gk_slice_of("/logged/a")) == 0);
	supervisor.simulate = false;
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, gk_slice_of("/denied/a")) == -EACCES);
	CHECK(atomic_load(&supervisor.unrecorded.count[GK_UNRECORDED_ALLOWED]) == 1);
	CHECK(atomic_load(&supervisor.unrecorded.count[GK_UNRECORDED_REFUSED]) == 3);
	supervisor.degrade = false;
	supervisor.simulate = true;
	/* The effect is done by then. */
	gk_answer_value(&call, 0);
	while (atomic_load(&supervisor.results_lost) == 0)
		gk_result_of_answer(&call);
	CHECK(call.answer.kind == GK_ANSWER_VALUE && call.answer.value == 0);
}

/* The image's file in the directory of images: its digest is n, n, n, and so on. */
static struct gk_slice image_file(char out[PATH_MAX], const char *images, unsigned n, const char *ending) {
	int length = snprintf(out, PATH_MAX, "%s/", images);
	for (size_t i = 0; i < GK_IMAGE_DIGEST_BYTES; i++)
		length += snprintf(out + length, PATH_MAX - (size_t)length, "%02x", n);
	length += snprintf(out + length, PATH_MAX - (size_t)length, "%s", ending);
	return gk_slice(out, (size_t)length);
}

static struct gk_image *numbered_image(unsigned n) {
	struct gk_image *image = make_image();
	uint8_t digest[GK_IMAGE_DIGEST_BYTES];
	memset(digest, (int)n, sizeof(digest));
	gk_image_set_digest(image, digest);
	return image;
}

static bool may(enum gk_action action, const char *place, const char *name) {
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s%s", place, name);
	bool judged = gk_judge_path(&call, action, gk_slice_of(path)) == 0;
	CHECK(action != GK_ACTION_FILE_READ || gk_path_is_free(&call, action, gk_slice_of(path)) == judged, "%s", path);
	return judged;
}

/* The policy of these images allows nothing of it. */
static void what_is_lent_may_be_read_and_nothing_else(void) {
	char hooks[64], images[64], path[PATH_MAX];
	snprintf(hooks, sizeof(hooks), "%s/hooks", directory);
	snprintf(images, sizeof(images), "%s/images", directory);
	CHECK(mkdir(hooks, 0700) == 0 && mkdir(images, 0700) == 0);
	const struct gk_image *before = gk_current_image(&supervisor), *first = numbered_image(0xa1);
	atomic_store(&supervisor.image, first);
	supervisor.simulate = false;
	CHECK(gk_lent_open(&supervisor.lent, NULL, images, first) == 0);
	CHECK(!may(GK_ACTION_FILE_READ, hooks, "/library"), "a run without hooks");
	CHECK(gk_lent_open(&supervisor.lent, hooks, images, first) == 0);
	CHECK(may(GK_ACTION_FILE_READ, hooks, "/library"));
	CHECK(!may(GK_ACTION_FILE_WRITE, hooks, "/library") && !may(GK_ACTION_FILE_DELETE, hooks, "/library"));
	CHECK(!may(GK_ACTION_UNIX_SOCKET, hooks, "/library"));
	CHECK(!may(GK_ACTION_FILE_READ, hooks, "") && !may(GK_ACTION_FILE_READ, hooks, "/"), "the directory itself");
	CHECK(!may(GK_ACTION_FILE_READ, hooks, "/deeper/library") && !may(GK_ACTION_FILE_READ, hooks, "2/library"));
	CHECK(!may(GK_ACTION_FILE_READ, directory, "/token"));

	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, image_file(path, images, 0xa1, ".gkimg")) == 0);
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_WRITE, image_file(path, images, 0xa1, ".gkimg")) == -EACCES);
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, image_file(path, images, 0xb2, ".gkimg")) == -EACCES, "of another run");
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, image_file(path, images, 0xa1, ".gkimh")) == -EACCES);
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, image_file(path, images, 0xa1, ".gkimg/x")) == -EACCES);
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, image_file(path, hooks, 0xa1, "/x")) == -EACCES);
	atomic_store(&supervisor.image, numbered_image(0xb2));
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, image_file(path, images, 0xa1, ".gkimg")) == 0, "mapped by older processes");
	CHECK(gk_judge_path(&call, GK_ACTION_FILE_READ, image_file(path, images, 0xb2, ".gkimg")) == 0, "in force");

	CHECK(gk_leads_to_lent(&supervisor, gk_slice_of("/tmp")) && gk_leads_to_lent(&supervisor, gk_slice_of(directory)));
	CHECK(gk_leads_to_lent(&supervisor, gk_slice_of(hooks)) && gk_leads_to_lent(&supervisor, gk_slice_of(images)));
	CHECK(!gk_leads_to_lent(&supervisor, gk_slice_of("/tm")) && !gk_leads_to_lent(&supervisor, gk_slice_of("/tmp/other")));

	snprintf(path, sizeof(path), "%s/missing", directory);
	CHECK(gk_lent_open(&supervisor.lent, path, images, first) == -ENOENT);
	CHECK(!may(GK_ACTION_FILE_READ, hooks, "/library"));
	atomic_store(&supervisor.image, before);
	supervisor.simulate = true;
}

static void what_is_offered_may_be_read_and_nothing_else(void) {
	char offered[64], path[PATH_MAX];
	snprintf(offered, sizeof(offered), "%s/offered", directory);
	CHECK(mkdir(offered, 0700) == 0);
	supervisor.simulate = false;
	CHECK(gk_lent_offer(&supervisor.lent, NULL) == 0);
	CHECK(!may(GK_ACTION_FILE_READ, offered, "/hosts"), "a run that is offered nothing");
	CHECK(gk_lent_offer(&supervisor.lent, offered) == 0);
	CHECK(may(GK_ACTION_FILE_READ, offered, "/hosts"));
	CHECK(!may(GK_ACTION_FILE_WRITE, offered, "/hosts") && !may(GK_ACTION_FILE_DELETE, offered, "/hosts"));
	CHECK(!may(GK_ACTION_FILE_READ, offered, "") && !may(GK_ACTION_FILE_READ, offered, "/deeper/hosts"));
	CHECK(!may(GK_ACTION_FILE_READ, offered, "2/hosts") && !may(GK_ACTION_FILE_READ, directory, "/token"));
	CHECK(gk_leads_to_lent(&supervisor, gk_slice_of(offered)) && gk_leads_to_lent(&supervisor, gk_slice_of(directory)));
	CHECK(!gk_leads_to_lent(&supervisor, gk_slice_of("/tmp/other")));
	snprintf(path, sizeof(path), "%s/missing", directory);
	CHECK(gk_lent_offer(&supervisor.lent, path) == -ENOENT);
	CHECK(!may(GK_ACTION_FILE_READ, offered, "/hosts"));
	supervisor.simulate = true;
}

int main(void) {
	if (mkdtemp(directory) == NULL)
		return 1;
	int fd = open(directory, O_RDONLY | O_DIRECTORY);
	CHECK(gk_journal_open(fd, gk_slice_of("r"), &supervisor.journal) == 0);
	atomic_store(&supervisor.image, make_image());
	call = (struct gk_call){.supervisor = &supervisor, .tid = 78, .tgid = 77, .nr = 2, .proc = -1, .listener = -1};
	refuses_and_records();
	simulation_softens_policy_but_not_protection();
	results_name_their_decisions();
	what_is_lent_may_be_read_and_nothing_else();
	what_is_offered_may_be_read_and_nothing_else();
	a_full_journal_denies();
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	CHECK(system(command) == 0);
	return gk_check_status();
}
