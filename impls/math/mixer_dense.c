/* The mixer dense: theta is Q (d,d) itself, row by row, and q is I - Q. */
#include "impls/math/mixer_row.h"
#include "impls/math/vector.h"

static int64_t size(const struct problem *p)
{
    return p->d * p->d;
}

static void activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    (void)scratch;
    for (int64_t i = 0; i < p->d; i++)
        for (int64_t j = 0; j < p->d; j++)
            q[i * p->d + j] = (real)(i == j) - theta[i * p->d + j];
}

static void apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    (void)scratch;
    for (int64_t i = 0; i < p->d; i++)
        y[i] = dot(q + i * p->d, x, p->d);
}

static void activate_gradient(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                              real *scratch)
{
    (void)theta, (void)q, (void)scratch;
    for (int64_t i = 0; i < p->d * p->d; i++)
        theta_adjoint[i] = -q_adjoint[i];
}

static void apply_gradient(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                           real *q_adjoint, real *scratch)
{
    int64_t d = p->d;
    (void)scratch;
    fill(x_adjoint, 0, d);
    for (int64_t i = 0; i < d; i++) {
        add_scaled(adjoint[i], q + i * d, x_adjoint, d);
        for (int64_t j = 0; q_adjoint != NULL && j < d; j++)
            q_adjoint[i * d + j] = adjoint[i] * x[j];
    }
}

static double activate_operations(const struct problem *p)
{
    return (double)(p->d * p->d);
}

static double apply_operations(const struct problem *p)
{
    return 2 * (double)p->d * (double)p->d;
}

const struct mixer_row VARIANT(mixer_dense) = {
    .size = size,
    .activate_operations = activate_operations,
    .apply_operations = apply_operations,
    .activate = activate,
    .apply = apply,
    .activate_gradient = activate_gradient,
    .apply_gradient = apply_gradient,
};
