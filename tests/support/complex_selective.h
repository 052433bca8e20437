/* The map of the selective cell and its exact answer in complex numbers, for derivatives as in complex_map.h. Written from the equations
 * (docs/explanation/cells.md), in an order of its own: the decayed state first, then a token's own equation, in which N does not enter
 * any more. Shares nothing with impls/ or the textbook. Everything is for one sequence. */
#ifndef TESTS_SUPPORT_COMPLEX_SELECTIVE_H
#define TESTS_SUPPORT_COMPLEX_SELECTIVE_H

#include "impls/impl.h"

#include <complex.h>

#define COMPLEX_STEP 1e-30 /* of derivatives: the imaginary part of what moves */

/* As struct inputs: NULL where the problem has no such tensor, but never H0 and y0. */
struct complex_selective {
    double complex *tensor[TENSORS_MAX];
};

/* next (T,d) = f(y (T,d)), next is not y; H (d,N) is the state after the last token that came with it. */
void complex_selective_apply(const struct problem *problem, const struct complex_selective *inputs, const double complex *y,
                             double complex *next, double complex *H);

/* y (T,d) = the exact answer, token after token, each the limit of its own iteration from 0; H (d,N) the state after the last. Without a
 * LayerNorm a token's map is linear, and solved for its one fixed point. False: the iteration of a token does not settle. */
bool complex_selective_exact(const struct problem *problem, const struct complex_selective *inputs, double complex *y,
                             double complex *H);

#endif
