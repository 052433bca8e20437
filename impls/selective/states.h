/* The states of many iterates of one sequence, which go through a token together (carried.h): each as state.h has them, in blocks of LANES
 * channels, the blocks of all iterates beside each other, (blocks, L, N, LANES), so that the decays of a block serve all of them. */
#ifndef IMPLS_SELECTIVE_STATES_H
#define IMPLS_SELECTIVE_STATES_H

#include "impls/math/lanes.h"

#include <stdbool.h>

#define states_place VARIANT(states_place)
#define states_take VARIANT(states_take)
#define states_decay VARIANT(states_decay)
#define states_drive VARIANT(states_drive)

/* All L of them from one state (state.h), and that of iterate l. */
void states_place(int64_t blocks, int64_t N, int64_t L, const real *state, real *H);
void states_take(int64_t blocks, int64_t N, int64_t L, int64_t l, const real *H, real *state);

/* From the token before, what drives it still to come in, to this one without its own:
 *
 *     H^l <- exp(-dt^l A) . (H^l + drive^l b^l^T)         base^l = H^l c^l
 *
 * drive and base (L, blocks LANES); b, of the token before, and c (L,N); dt L rows (d); rates as state_rates() makes them. `shared`: the first
 * dt holds for all of them, and so do the decays. decay (N, LANES) is scratch. */
void states_decay(int64_t d, int64_t N, int64_t L, const real *rates, const real *const *dt, bool shared, const real *drive,
                  const real *b, const real *c, real *H, real *base, real *decay);

#endif
