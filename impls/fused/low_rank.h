/* The fused pass of low-rank mixers that do not read the state. With I - Q = U E U^T, for each token t and iterate l
 *
 *     y_l = U^T Lambda h^l_{t-1}         g_{l+1} = E U^T (v - h^l_t)  from y_l and g_l        h^l_t = Lambda h^l_{t-1} + G v - G U g_l
 *
 * so that iterates meet in r-vectors alone. Tokens come in blocks, which are prepared (prepare.h) and then gone through by a
 * few tiles of iterates at a time, whose states stay in the innermost cache; from tile to tile and from pass to pass go the r-vectors
 * of each token. Threads divide the sequences; where there are fewer sequences than threads, the threads of a sequence divide the
 * iterates, each a block of tokens behind the one before. */
#ifndef IMPLS_FUSED_LOW_RANK_H
#define IMPLS_FUSED_LOW_RANK_H

#include "impls/fused/fused.h"
#include "impls/math/lanes.h"

#define fused_low_rank_longest VARIANT(fused_low_rank_longest)
#define fused_low_rank_reals VARIANT(fused_low_rank_reals)
#define fused_low_rank_open VARIANT(fused_low_rank_open)
#define fused_low_rank_close VARIANT(fused_low_rank_close)
#define fused_low_rank_run VARIANT(fused_low_rank_run)
#define fused_low_rank_accept VARIANT(fused_low_rank_accept)

struct fused_low_rank {
    struct problem problem;
    int64_t longest; /* iterates of a pass, at the most */
    int threads;
    int64_t stages; /* threads of one sequence */
    bool stream;    /* h is written past the caches, where rows allow it: to be set for results that no cache holds */
    int64_t R, vectors, group, block;
    int64_t scratch;  /* vectors of a thread */
    lanes *memory;    /* scratch of all threads */
    real *carried[2]; /* (B,T,R) g of the iterate that follows, of the last accepted pass and of this one */
};

/* Iterates that one pass had better not exceed: their states stay in the cache of a core. */
int64_t fused_low_rank_longest(const struct problem *problem);

/* Reals that fused_low_rank_open() allocates. */
double fused_low_rank_reals(const struct problem *problem, int64_t longest, int threads);

/* False: no memory; nothing is left then. */
bool fused_low_rank_open(const struct problem *problem, int64_t longest, int threads, struct fused_low_rank *fused);
void fused_low_rank_close(struct fused_low_rank *fused);

/* A pass from 0, or from where the last one that was accepted ended. */
void fused_low_rank_run(const struct fused_low_rank *fused, const struct fused_pass *pass);
void fused_low_rank_accept(struct fused_low_rank *fused);

#endif
