/* The three numbers that say how a fixed-point iteration will behave on a problem (paper, Sec. 3.2; docs/mathematics.md):
 *     rho    max_t spectral radius of G_t (I - Q_t)   the asymptotic rate
 *     kappa  max_t ||G_t (I - Q_t)||_2                the rate of the per-token bound
 *     norm   max_t ||I - Q_t||_2                      the paper's Lipschitz constant for constant mixers
 * (selective, of low-rank mixers with a LayerNorm: rho of a token's own map at its output, the others are not known; plain: without G),
 * and norm_inf = max_t ||I - Q_t||_inf of the max-norm bound. NaN is "not known here": Kronecker and dense
 * mixers are measured up to d = SPECTRUM_WIDTH, by LAPACK on the d x d matrix. */
#ifndef BENCH_PROBLEMS_SPECTRUM_H
#define BENCH_PROBLEMS_SPECTRUM_H

#include "bench/base/error.h"
#include "impls/impl.h"

enum { SPECTRUM_WIDTH = 64 };

struct spectrum {
    double rho, kappa, norm, norm_inf;
};

/* One token. theta (m) before activation, lambda (d), double precision. False: out of memory. */
bool spectrum_token(const struct problem *problem, const double *theta, const double *lambda, bool with_rho, struct spectrum *out);

/* The largest of each over all tokens of one sequence in double precision. h (T,d): the states that a state-dependent mixer reads
 * (the exact answer); ignored otherwise. */
bool spectrum_sequence(const struct problem *problem, const struct inputs *inputs, const double *h, struct spectrum *out);

/* The larger of two, NaN if either is: what is not known of one part is not known of the whole. */
double spectrum_larger(double a, double b);

/* ||matrix||_2 of a (n,n) matrix, overwritten. NaN: out of memory, or not finite. */
double spectrum_norm_2(int64_t n, double *matrix);

#endif
