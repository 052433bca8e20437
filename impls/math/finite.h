/* Finding NaN and Inf. In the vector cell a state that is not finite never becomes finite again (lambda * NaN is NaN, also for
 * lambda = 0), so a look at the final states tells, and the place is searched for only then. An output of the cells with
 * matrix states may be alone in that: all are looked at. */
#ifndef IMPLS_MATH_FINITE_H
#define IMPLS_MATH_FINITE_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define finite_status VARIANT(finite_status)
#define finite_adjoint VARIANT(finite_adjoint)
#define outputs_finish VARIANT(outputs_finish)
#define exact_finish VARIANT(exact_finish)
#define iterates_finish VARIANT(iterates_finish)
#define singular_status VARIANT(singular_status)

/* Whether all of x (n) is finite. */
static inline bool row_finite(const real *x, int64_t n)
{
    real sum = 0; /* 0 of finite numbers, NaN of any other */
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += x[i] - x[i];
    return sum == 0;
}

/* Status of h (B,T,d): ok, or diverged with the first place that is not finite. */
struct status finite_status(const struct problem *problem, const real *h);

/* The same of an adjoint (B,T,d), in which what is not finite spreads towards the first token. */
struct status finite_adjoint(const struct problem *problem, const real *adjoint);

/* What every forward() ends with: copies the final states out, where they are the last outputs, and answers finite_status(). */
struct status outputs_finish(const struct problem *problem, const struct outputs *outputs);

/* The same for an exact implementation, with the first token b T + t whose step has no answer (B T: none), which makes it
 * singular. */
struct status exact_finish(const struct problem *problem, const struct outputs *outputs, struct trace *trace, int64_t place);

/* The same for one that iterates, whose outputs hold the l-th iterate, l applications of the map having been made, and of which so many
 * sequences had converged: status is that of the last iteration, which comes first; not_converged comes last. */
struct status iterates_finish(const struct problem *problem, const struct settings *settings, const struct outputs *outputs,
                              struct trace *trace, struct status status, int64_t l, int64_t converged);

/* singular at the token b T + t. */
struct status singular_status(const struct problem *problem, int64_t place);

#endif
