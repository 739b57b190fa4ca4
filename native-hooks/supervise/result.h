/* What became of calls that were allowed with a receipt: a decision tells what was meant, and a call may fail for all that. */
#ifndef GK_SUPERVISE_RESULT_H
#define GK_SUPERVISE_RESULT_H

#include "supervise/call.h"

/* Remembers that the call goes on by that record. Of one that has more than a call keeps, no result is told. */
void gk_receipts_add(struct gk_receipts *receipts, uint64_t number);
void gk_receipts_forget(struct gk_receipts *receipts);

/* In place of an errno: the kernel refused, and told the caller alone why. */
#define GK_RESULT_UNTOLD (-1)

/* Records the result for each of them: 0, a positive errno or GK_RESULT_UNTOLD. Its effect is done, so what cannot be recorded is counted and
 * changes nothing. */
void gk_result_record(struct gk_supervisor *supervisor, const struct gk_receipts *receipts, int error);

/* The same by what the call was answered, if that tells. */
void gk_result_of_answer(struct gk_call *call);

#endif
