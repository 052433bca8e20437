/* The part of the gradient of a low-rank mixer (gradient.h) that lives in its r dimensions. With I - Q = U E U^T, E = F^{-1} S,
 * N = U^T U and W = U^T G U (plain: U^T U),
 *
 *     F = I                          dplr             F_ij = [i = j] + S_i N_ij [j < i]      householder
 *
 * and the adjoint of E leads to those of S and, where F has it, of N. */
#ifndef IMPLS_FUSED_GRADIENT_CORE_H
#define IMPLS_FUSED_GRADIENT_CORE_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define fused_gradient_core_size VARIANT(fused_gradient_core_size)
#define fused_gradient_core_lay VARIANT(fused_gradient_core_lay)
#define fused_gradient_core_make VARIANT(fused_gradient_core_make)
#define fused_gradient_core_back VARIANT(fused_gradient_core_back)

/* Of one token. u = x / k with the vectors x as they were activated, 1 / k is `inverse`. */
struct fused_gradient_core {
    real *inverse;             /* (r) */
    real *unit;                /* (r) 1 where normalise(x) has length 1, 0 where it only scales */
    real *S, *E, *N, *W;       /* (r), then (r,r) each; of N and W j <= i is there, until they are mirrored by make */
    real *C;                   /* (r,r) (F - S W)^{-1} S, where it is asked for */
    real *E_adjoint;           /* (r,r) */
    real *S_adjoint;           /* (r) */
    real *N_adjoint, *scratch; /* (r,r) of N and its transpose, added; (r,r) */
};

/* Reals of a core, and how they are laid out from `at` on. */
int64_t fused_gradient_core_size(int64_t r);
void fused_gradient_core_lay(int64_t r, real *at, struct fused_gradient_core *core);

/* From x_i . x_j in N and x_i . G x_j in W for j <= i, and the raw strengths (r): all but C, and E_adjoint is zero. `solve`: C, too.
 * False: it does not exist, and is NaN. */
bool fused_gradient_core_make(const struct problem *problem, const real *raw, bool solve, const struct fused_gradient_core *core);

/* S_adjoint and N_adjoint from E_adjoint. */
void fused_gradient_core_back(const struct problem *problem, const struct fused_gradient_core *core);

#endif
