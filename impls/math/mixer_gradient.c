/* See mixer_gradient.h. A mixer is a row of the table at the end, as in mixer.c. */
#include "impls/math/mixer_gradient.h"

#include "impls/math/activation.h"
#include "impls/math/kronecker.h"
#include "impls/math/mixer.h"

#include <string.h>

static int64_t no_scratch(const struct problem *p)
{
    (void)p;
    return 0;
}

/* ---- dplr and householder -------------------------------------------------------------------------------------------------- */

/* y = sum_i a_i u_i (u_i . x) */
static void dplr_apply(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint, real *q_adjoint,
                       real *scratch)
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

/* y = x - z_r with z_0 = x, z_{i+1} = H_i z_i. Backwards, what is left of the adjoint before H_i is adjoint - x_adjoint. z_i waits
 * where the adjoint of u_i will be. */
static void householder_apply(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
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

/* u = x / max(||x||, least), x = SiLU(raw); the strength is s sigmoid(raw). sigmoid(raw) waits in theta_adjoint. */
static void low_rank_activate(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
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

/* ---- kronecker: Y = A X B^T with x read as X (n1,n2) ----------------------------------------------------------------------- */

static int64_t kronecker_scratch_of(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    int64_t activation = kronecker_scratch(n2); /* n2 >= n1 */
    return activation > 2 * p->d ? activation : 2 * p->d;
}

static void kronecker_apply(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                            real *q_adjoint, real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const real *A = q, *B = q + n1 * n1;
    real *PB = scratch, *AX = scratch + p->d; /* P the adjoint of Y */
    fill(scratch, 0, 2 * p->d);
    fill(x_adjoint, 0, p->d);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n2; j++)
            add_scaled(adjoint[i * n2 + j], B + j * n2, PB + i * n2, n2);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++)
            add_scaled(A[i * n1 + a], PB + i * n2, x_adjoint + a * n2, n2);
    if (q_adjoint == NULL)
        return;
    real *A_adjoint = q_adjoint, *B_adjoint = q_adjoint + n1 * n1;
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++) {
            add_scaled(A[i * n1 + a], x + a * n2, AX + i * n2, n2);
            A_adjoint[i * n1 + a] = dot(PB + i * n2, x + a * n2, n2);
        }
    fill(B_adjoint, 0, n2 * n2);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n2; j++)
            add_scaled(adjoint[i * n2 + j], AX + i * n2, B_adjoint + j * n2, n2);
}

static void kronecker_activate(const struct problem *p, const real *theta, const real *q, const real *q_adjoint,
                               real *theta_adjoint, real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    int64_t L2 = n1 * (n1 + 1) / 2, D1 = L2 + n2 * (n2 + 1) / 2, D2 = D1 + n1;
    (void)q;
    kronecker_factor_gradient(n1, (real)p->s, theta, theta + D1, q_adjoint, theta_adjoint, theta_adjoint + D1, scratch);
    kronecker_factor_gradient(n2, 1, theta + L2, theta + D2, q_adjoint + n1 * n1, theta_adjoint + L2, theta_adjoint + D2, scratch);
}

/* ---- dense: q = I - theta --------------------------------------------------------------------------------------------------- */

static void dense_apply(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
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

static void dense_activate(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                           real *scratch)
{
    (void)theta, (void)q, (void)scratch;
    for (int64_t i = 0; i < p->d * p->d; i++)
        theta_adjoint[i] = -q_adjoint[i];
}

/* ---- none: Q = I ------------------------------------------------------------------------------------------------------------ */

static void none_apply(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint, real *q_adjoint,
                       real *scratch)
{
    (void)q, (void)x, (void)adjoint, (void)q_adjoint, (void)scratch;
    fill(x_adjoint, 0, p->d);
}

static void none_activate(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                          real *scratch)
{
    (void)p, (void)theta, (void)q, (void)q_adjoint, (void)theta_adjoint, (void)scratch;
}

// clang-format off
static const struct {
    int64_t (*scratch)(const struct problem *);
    void (*apply)(const struct problem *, const real *, const real *, const real *, real *, real *, real *);
    void (*activate)(const struct problem *, const real *, const real *, const real *, real *, real *);
} table[MIXER_COUNT] = {
    [MIXER_NONE]        = {no_scratch,           none_apply,        none_activate},
    [MIXER_DPLR]        = {no_scratch,           dplr_apply,        low_rank_activate},
    [MIXER_HOUSEHOLDER] = {no_scratch,           householder_apply, low_rank_activate},
    [MIXER_KRONECKER]   = {kronecker_scratch_of, kronecker_apply,   kronecker_activate},
    [MIXER_DENSE]       = {no_scratch,           dense_apply,       dense_activate},
};
// clang-format on

int64_t mixer_gradient_scratch(const struct problem *p)
{
    return table[p->mixer].scratch(p);
}

void mixer_apply_gradient(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                          real *q_adjoint, real *scratch)
{
    table[p->mixer].apply(p, q, x, adjoint, x_adjoint, q_adjoint, scratch);
}

void mixer_activate_gradient(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                             real *scratch)
{
    table[p->mixer].activate(p, theta, q, q_adjoint, theta_adjoint, scratch);
}
