/* The recurrence of the cell delta in double precision, from its equations alone: DeltaNet, Gated DeltaNet and DeltaProduct
 * (docs/explanation/cells.md). Shares no arithmetic with impls/. Everything is for one sequence. */
#ifndef BENCH_PROBLEMS_TEXTBOOK_DELTA_H
#define BENCH_PROBLEMS_TEXTBOOK_DELTA_H

#include "impls/impl.h"

/* Doubles that a run takes beside its state. */
int64_t textbook_delta_scratch(const struct problem *problem);

/* y (T,d) from the state H (d,N) before the first token, which becomes that after the last. Of a channel, in the head that it belongs to,
 * H is a row of N states:
 *
 *     H <- e^g H      then for each step:  H <- H + beta (v - H . k) k^T      y = H . q / sqrt(N)
 */
void textbook_delta_run(const struct problem *problem, const struct inputs *inputs, double *H, double *scratch, double *y);

/* The same from the initial state of the inputs: ok, diverged where an output is not finite, or out of memory. `mixing` has no meaning
 * here. */
struct status textbook_delta_solve(const struct problem *problem, const struct inputs *inputs, const double *mixing, double *y);
double textbook_delta_operations(const struct problem *problem);

#endif
