/* A step h_t = F_t(h_{t-1}) of the exact dense RNN, prepared so that it can be taken many times: of low-rank mixers in O(r d) by their
 * r x r core (low_rank.h), of the others by the matrix A_t (transition.h); and the diagonal of A_t, the derivative of F_t. */
#ifndef IMPLS_MATH_STEP_H
#define IMPLS_MATH_STEP_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define step_size VARIANT(step_size)
#define step_scratch VARIANT(step_scratch)
#define step_prepare VARIANT(step_prepare)
#define step_take VARIANT(step_take)
#define step_prepare_operations VARIANT(step_prepare_operations)
#define step_take_operations VARIANT(step_take_operations)

/* Reals of a prepared step: low-rank q (mixer_size) and core (r,r); none: nothing; else A (d,d). */
int64_t step_size(const struct problem *problem);

/* Reals of scratch of either function below. */
int64_t step_scratch(const struct problem *problem);

/* step (step_size) and diagonal (d) of A_t from raw parameters (m); pivots (2 d). False: the step is singular, and what is left NaN.
 * Parameters that are not finite make the step NaN. */
bool step_prepare(const struct problem *problem, const real *theta, const real *lambda, real *step, real *diagonal, real *scratch,
                  int *pivots);

/* h (d) = F_t(before (d)); h is not before. */
void step_take(const struct problem *problem, const real *step, const real *v, const real *lambda, const real *before, real *h,
               real *scratch);

/* Operations of the two. */
double step_prepare_operations(const struct problem *problem);
double step_take_operations(const struct problem *problem);

#endif
