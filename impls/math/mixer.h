/* Channel mixers: from the raw parameters of a token to the action of I - Q on a vector. The definitions are those of the paper's
 * Sec. 3.3 and App. C.3 with the conventions of docs/mathematics.md; every mixer is used through I - Q, which is what a fixed-point
 * iteration applies.
 *
 * Activated parameters q of one token, mixer_size() reals:
 *     dplr, householder   u_0 (d) ... u_{r-1} (d), then s alpha_0 ... s alpha_{r-1}
 *     kronecker           s D1 K1 (n1,n1), then D2 K2 (n2,n2)
 *     dense               I - Q (d,d)
 */
#ifndef IMPLS_MATH_MIXER_H
#define IMPLS_MATH_MIXER_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define mixer_size VARIANT(mixer_size)
#define mixer_scratch VARIANT(mixer_scratch)
#define mixer_activate VARIANT(mixer_activate)
#define mixer_apply VARIANT(mixer_apply)
#define mixer_matrix VARIANT(mixer_matrix)
#define mixer_gradient_scratch VARIANT(mixer_gradient_scratch)
#define mixer_apply_gradient VARIANT(mixer_apply_gradient)
#define mixer_activate_gradient VARIANT(mixer_activate_gradient)
#define mixer_activate_operations VARIANT(mixer_activate_operations)
#define mixer_apply_operations VARIANT(mixer_apply_operations)

/* normalise(x) = x / max(||x||, this) */
#define NORM_LEAST ((real)1e-5)

/* 1 / max(||x||, NORM_LEAST) from ||x||^2. NaN where that is not finite: neither a comparison with NaN nor a division by infinity
 * may hide it. */
static inline real norm_inverse(real squares)
{
    real norm = real_sqrt(squares);
    return norm <= REAL_MAX ? 1 / (norm > NORM_LEAST ? norm : NORM_LEAST) : (real)NAN;
}

int64_t mixer_size(const struct problem *problem);

/* Reals of scratch that one thread needs for any function below. */
int64_t mixer_scratch(const struct problem *problem);

/* theta (m) -> q (mixer_size). A raw value that is not finite gives NaN somewhere in q, never a plausible parameter. */
void mixer_activate(const struct problem *problem, const real *theta, real *q, real *scratch);

/* y (d) = (I - Q) x (d); y must not be x. */
void mixer_apply(const struct problem *problem, const real *q, const real *x, real *y, real *scratch);

/* matrix (d,d), column by column (as LAPACK reads it) = I - Q. */
void mixer_matrix(const struct problem *problem, const real *q, real *matrix, real *scratch);

/* Vector-Jacobian products. An adjoint is the derivative of a scalar loss with respect to what it is the adjoint of. Reals of scratch that
 * one thread needs for either: */
int64_t mixer_gradient_scratch(const struct problem *problem);

/* From the adjoint (d) of y = (I - Q) x: x_adjoint (d) = (I - Q)^T adjoint, and q_adjoint (mixer_size; NULL: not computed). None of
 * them may overlap. */
void mixer_apply_gradient(const struct problem *problem, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                          real *q_adjoint, real *scratch);

/* theta_adjoint (m) from theta (m), the q (mixer_size) that mixer_activate() made of it, and q_adjoint. */
void mixer_activate_gradient(const struct problem *problem, const real *theta, const real *q, const real *q_adjoint,
                             real *theta_adjoint, real *scratch);

/* Operations of mixer_activate() and of mixer_apply(): a multiply-add counts 2, exp and division 1. */
double mixer_activate_operations(const struct problem *problem);
double mixer_apply_operations(const struct problem *problem);

#endif
