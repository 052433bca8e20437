/* The part of the fused iteration (fixed_point_fused.c) that lives in the r dimensions of the mixer: what is serial over the iterates.
 *
 *     g_1 = E U^T v,   g_{l+1} = E U^T (v - h^l_t) = rest - E y_l + M g_l      with   M = E U^T G U,   rest = E (U^T v - U^T G v)
 *
 * where y_l = U^T Lambda h^l_{t-1}. I - Q = U E U^T: E = S for dplr, E = (I + S tril(U^T U, strict))^{-1} S for the Householder product, S = s
 * diag(alpha). Plain: I for G. The vectors u = x / norm are given as x, and so are y and g, which the update needs: in the units of x.
 */
#ifndef IMPLS_FUSED_CORE_H
#define IMPLS_FUSED_CORE_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define fused_core_size VARIANT(fused_core_size)
#define fused_core_make VARIANT(fused_core_make)
#define fused_core_first VARIANT(fused_core_first)
#define fused_core_run VARIANT(fused_core_run)

/* Reals of the core of one token: E of y, M (R,R), then E U^T v, rest, 1 / norm (R); what is beyond r is zero. */
int64_t fused_core_size(int64_t R);

/* From the products of x_0, x_1, ..., of each x_i . v, x_i . G v, x_i . G x_i, x_i . x_i, then x_i . G x_j and x_i . x_j for each j < i;
 * and the raw strengths a (r). scratch: 2 r (r + 1) reals. */
void fused_core_make(const struct problem *problem, int64_t R, const real *products, const real *raw, real *core, real *scratch);

/* g_1 (R), in units of u as all that goes from one run to the next. */
const real *fused_core_first(int64_t R, const real *core);

/* g (L,R) of L iterates from that of the first, `carried` (R), and y (L,R); leaves that of the iterate that follows in carried. */
void fused_core_run(int64_t R, int64_t L, const real *core, const real *y, real *carried, real *g);

#endif
