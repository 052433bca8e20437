/* What a token of the cell selective_heads is before and after its states: its vectors and decays, and what gate and norm make of
 * it,
 *
 *     a = exp(-dt A)    b~ = unit(b)    c~ = unit(c)         of a head; of all heads, as they are where b and c are not normalised
 *     w = SiLU(z) . (H c~ + skip . x)       y = gain . w / sqrt(mean w^2 + 1e-5)       what of it the problem's gate and norm leave
 *
 * Tokens are those of the flattened batch, i = b T + t. A group is a range of heads: what one thread works on beside others, in one
 * sequence. */
#ifndef IMPLS_SELECTIVE_HEADS_ROWS_H
#define IMPLS_SELECTIVE_HEADS_ROWS_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define heads_vectors VARIANT(heads_vectors)
#define heads_vectors_adjoint VARIANT(heads_vectors_adjoint)
#define heads_decays VARIANT(heads_decays)
#define heads_driven VARIANT(heads_driven)
#define heads_finishes VARIANT(heads_finishes)
#define heads_finish VARIANT(heads_finish)
#define heads_finish_count VARIANT(heads_finish_count)
#define heads_finish_adjoint VARIANT(heads_finish_adjoint)

/* Whether b and c are normalised, and whether the output is. */
static inline bool heads_unit(const struct problem *p)
{
    return p->norm == NORM_BC || p->norm == NORM_BOTH;
}

static inline bool heads_norm(const struct problem *p)
{
    return p->norm == NORM_OUTPUT || p->norm == NORM_BOTH;
}

/* Rows (n,N) of b~ or c~ from token i on: those of `raw`, which is b or c (B,T,N), or made in room (n,N). */
const real *heads_vectors(const struct problem *problem, const real *raw, int64_t i, int64_t n, real *room);

/* The gradient of b or c (B,T,N; NULL: not wanted) of token i from that of b~ or c~ (N). */
void heads_vectors_adjoint(const struct problem *problem, const real *raw, int64_t i, const real *adjoint, real *gradient);

/* a (heads,stride) of n tokens from i on: row h holds those of head h. The heads are from ... to - 1. */
void heads_decays(const struct problem *problem, const struct inputs *inputs, int64_t i, int64_t n, int64_t from, int64_t to,
                  int64_t stride, real *a);

/* u (n, channels of the heads from ... to - 1) = dt . x of n tokens from i on. */
void heads_driven(const struct problem *problem, const struct inputs *inputs, int64_t i, int64_t n, int64_t from, int64_t to,
                  real *u);

/* y (B,T,d), which holds H c~, of n tokens from i on: all channels are made the output. False: some of it is not finite. */
bool heads_finish(const struct problem *problem, const struct inputs *inputs, int64_t i, int64_t n, real *y);

/* Adds what that takes, of all tokens, and what normalising b and c does: operations and exponentials. */
void heads_finish_count(const struct problem *problem, struct work *work);

/* Of token i back from y_adjoint (d; NULL: zero) to the adjoint of H c~: h (d) is that product, and becomes its adjoint, which
 * y_adjoint may not overlap. z: its gradient (d; NULL: not wanted). Added to: gain (d; NULL where there is no norm) and skip
 * (heads). room (2 d). */
void heads_finish_adjoint(const struct problem *problem, const struct inputs *inputs, int64_t i, const real *y_adjoint, real *h,
                          real *z, real *gain, real *skip, real *room);

#endif
