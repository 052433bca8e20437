/* The fused pass of every mixer, read from the state or not: all iterates of a token, one after the other, before the next token.
 *
 *     w = v + (I - Q) (h^{l-1}_t - v)        h^l_t = Lambda h^l_{t-1} + G w        for l = from + 1 ... to
 *
 * A mixer that does not read the state is activated once for all iterates. One that does has other parameters for each of them, theta_t + W
 * k(h^{l-1}_{t-1}), and those of all iterates of a few sequences come from one product of matrices. Threads divide the sequences; where
 * there are fewer sequences than threads, the threads of a sequence divide the iterates, each a block of tokens behind the one
 * before. */
#ifndef IMPLS_FUSED_TOKENS_H
#define IMPLS_FUSED_TOKENS_H

#include "impls/fused/fused.h"
#include "impls/math/lanes.h"

#define fused_tokens_longest VARIANT(fused_tokens_longest)
#define fused_tokens_reals VARIANT(fused_tokens_reals)
#define fused_tokens_open VARIANT(fused_tokens_open)
#define fused_tokens_close VARIANT(fused_tokens_close)
#define fused_tokens_run VARIANT(fused_tokens_run)

struct fused_tokens {
    struct problem problem;
    int64_t longest; /* iterates of a pass, at the most */
    int threads;
    int64_t stages, group;
    int64_t n1, n2;  /* of a Kronecker mixer */
    int64_t scratch; /* reals of a thread */
    real *memory;    /* scratch of all threads */
    lanes *W;        /* packed for the product with it; nothing, unless it is read */
};

/* Iterates that one pass had better not exceed: what belongs to them stays in the cache of a core. */
int64_t fused_tokens_longest(const struct problem *problem);

/* Reals that fused_tokens_open() allocates. */
double fused_tokens_reals(const struct problem *problem, int64_t longest, int threads);

/* False: no memory; nothing is left then. */
bool fused_tokens_open(const struct problem *problem, int64_t longest, int threads, struct fused_tokens *fused);
void fused_tokens_close(struct fused_tokens *fused);

void fused_tokens_run(const struct fused_tokens *fused, const struct fused_pass *pass);

#endif
