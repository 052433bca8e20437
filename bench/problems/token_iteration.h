/* The sequential mode of the selective cell by the textbook alone (textbook_selective.h): one token after the other, each the limit of
 * its own map from y = 0,
 *     y <- f_t(y),   given the state H_{t-1} and the output y_{t-1} before it.
 * Without a LayerNorm that map is linear, and its one fixed point, stable or not, is what it is solved for. With one a token may have
 * several fixed points, of which the iteration finds one, or none that is stable (docs/explanation/cells.md). Slow; shares no arithmetic
 * with impls/. Everything is for ONE sequence in float64. */
#ifndef BENCH_PROBLEMS_TOKEN_ITERATION_H
#define BENCH_PROBLEMS_TOKEN_ITERATION_H

#include "impls/impl.h"

/* Operations of one sequence, if its tokens settle within some 60 iterations. */
double token_iteration_operations(const struct problem *problem);

/* y (T,d) = the sequential mode's answer; mixing as of textbook_iterate_rounded(). ok; no_stable_point, singular or diverged at its
 * token; or out_of_memory. */
struct status token_iteration_solve(const struct problem *problem, const struct inputs *inputs, const double *mixing, double *y);

/* Where two answers of one sequence part: at the first token at which they differ. */
struct parting {
    int64_t t;      /* -1: they do not differ */
    bool proven;    /* there both are fixed points of one and the same equation */
    double apart;   /* max-norm distance of these two, absolute */
    double claimed; /* the same of the claimed answer from the fixed point that it follows */
};

/* Whether a claimed answer (T,d) differs from the sequential mode's only in the fixed points that it follows. Both agree up to a token t,
 * to within `tolerance` (absolute, max norm). At t, with the state and the output before it that one of the two answers leads to, the
 * iteration from 0 ends at the sequential answer, the one from the claimed answer stays there, and the two ends are more than four
 * tolerances apart. What the equations of the two answers differ by may move each end by an eighth of that. False: out of memory. */
bool token_iteration_part(const struct problem *problem, const struct inputs *inputs, const double *claimed,
                          const double *sequential, double tolerance, struct parting *parting);

#endif
