/* The mixer none: Q = I. */
#include "impls/math/mixer_row.h"
#include "impls/math/vector.h"

static void activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    (void)p, (void)theta, (void)q, (void)scratch;
}

static void apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    (void)q, (void)x, (void)scratch;
    fill(y, 0, p->d);
}

static void activate_gradient(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                              real *scratch)
{
    (void)p, (void)theta, (void)q, (void)q_adjoint, (void)theta_adjoint, (void)scratch;
}

static void apply_gradient(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                           real *q_adjoint, real *scratch)
{
    (void)q, (void)x, (void)adjoint, (void)q_adjoint, (void)scratch;
    fill(x_adjoint, 0, p->d);
}

const struct mixer_row VARIANT(mixer_none) = {
    .activate = activate,
    .apply = apply,
    .activate_gradient = activate_gradient,
    .apply_gradient = apply_gradient,
};
