/* The matrix states of the selective cell where several of them, or one that is gone through backwards, stay with a thread
 * (fixed_point_fused.c): a state (d,N) is held as (n,N) vectors, the N numbers of LANES channels beside each other, n = states_vectors(d),
 * so that exponentials and sums over N are done for LANES channels at once, whatever N is. What is beyond d in the last of them is zero. */
#ifndef IMPLS_SELECTIVE_STATES_H
#define IMPLS_SELECTIVE_STATES_H

#include "impls/math/lanes.h"

#include <stdbool.h>

#define states_take VARIANT(states_take)
#define states_rates VARIANT(states_rates)
#define states_put VARIANT(states_put)
#define states_iterates VARIANT(states_iterates)
#define states_finish VARIANT(states_finish)
#define states_step VARIANT(states_step)
#define states_product VARIANT(states_product)
#define states_adjoint VARIANT(states_adjoint)

static inline int64_t states_vectors(int64_t d)
{
    return (d + LANES - 1) / LANES;
}

/* What a state has: d channels, N numbers each, and its rates (n,N), A log2(e) as states_rates() makes them. */
struct states {
    int64_t d, N;
    const lanes *rates;
};

/* rates (n,N) from A (d,N). */
void states_rates(int64_t d, int64_t N, const real *A, lanes *rates);

/* state (n,N), with `stride` vectors from one row of N to the next, from (d,N), NULL: zero; and back, to += where `add`. */
void states_take(const struct states *states, const real *from, int64_t stride, lanes *state);
void states_put(const struct states *states, const lanes *state, int64_t stride, bool add, real *to);

/* The states H (n,L,N) of L iterates from the token before, whose drive (L, n LANES) is still to come in, to this one without its own:
 *
 *     H^l <- exp(-dt^l A) . (H^l + drive^l b^l^T)         base^l = H^l c^l
 *
 * b of the token before and c of this one (L,N), base (L, n LANES). dt: L rows (d); `shared`: the first holds for all of them, and so do the
 * exponentials. decay (N) is scratch. */
void states_iterates(const struct states *states, int64_t L, const real *const *dt, bool shared, const real *drive, const real *b,
                     const real *c, lanes *H, real *base, lanes *decay);

/* to (d,N) = H^l + drive b^T of one of L iterates, H (n,L,N) from its first row on; drive (n LANES), b (N). */
void states_finish(const struct states *states, int64_t L, const lanes *H, const real *drive, const real *b, real *to);

/* One token of one state (n,N): after = exp(-dt A) . before + drive b^T, out (d) = after c. after may be before. decay (n,N) is left
 * behind, or with keep false its first row is scratch. */
void states_step(const struct states *states, const real *dt, const real *drive, const real *b, const real *c, const lanes *before,
                 lanes *after, bool keep, lanes *decay, real *out);

/* out (d) = state b. */
void states_product(const struct states *states, const lanes *state, const real *b, real *out);

/* What states_step() did, backwards. H_adjoint (n,N) of the state after, from later tokens, becomes that of the state before; with
 * Hh = H_adjoint + out_adjoint c^T
 *     drive_adjoint = Hh b        slope = sum_n A . Hh . decay . before, which is -dL/d dt by the decay
 *     b_adjoint = Hh^T drive      c_adjoint = after^T out_adjoint           rates_adjoint -= dt . Hh . decay . before
 * sums (2 N) is scratch. */
struct states_adjoint {
    const real *dt, *drive, *b, *c, *out_adjoint; /* (d) (d) (N) (N) (d) */
    const lanes *before, *decay;                  /* (n,N) */
    lanes *H_adjoint, *rates_adjoint;             /* (n,N) */
    real *drive_adjoint, *slope;                  /* (d) */
    real *b_adjoint, *c_adjoint;                  /* (N) */
    lanes *sums;
};
void states_adjoint(const struct states *states, const struct states_adjoint *at);

#endif
