/* The exact answer by the textbook alone: each step's linear system, written down from the definition of the mixer and eliminated.
 * Slow, and shares no arithmetic with impls/: the reference where the only implementation that solves a problem is the one that is
 * measured. Everything is for ONE sequence in float64. */
#ifndef BENCH_PROBLEMS_ELIMINATION_H
#define BENCH_PROBLEMS_ELIMINATION_H

#include "impls/impl.h"

/* Operations of one sequence. */
double elimination_operations(const struct problem *problem);

/* h (T,d) = h*; mixing as of textbook_iterate_rounded(). ok, singular or diverged at its token, or out_of_memory. */
struct status elimination_solve(const struct problem *problem, const struct inputs *inputs, const double *mixing, double *h);

/* x (n) <- M^{-1} x, M (n,n) destroyed. False: M is singular. */
bool elimination_of(int64_t n, double *M, double *x);

#endif
