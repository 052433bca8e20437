/* The states of the selective cell where tokens are taken one after the other: d channels by N, kept in blocks of as many channels as a
 * vector holds, block by block and in it n by n, so that every loop is over channels whatever N is. Channels beyond d are 0. Rows of
 * channels beside it are padded likewise, to state_row() reals.
 *
 *     H_t = D_t + u_t b_t^T,  D_t = exp(-dt A) . H_{t-1},  u = dt . xt
 *
 * What u_t adds is added on the way to D_{t+1}: a token passes over its state once. */
#ifndef IMPLS_SELECTIVE_STATE_H
#define IMPLS_SELECTIVE_STATE_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define state_row VARIANT(state_row)
#define state_reals VARIANT(state_reals)
#define state_scratch VARIANT(state_scratch)
#define state_load VARIANT(state_load)
#define state_store VARIANT(state_store)
#define state_rates VARIANT(state_rates)
#define state_decay VARIANT(state_decay)
#define state_keep VARIANT(state_keep)
#define state_add VARIANT(state_add)
#define state_read VARIANT(state_read)
#define state_adjoint VARIANT(state_adjoint)

int64_t state_row(const struct problem *problem);     /* reals of a padded row of channels */
int64_t state_reals(const struct problem *problem);   /* of a state */
int64_t state_scratch(const struct problem *problem); /* of scratch of state_adjoint() */

/* state from H (d,N), NULL for zero; and H from state. */
void state_load(const struct problem *problem, const real *H, real *state);
void state_store(const struct problem *problem, const real *state, real *H);

/* rates (state_reals) = -log2(e) A (d,N), so that exp(-dt A) = 2^(dt rates). */
void state_rates(const struct problem *problem, const real *A, real *rates);

/* state <- exp(-dt A) . (state + u b^T), sums (padded) = state c. dt (d), u (padded), b, c (N). */
void state_decay(const struct problem *problem, const real *rates, const real *dt, const real *u, const real *b, const real *c,
                 real *state, real *sums);

/* The same from one place to another, with the decays exp(-dt A) left behind, and without sums. */
void state_keep(const struct problem *problem, const real *rates, const real *dt, const real *u, const real *b, const real *state,
                real *decayed, real *decays);

/* state += u b^T */
void state_add(const struct problem *problem, const real *u, const real *b, real *state);

/* out (padded) = state v, v (N). */
void state_read(const struct problem *problem, const real *state, const real *v, real *out);

/* One token back in time. o (padded) is the adjoint of H_t c, adjoint that of H_t without it; with G = adjoint + o c^T:
 *     A_adjoint -= dt . G . D_t       dt_adjoint (padded) = - sum_n A . G . D_t      b_adjoint (N) = G^T u
 *     c_adjoint (N) = H_t^T o         adjoint <- decays . G, that of H_{t-1} */
void state_adjoint(const struct problem *problem, const real *rates, const real *dt, const real *u, const real *b, const real *c,
                   const real *o, const real *decayed, const real *decays, real *adjoint, real *A_adjoint, real *dt_adjoint,
                   real *b_adjoint, real *c_adjoint, real *scratch);

#endif
