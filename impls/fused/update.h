/* The part of the fused iteration (fixed_point_fused.c) that touches channels: one token, a tile of L iterates.
 *
 *     h^l <- Lambda_t h^l + G v_t - sum_i G u_i g_{l,i}          y_{l,i} = u_i^T Lambda h^l    with u, Lambda of the next token
 *
 * Both in one go: the carried states are read and written once a token. States of a tile are (n,L,LANES): the L iterates of one vector
 * of channels lie beside each other, n vectors make a row, which is filled up with zeros, as are the rows of a token. R is the rank r
 * as the kernels take it: fused_rank(). */
#ifndef IMPLS_FUSED_UPDATE_H
#define IMPLS_FUSED_UPDATE_H

#include "impls/math/lanes.h"

#include <stdbool.h>

#define fused_rank VARIANT(fused_rank)
#define fused_tile VARIANT(fused_tile)
#define fused_update VARIANT(fused_update)
#define fused_dots VARIANT(fused_dots)

enum { FUSED_TILE = LANE_BYTES == 64 ? 16 : 8 }; /* sums that fit in the registers, beside what they are made from */

/* What a token brings, in rows of n LANES. */
struct fused_token {
    const real *v, *lambda;
    const real *u; /* (R, n LANES) the mixer's vectors, each of any length: g and y are in their units */
};

/* r or a little more; the rest of u is zero. */
int64_t fused_rank(int64_t r);

/* Iterates of the next tile, when so many are left: a power of 2. */
int64_t fused_tile(int64_t R, int64_t left);

/* states (n,L,LANES) from one token to the next; g (L,R), y (L,R). out (n,LANES), aligned as it may be, takes h^L, past the caches (aligned then) or
 * into them; or NULL. gated: the normalised form. */
void fused_update(int64_t R, int64_t L, int64_t n, bool gated, const struct fused_token *token, const struct fused_token *next,
                  lanes *states, const real *g, real *out, bool stream, real *y);

/* y (L,R) alone: before the first token of a block. */
void fused_dots(int64_t R, int64_t L, int64_t n, const struct fused_token *next, const lanes *states, real *y);

#endif
