/* Vector-Jacobian products of the channel mixers (mixer.h): of y = (I - Q) x with respect to x and to the activated parameters q,
 * and of q with respect to the raw ones. An adjoint is the derivative of a scalar loss with respect to what it is the adjoint of.
 * For low-rank mixers all of it takes O(r d). */
#ifndef IMPLS_MATH_MIXER_GRADIENT_H
#define IMPLS_MATH_MIXER_GRADIENT_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define mixer_gradient_scratch VARIANT(mixer_gradient_scratch)
#define mixer_apply_gradient VARIANT(mixer_apply_gradient)
#define mixer_activate_gradient VARIANT(mixer_activate_gradient)

/* Reals of scratch that one thread needs for either function below. */
int64_t mixer_gradient_scratch(const struct problem *problem);

/* From the adjoint (d) of y = (I - Q) x: x_adjoint (d) = (I - Q)^T adjoint, and q_adjoint (mixer_size; NULL: not computed). None of
 * them may overlap. */
void mixer_apply_gradient(const struct problem *problem, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                          real *q_adjoint, real *scratch);

/* theta_adjoint (m) from theta (m), the q (mixer_size) that mixer_activate() made of it, and q_adjoint. */
void mixer_activate_gradient(const struct problem *problem, const real *theta, const real *q, const real *q_adjoint,
                             real *theta_adjoint, real *scratch);

#endif
