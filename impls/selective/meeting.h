/* The fused pass of the selective cell where nothing reads the output and the mixer is one of low rank (fixed_point_fused.c). With
 * I - Q = U E U^T, of one iterate a token tells the next but r numbers:
 *
 *     xt^l = x - U g^l      w^l = gate . (H^l c + skip . xt^l)      y^l = LayerNorm(w^l)      g^{l+1} = E U^T (x - y^l)
 *
 * and U^T y^l comes of sums over the channels of w^l: w, w^2 and (gain . u) w, taken from w of the first channel on, so that nothing
 * cancels. Tokens come in blocks. What is the same for all iterates of a block is made once, the exponentials among it; then one
 * iterate after the other goes through the block, LANES channels at a time, whose states stay in registers from its first token to its last.
 * Damped: U^T y^l <- damping U^T y^l + (1 - damping) U^T y^{l-1}. Threads as in carried.h. */
#ifndef IMPLS_SELECTIVE_MEETING_H
#define IMPLS_SELECTIVE_MEETING_H

#include "impls/fused/fused.h"

#define meeting_takes VARIANT(meeting_takes)
#define meeting_longest VARIANT(meeting_longest)
#define meeting_reals VARIANT(meeting_reals)
#define meeting_open VARIANT(meeting_open)
#define meeting_close VARIANT(meeting_close)
#define meeting_run VARIANT(meeting_run)

struct meeting {
    struct problem problem;
    real damping;
    int64_t longest; /* iterates of a pass, at the most */
    int threads;
    int64_t stages, block; /* block: tokens */
    int64_t scratch;       /* reals of a thread */
    real *memory;          /* scratch of all threads */
    real *rates;           /* state_rates() */
};

/* Whether it is for this problem. */
bool meeting_takes(const struct problem *problem);

/* Iterates that one pass had better not exceed: their states stay in the cache of a core. */
int64_t meeting_longest(const struct problem *problem);

/* Reals that meeting_open() allocates. */
double meeting_reals(const struct problem *problem, int64_t longest, int threads);

/* False: no memory; nothing is left then. */
bool meeting_open(const struct problem *problem, double damping, int64_t longest, int threads, struct meeting *meeting);
void meeting_close(struct meeting *meeting);

void meeting_run(const struct meeting *meeting, const struct fused_pass *pass);

#endif
