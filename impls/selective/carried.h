/* The fused pass of the selective cell (fixed_point_fused.c): all iterates of a token before the next token. Iterate l of token t needs of the
 * iterate before y^{l-1}_{t-1}, which is read, and y^{l-1}_t, which is mixed with, and of its own the state H^l_{t-1}:
 *
 *     a token's raw parameters of all iterates of a few sequences, row^l = raw_t + [W; W_b; W_c; W_dt] y^{l-1}_{t-1}: one product of matrices
 *     base^l = (exp(-dt A) . H^l_{t-1}) c~^l: one way through all states, with one exponential for all iterates unless dt reads
 *     xt^l = Q^l (x - y^{l-1}) + y^{l-1}       y^l = LayerNorm( SiLU(z) . ( base^l + (dt (b~^l . c~^l) + skip) . xt^l ) )
 *
 * What xt drives, (dt . xt^l) b~^l^T, is added on the way through the states at the token after. Where nothing reads the output, all
 * that is not a state or an output is the same for all iterates, and computed once. Damped: y^l <- damping y^l + (1 - damping) y^{l-1}.
 * Threads divide the sequences; where there are fewer sequences than threads, the threads of a sequence divide the iterates, each a
 * block of tokens behind the one before. */
#ifndef IMPLS_SELECTIVE_CARRIED_H
#define IMPLS_SELECTIVE_CARRIED_H

#include "impls/fused/fused.h"
#include "impls/math/lanes.h"

#define carried_longest VARIANT(carried_longest)
#define carried_reals VARIANT(carried_reals)
#define carried_open VARIANT(carried_open)
#define carried_close VARIANT(carried_close)
#define carried_run VARIANT(carried_run)

struct carried {
    struct problem problem;
    real damping;
    int64_t longest; /* iterates of a pass, at the most */
    int threads;
    int64_t stages, group;
    int64_t scratch; /* reals of a thread */
    real *memory;    /* scratch of all threads */
    real *stack;     /* (width,d) the weights of all that reads; nothing, unless something does, as is what follows */
    lanes *packed;   /* the same for the product */
    real *rates;     /* state_rates() */
};

/* Iterates that one pass had better not exceed: what belongs to them stays in the cache of a core. */
int64_t carried_longest(const struct problem *problem);

/* Reals that carried_open() allocates. */
double carried_reals(const struct problem *problem, int64_t longest, int threads);

/* False: no memory; nothing is left then. */
bool carried_open(const struct problem *problem, double damping, int64_t longest, int threads, struct carried *carried);
void carried_close(struct carried *carried);

void carried_run(const struct carried *carried, const struct fused_pass *pass);

#endif
