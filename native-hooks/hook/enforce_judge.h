/* The decision in the process, and the question to the supervisor where the decision is anything but a plain yes. */
#ifndef GK_HOOK_ENFORCE_JUDGE_H
#define GK_HOOK_ENFORCE_JUDGE_H

#include "hook/enforce_name.h"
#include "include/gk_wire.gen.h"

#include <stdbool.h>

/* Whether image and supervisor are there; without them everything is refused. */
bool gk_enforce_is_ready(void);

/* nr: of the system call, for the receipt; -1 when it may be one of several. 0 or -errno. */
int gk_enforce_judge(int nr, enum gk_action action, const struct gk_named *named) GK_MUST_CHECK;
/* Whether that would be a plain yes, without a question. */
bool gk_enforce_is_free(enum gk_action action, const struct gk_named *named);
/* A directory takes everything beneath to other names. */
int gk_enforce_judge_move(const struct gk_named *from, const struct gk_named *to) GK_MUST_CHECK;
/* Has the supervisor judge a call by its arguments: 0 go on, GK_ENFORCE_DONE, or -errno. */
int gk_enforce_judge_call(int nr, const long args[6]) GK_MUST_CHECK;

/* What GATEKEEPER_HOOK begins with for the program that was judged last on this thread: letter c when a command that an allow rule
 * matched starts it. */
const char *gk_enforce_next_letters(void);

/* Which library keeps the hook in what is executed, from LD_PRELOAD at the start. */
void gk_enforce_remember_library(void);

/* The run's directory, or NULL before gk_enforce_begin. */
const char *gk_enforce_run_dir(void);
const char *gk_enforce_image_path(void);

#endif
