/* The exact gradient of the cell selective_heads, chunk by chunk, reversed in time, in the terms of chunk.h. O is the adjoint of
 * out (rows of one head), G that of H after the chunk and H the state before it; X' is the adjoint of X:
 *
 *     U' = P^T O + f . (B G)          Q = O U^T
 *     C' = sum of heads (M . Q) B + (e . O) H^T          B' = sum of heads (M . Q)^T C + (f . U) G^T
 *     s_t = sum_{i >= t > j} P_ij Q_ij + sum_{i >= t} <e . O, C H>_i + sum_{j < t} <f . U, B G>_j + e_{n-1} <G, H>
 *     x' = dt u' + skip o      dt' = <x, u'> - A s       A' = - sum of tokens dt s       G <- e_{n-1} G + C^T (e . O)
 *
 * s_t is the adjoint of log a_t. Every term of it has the factor a_t itself, so that where nothing is kept it is 0, and no
 * difference of larger numbers. States before all chunks are computed anew. All sums are taken in an order that does not depend on
 * the threads. */
#ifndef IMPLS_SELECTIVE_HEADS_GRADIENT_H
#define IMPLS_SELECTIVE_HEADS_GRADIENT_H

#include "impls/selective_heads/chunk.h"

#define heads_gradient VARIANT(heads_gradient)
#define heads_gradient_reals VARIANT(heads_gradient_reals)
#define heads_gradient_open VARIANT(heads_gradient_open)
#define heads_gradient_close VARIANT(heads_gradient_close)
#define heads_gradient_run VARIANT(heads_gradient_run)

enum { HEADS_GRADIENT_CHUNK = 32 }; /* tokens of a chunk, where nobody says otherwise */

struct heads_gradient {
    struct problem problem;
    int64_t most; /* tokens of a chunk */
    int threads;
    int64_t each;  /* reals of a thread */
    real *scratch; /* of all threads */
    real *out;     /* (B,T,d) H c~, and then its adjoint */
    real *kept;    /* (B, chunks, d N) states before each chunk */
    real *sums;    /* (parts, d + heads): gain and skip, of so many tokens each; then (B,heads): A */
    real *vectors; /* (groups,B,T,2,N): b and c; nothing, where there is one group */
};

/* Reals that heads_gradient_open() allocates. */
double heads_gradient_reals(const struct problem *problem, int64_t most, int threads);

/* False: no memory; nothing is left then. */
bool heads_gradient_open(const struct problem *problem, int64_t most, int threads, struct heads_gradient *gradient);
void heads_gradient_close(struct heads_gradient *gradient);

/* ok, or diverged where an adjoint is not finite. */
struct status heads_gradient_run(const struct heads_gradient *gradient, const struct inputs *inputs,
                                 const struct outputs *grad_outputs, const struct gradients *gradients);

#endif
