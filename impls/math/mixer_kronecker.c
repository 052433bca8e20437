/* The mixer kronecker: I - Q = s (D1 K1) x (D2 K2), its factors normalised by their largest eigenvalue (kronecker.h). Raw parameters: the
 * lower triangles of L1 and L2 row by row, then D1 (n1) and D2 (n2). */
#include "impls/math/factored.h"
#include "impls/math/kronecker.h"
#include "impls/math/mixer_row.h"

/* For vectors of so many reals, or for the larger factor: n2 >= n1. */
static int64_t scratch_for(const struct problem *p, int64_t reals)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    int64_t activation = kronecker_scratch(n2);
    return activation > reals ? activation : reals;
}

static int64_t scratch(const struct problem *p)
{
    return scratch_for(p, p->d);
}

static int64_t gradient_scratch(const struct problem *p)
{
    return scratch_for(p, 2 * p->d);
}

static void activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const real *L1 = theta, *L2 = L1 + n1 * (n1 + 1) / 2, *D1 = L2 + n2 * (n2 + 1) / 2, *D2 = D1 + n1;
    kronecker_factor(n1, (real)p->s, L1, D1, q, scratch);
    kronecker_factor(n2, 1, L2, D2, q + n1 * n1, scratch);
}

static void activate_gradient(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                              real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    int64_t L2 = n1 * (n1 + 1) / 2, D1 = L2 + n2 * (n2 + 1) / 2, D2 = D1 + n1;
    (void)q;
    kronecker_factor_gradient(n1, (real)p->s, theta, theta + D1, q_adjoint, theta_adjoint, theta_adjoint + D1, scratch);
    kronecker_factor_gradient(n2, 1, theta + L2, theta + D2, q_adjoint + n1 * n1, theta_adjoint + L2, theta_adjoint + D2, scratch);
}

/* SiLU of L, L L^T, the power steps, D K. */
static double activate_operations(const struct problem *p)
{
    int64_t n[2];
    double operations = 0;
    kronecker_sizes(p->d, &n[0], &n[1]);
    for (int i = 0; i < 2; i++) {
        double size = (double)n[i];
        operations += 2 * size * size + size * size * size / 3 + (POWER_STEPS + 1) * 2 * size * size + size * size;
    }
    return operations;
}

const struct mixer_row VARIANT(mixer_kronecker) = {
    .size = factored_size,
    .scratch = scratch,
    .gradient_scratch = gradient_scratch,
    .activate_operations = activate_operations,
    .apply_operations = factored_apply_operations,
    .activate = activate,
    .apply = factored_apply,
    .activate_gradient = activate_gradient,
    .apply_gradient = factored_apply_gradient,
};
