/* The factors of a Kronecker mixer and the gradient of their parameters.
 *
 *     F = scale diag(sigmoid(D)) K,   K = L L^T / (sigma + 1e-6),   L the lower triangle of SiLU(raw), row by row,
 *
 * sigma = w^T L L^T w after 16 normalised power steps from ones / sqrt(n). The gradient is that of the steps as computed: after 16
 * of them w is no eigenvector yet. L = 0 gives K = 0. */
#ifndef IMPLS_MATH_KRONECKER_H
#define IMPLS_MATH_KRONECKER_H

#include "impls/math/real.h"

#include <stdint.h>

#define kronecker_scratch VARIANT(kronecker_scratch)
#define kronecker_factor VARIANT(kronecker_factor)
#define kronecker_factor_gradient VARIANT(kronecker_factor_gradient)

enum { POWER_STEPS = 16 }; /* of the estimate of a factor's largest eigenvalue */

/* Reals of scratch that the functions below need for a factor (n,n). */
int64_t kronecker_scratch(int64_t n);

/* out (n,n) = F from raw (n (n+1) / 2) and strength (n) = D. */
void kronecker_factor(int64_t n, real scale, const real *raw, const real *strength, real *out, real *scratch);

/* The adjoints of raw and strength from the adjoint (n,n) of F. */
void kronecker_factor_gradient(int64_t n, real scale, const real *raw, const real *strength, const real *adjoint, real *raw_adjoint,
                               real *strength_adjoint, real *scratch);

#endif
