/* What mixers with I - Q = A x B, a Kronecker product, have in common: q is A (n1,n1), then B (n2,n2), and (I - Q) x = A X B^T with x read
 * as X (n1,n2), x index i n2 + j. */
#ifndef IMPLS_MATH_FACTORED_H
#define IMPLS_MATH_FACTORED_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define factored_size VARIANT(factored_size)
#define factored_apply VARIANT(factored_apply)
#define factored_apply_gradient VARIANT(factored_apply_gradient)
#define factored_apply_operations VARIANT(factored_apply_operations)

/* n1^2 + n2^2 */
int64_t factored_size(const struct problem *problem);

/* y (d) = A X B^T; scratch (d). */
void factored_apply(const struct problem *problem, const real *q, const real *x, real *y, real *scratch);

/* As mixer_apply_gradient(); scratch (2 d). */
void factored_apply_gradient(const struct problem *problem, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                             real *q_adjoint, real *scratch);

double factored_apply_operations(const struct problem *problem);

#endif
