/* The mixers dplr and householder: r vectors u = normalise(SiLU(raw)) and r strengths s alpha = s sigmoid(a).
 *
 *     dplr          I - Q = sum_i s alpha_i u_i u_i^T
 *     householder   Q = H_{r-1} ... H_0,  H_i = I - s alpha_i u_i u_i^T
 *
 * Both directions of either take O(r d). */
#include "impls/math/activation.h"
#include "impls/math/mixer.h"
#include "impls/math/mixer_row.h"

static int64_t size(const struct problem *p)
{
    return p->r * (p->d + 1);
}

/* ---- Activation ------------------------------------------------------------------------------------------------------------ */

static void activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    int64_t r = p->r, d = p->d;
    (void)scratch;
    for (int64_t i = 0; i < r; i++) {
        const real *raw = theta + i * d;
        real *u = q + i * d, squares = 0;
#pragma omp simd reduction(+ : squares)
        for (int64_t c = 0; c < d; c++) {
            real x = silu(raw[c]);
            u[c] = x;
            squares += x * x;
        }
        real inverse = norm_inverse(squares);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            u[c] *= inverse;
        q[r * d + i] = (real)p->s * sigmoid(theta[r * d + i]);
    }
}

/* u = x / max(||x||, least), x = SiLU(raw); the strength is s sigmoid(raw). sigmoid(raw) waits in theta_adjoint. */
static void activate_gradient(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                              real *scratch)
{
    int64_t r = p->r, d = p->d;
    (void)scratch;
    for (int64_t i = 0; i < r; i++) {
        const real *raw = theta + i * d, *u = q + i * d, *u_adjoint = q_adjoint + i * d;
        real *out = theta_adjoint + i * d, squares = 0, along = 0;
#pragma omp simd reduction(+ : squares, along)
        for (int64_t c = 0; c < d; c++) {
            real s = 1 / (1 + exponential(-raw[c]));
            out[c] = s;
            squares += raw[c] * s * raw[c] * s;
            along += u[c] * u_adjoint[c];
        }
        real norm = real_sqrt(squares), inverse = 1 / (norm > NORM_LEAST ? norm : NORM_LEAST);
        if (norm <= NORM_LEAST) /* only scaled: nothing is projected out */
            along = 0;
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            out[c] = (u_adjoint[c] - along * u[c]) * inverse * silu_slope(raw[c], out[c]);
        theta_adjoint[r * d + i] = q_adjoint[r * d + i] * (real)p->s * sigmoid_slope(theta[r * d + i]);
    }
}

static double activate_operations(const struct problem *p)
{
    return 7 * (double)(p->r * p->d); /* SiLU (4), squares (2), scaling (1) */
}

/* ---- dplr ------------------------------------------------------------------------------------------------------------------ */

/* sum_i s alpha_i u_i (u_i . x) */
static void dplr_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    int64_t r = p->r, d = p->d;
    (void)scratch;
    set_scaled(q[r * d] * dot(q, x, d), q, y, d);
    for (int64_t i = 1; i < r; i++)
        add_scaled(q[r * d + i] * dot(q + i * d, x, d), q + i * d, y, d);
}

/* y = sum_i a_i u_i (u_i . x) */
static void dplr_apply_gradient(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                                real *q_adjoint, real *scratch)
{
    int64_t r = p->r, d = p->d;
    (void)scratch;
    fill(x_adjoint, 0, d);
    for (int64_t i = 0; i < r; i++) {
        const real *u = q + i * d;
        real strength = q[r * d + i], forth = dot(u, x, d), back = dot(u, adjoint, d);
        add_scaled(strength * back, u, x_adjoint, d);
        if (q_adjoint == NULL)
            continue;
        real *u_adjoint = q_adjoint + i * d, a = strength * forth, b = strength * back;
        q_adjoint[r * d + i] = forth * back;
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            u_adjoint[c] = a * adjoint[c] + b * x[c];
    }
}

static double dplr_apply_operations(const struct problem *p)
{
    return 4 * (double)p->r * (double)p->d;
}

const struct mixer_row VARIANT(mixer_dplr) = {
    .size = size,
    .activate_operations = activate_operations,
    .apply_operations = dplr_apply_operations,
    .activate = activate,
    .apply = dplr_apply,
    .activate_gradient = activate_gradient,
    .apply_gradient = dplr_apply_gradient,
};

/* ---- householder ----------------------------------------------------------------------------------------------------------- */

/* x - H_{r-1} ... H_0 x: what H_0 to H_{i-1} have taken from x so far is y, and H_i acts on the rest. */
static void householder_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    int64_t r = p->r, d = p->d;
    (void)scratch;
    set_scaled(q[r * d] * dot(q, x, d), q, y, d);
    for (int64_t i = 1; i < r; i++) {
        const real *u = q + i * d;
        add_scaled(q[r * d + i] * (dot(u, x, d) - dot(u, y, d)), u, y, d);
    }
}

/* y = x - z_r with z_0 = x, z_{i+1} = H_i z_i. Backwards, what is left of the adjoint before H_i is adjoint - x_adjoint. z_i waits
 * where the adjoint of u_i will be. */
static void householder_apply_gradient(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                                       real *q_adjoint, real *scratch)
{
    int64_t r = p->r, d = p->d;
    (void)scratch;
    for (int64_t i = 0; q_adjoint != NULL && i < r - 1; i++) {
        const real *u = q + i * d, *z = i > 0 ? q_adjoint + i * d : x;
        real *next = q_adjoint + (i + 1) * d, taken = q[r * d + i] * dot(u, z, d);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            next[c] = z[c] - taken * u[c];
    }
    fill(x_adjoint, 0, d);
    for (int64_t i = r - 1; i >= 0; i--) {
        const real *u = q + i * d;
        real strength = q[r * d + i], back = dot(u, adjoint, d) - dot(u, x_adjoint, d);
        if (q_adjoint != NULL) {
            real *u_adjoint = q_adjoint + i * d;
            const real *z = i > 0 ? u_adjoint : x;
            real forth = dot(u, z, d), a = strength * forth, b = strength * back;
            q_adjoint[r * d + i] = forth * back;
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                u_adjoint[c] = a * (adjoint[c] - x_adjoint[c]) + b * z[c];
        }
        add_scaled(strength * back, u, x_adjoint, d);
    }
}

static double householder_apply_operations(const struct problem *p)
{
    return 6 * (double)p->r * (double)p->d;
}

const struct mixer_row VARIANT(mixer_householder) = {
    .size = size,
    .activate_operations = activate_operations,
    .apply_operations = householder_apply_operations,
    .activate = activate,
    .apply = householder_apply,
    .activate_gradient = activate_gradient,
    .apply_gradient = householder_apply_gradient,
};
