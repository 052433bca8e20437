/* The gradient of one head of the cell delta, chunk after chunk back in time. Names as in chunk.h; G is what the loss has of the
 * state after the chunk, Y' of its outputs (rows of it: a token's), and with a prime what it has of anything else. From the last
 * line of chunk.h to the first, m = -beta s standing for minus what it has of the errors,
 *
 *     X' = s:      s = M_last K G + P^T Y' + A^T m                       from S, from y and from later errors: last row first
 *     v' = -m      beta' = s . e                                         row by row
 *     Z = [m; Y'] X^T, of [A; P], . M where these are not 0              what the scalar products k . k and q . k have
 *     [K; Q]' = Z K + D [m; Y'] S^T      K' += Z_A^T K + Z_P^T Q + M_last X G^T
 *     G <- D_last G + [K; Q]^T D [m; Y']
 *
 * Every gate a_u is a factor of those M_tj with t(j) < u <= t, of D_t with u <= t, of M_last,j with t(j) < u, and of D_last, so
 * that
 *
 *     g_u' = sum of (Z . [A; P])_tj over t(j) < u <= t, of D_t (K S . m + Q S . Y')_t over u <= t,
 *            of M_last,j X_j . (K G)_j over t(j) < u, and of D_last G . S
 *
 * added up as it stands: the usual way over differences of row and column sums would leave the rounding of what lies on the
 * diagonal where a gate of e^-30 has almost no gradient. States are kept before each chunk, the rest is computed again. */
#ifndef IMPLS_DELTA_CHUNK_GRADIENT_H
#define IMPLS_DELTA_CHUNK_GRADIENT_H

#include "impls/delta/chunk.h"

#define delta_chunk_gradient_size VARIANT(delta_chunk_gradient_size)
#define delta_chunk_gradient VARIANT(delta_chunk_gradient)

/* Reals that it takes, per thread, in chunks of so many tokens. */
int64_t delta_chunk_gradient_size(const struct problem *problem, int64_t tokens);

/* As delta_gradient_run() of gradient.h. */
int64_t delta_chunk_gradient(const struct problem *problem, int64_t tokens, const struct inputs *inputs, const real *y_adjoint,
                             const real *final_adjoint, int64_t b, int64_t head, const struct gradients *gradients, real *scratch);

#endif
