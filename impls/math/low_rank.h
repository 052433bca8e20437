/* The exact dense transition of low-rank mixers, in r x r algebra.
 *
 * I - Q = U F^{-1} S U^T with U = [u_0 ... u_{r-1}], S = s diag(alpha), and F = I for dplr, F = I + S tril(U^T U, strict) for the
 * Householder product H_{r-1} ... H_0. With W = U^T G U (plain: U^T U) the coefficients of the dense step (docs/mathematics.md) are
 *     b = (F - S W)^{-1} S y,   y = U^T Lambda (h_{t-1} - v)   (plain: U^T Lambda h_{t-1}),
 * which never divides by alpha. F - S W is singular exactly when M_t (plain: Q_t) is. */
#ifndef IMPLS_MATH_LOW_RANK_H
#define IMPLS_MATH_LOW_RANK_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define low_rank_scratch VARIANT(low_rank_scratch)
#define low_rank_solve VARIANT(low_rank_solve)
#define low_rank_inverse VARIANT(low_rank_inverse)
#define low_rank_inverse_of VARIANT(low_rank_inverse_of)
#define low_rank_solve_transposed VARIANT(low_rank_solve_transposed)

/* The largest pivot of F - S W that is no more than what rounding leaves of an exact zero, where its entries are as large as
 * scale: they are sums of d products. */
static inline real low_rank_tiny(const struct problem *problem, real scale)
{
    return real_max(1, scale) * REAL_EPSILON * (real)(16 + problem->d);
}

int64_t low_rank_scratch(const struct problem *problem);

/* b (r) from q (mixer.h), the gate g (d; NULL: plain) and y (r), which is overwritten by b. False: singular. */
bool low_rank_solve(const struct problem *problem, const real *q, const real *g, real *y, real *scratch);

/* C (r,r) = (F - S W)^{-1} S, so that b = C y for any y. False: singular. */
bool low_rank_inverse(const struct problem *problem, const real *q, const real *g, real *C, real *scratch);

/* The same from S (r), W (r,r) and U^T U (r,r), whose entries j <= i are read. */
bool low_rank_inverse_of(const struct problem *problem, const real *S, const real *W, const real *N, real *C, real *scratch);

/* c (r) = S (F - S W)^{-T} y in the place of y, for the transposed step of the gradient: M^{-T} a = a + U c with y = U^T G a
 * (plain: Q^{-T} a, y = U^T a). False: singular. */
bool low_rank_solve_transposed(const struct problem *problem, const real *q, const real *g, real *y, real *scratch);

#endif
