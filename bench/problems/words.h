/* Words of a group, as a recurrence that has to follow them: problems that are constructed, not drawn from a regime
 * (docs/reference/regimes.md).
 *
 * Token t brings a random element of A5, as a 5 x 5 permutation matrix A_t: in the plain form with a dense mixer, Lambda = lambda I and
 * Q_t = lambda A_t^{-1}, so that A_t = Q_t^{-1} Lambda. v is A_1 s at the first token, s = (-2, -1, 0, 1, 2), and 0 after it: the state
 * after t tokens is s in the order of their product. */
#ifndef BENCH_PROBLEMS_WORDS_H
#define BENCH_PROBLEMS_WORDS_H

#include "bench/base/error.h"
#include "bench/problems/regime.h"

extern const char *const words_names[2];

/* False, with the reason, for a problem that cannot follow them. */
bool words_check(const struct problem *problem, struct error *error);

/* Token t of sequence b, of T tokens each: v, lambda (5) and theta (25) in double precision. */
void words_token(const struct regime *regime, int64_t T, int64_t b, int64_t t, double *v, double *lambda, double *theta);

/* The share of the tokens whose state h (T,d) gives the right product: every entry is nearer to its right value than half the
 * distance between two entries of s. */
double words_tracked(const struct problem *problem, const double *h, const double *exact);

#endif
