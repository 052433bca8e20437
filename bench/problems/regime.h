/* How the parameters of one token are drawn. docs/reference/regimes.md is the user's page.
 *
 * free: lambda uniform in [0, lambda_max), raw theta standard normal (dense: Q = I - N / 2 with N normal, scaled to norm about 2).
 *
 * kappa asked for: a quarter of the channels, drawn anew for each token, takes part in the mixing; the other channels have u = 0
 * there and lambda within 10 % of lambda_max, for memory. On the mixed channels s alpha is near 1, or near kappa where that is
 * more, and the vectors of a dplr mixer share no channel, so that Q has no eigenvalue far below 0 that would make the exact answer
 * explode (docs/mathematics.md, "Stability"); then
 *     normalised: lambda near 0, redrawn until ||G (I - Q)||_2 reaches kappa, and G <- G kappa / ||G (I - Q)||_2;
 *     plain: lambda below 1 - kappa, so that the exact answer stays bounded, and alpha scaled down until ||I - Q||_2 = kappa.
 * Q is never enlarged. */
#ifndef BENCH_PROBLEMS_REGIME_H
#define BENCH_PROBLEMS_REGIME_H

#include "bench/base/error.h"
#include "impls/impl.h"

struct regime {
    uint64_t seed;
    double lambda_max;
    double kappa;     /* 0: free */
    bool one_token;   /* only one token of each sequence has this kappa, the others half of it */
    bool words;       /* words of a group instead (words.h) */
    bool drawn_h0;    /* an initial state is drawn, rather than zero */
    double scale;     /* selective: standard deviation of x */
    double limit;     /* of max |h*|: beyond it the exact answer explodes, and the problem is set aside */
    const char *file; /* nothing is drawn: the tensors are those of a file; NULL where there is none */
};

/* Doubles of scratch for regime_token(). */
int64_t regime_scratch(const struct problem *problem);

enum regime_outcome { REGIME_SAMPLED, REGIME_OUT_OF_REACH, REGIME_NO_MEMORY };

/* theta (m) and lambda (d) of token number `token` in double precision. False, with the reason: this problem cannot have such a
 * kappa, or out of memory. */
enum regime_outcome regime_token(const struct problem *problem, const struct regime *regime, int64_t token, double *theta,
                                 double *lambda, double *scratch, struct error *error);

#endif
