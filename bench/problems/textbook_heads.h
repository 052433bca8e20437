/* The recurrence of the cell selective_heads in double precision, from its equations alone: Mamba-2 (docs/explanation/cells.md). Shares no
 * arithmetic with impls/. Everything is for one sequence. */
#ifndef BENCH_PROBLEMS_TEXTBOOK_HEADS_H
#define BENCH_PROBLEMS_TEXTBOOK_HEADS_H

#include "impls/impl.h"

/* y (T,d) from the state H (d,N) before the first token, which becomes that after the last. Of a channel, in the head that it belongs to,
 * H is a row of N states:
 *
 *     H <- exp(-dt A) H + dt x b^T      w = SiLU(z) (H . c + skip x)      y = gain w / sqrt(mean of w^2 over the channels + 1e-5)
 *
 * with b and c divided by their lengths, the gate and the norm where the problem has them.
 */
void textbook_heads_run(const struct problem *problem, const struct inputs *inputs, double *H, double *y);

/* The same from the initial state of the inputs: ok, diverged where an output is not finite, or out of memory. `mixing` has no meaning
 * here. */
struct status textbook_heads_solve(const struct problem *problem, const struct inputs *inputs, const double *mixing, double *y);
double textbook_heads_operations(const struct problem *problem);

#endif
