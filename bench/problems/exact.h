/* The exact answer h* of a problem in double precision, by an implementation that solves for it, checked by its own equation: of the vector
 * cell the dense RNN itself, of the selective cell the answer of the sequential mode, of the cell delta its recurrence. */
#ifndef BENCH_PROBLEMS_EXACT_H
#define BENCH_PROBLEMS_EXACT_H

#include "bench/base/error.h"
#include "impls/impl.h"

struct exact {
    struct status status; /* ok, singular, no_stable_point, diverged, internal (no solution after all), unsupported (too large) */
    double largest;       /* max |h*| */
    double residual;      /* max |f(h*) - h*| / max |h*|: how well it satisfies its own equation */
};

/* Operations that one core performs in a second in double precision at the least, with calls of LAPACK on small matrices. */
#define EXACT_OPERATIONS_A_SECOND 1e9

/* The exact answer by the textbook alone, slowly: eliminated (elimination.h), iterated token by token (token_iteration.h), or carried out
 * (textbook_delta.h), as the cell is; and the operations that this takes. mixing as of textbook_iterate_rounded(). */
struct status exact_by_textbook(const struct problem *problem, const struct inputs *inputs, const double *mixing, double *h);
double exact_by_textbook_operations(const struct problem *problem);

/* Nothing is compared with itself: the answer does not come from `tested`, a float64 implementation (NULL: none), but from the
 * next best, and where there is none from the textbook.
 *
 * Estimated seconds of exact_solve() for one sequence, to decide whether it is worth while; infinity where nothing can solve it. */
double exact_cost(const struct problem *problem, const struct implementation *tested);

/* The cheapest exact implementation in float64 that supports the problem, and its gradient if that is asked for, and the operations
 * of its forward pass; NULL and infinity where there is none. */
const struct implementation *exact_choose(const struct problem *problem, const struct implementation *tested,
                                          enum gradient gradient, double *operations);

/* h (T,d) of one sequence in double precision. False: out of memory. */
bool exact_solve(const struct problem *problem, const struct inputs *inputs, const struct implementation *tested, double *h,
                 struct exact *exact, struct error *error);

/* The gradient, exact, of sum(adjoint . h) with respect to the inputs of one sequence, at its exact answer in double precision:
 * adjoint (T,d), gradients in the shapes of the inputs. *status: ok, or why there is none. False: out of memory. */
bool exact_gradient(const struct problem *problem, const struct inputs *inputs, const struct implementation *tested,
                    const double *adjoint, const struct gradients *gradients, struct status *status, struct error *error);

#endif
