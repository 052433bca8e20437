/* The arithmetic of one mixer, as mixer.h has it for all: a file mixer_<name>.c defines the row VARIANT(mixer_<name>) of it, which
 * mixer.c finds by the name in MIXERS (impls/impl.h). What is NULL takes no reals or operations. */
#ifndef IMPLS_MATH_MIXER_ROW_H
#define IMPLS_MATH_MIXER_ROW_H

#include "impls/impl.h"
#include "impls/math/real.h"

struct mixer_row {
    int64_t (*size)(const struct problem *problem);             /* of q */
    int64_t (*scratch)(const struct problem *problem);          /* of activate and apply */
    int64_t (*gradient_scratch)(const struct problem *problem); /* of both gradients */
    double (*activate_operations)(const struct problem *problem);
    double (*apply_operations)(const struct problem *problem);

    void (*activate)(const struct problem *problem, const real *theta, real *q, real *scratch);
    void (*apply)(const struct problem *problem, const real *q, const real *x, real *y, real *scratch);
    void (*activate_gradient)(const struct problem *problem, const real *theta, const real *q, const real *q_adjoint,
                              real *theta_adjoint, real *scratch);
    void (*apply_gradient)(const struct problem *problem, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                           real *q_adjoint, real *scratch);
};

#endif
