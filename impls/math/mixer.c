/* See mixer.h. A mixer is a row of the table at the end: size, scratch, activation, application. */
#include "impls/math/mixer.h"

#include "impls/math/activation.h"
#include "impls/math/kronecker.h"

/* ---- dplr and householder: r vectors u = normalise(SiLU(raw)) and r strengths s alpha = s sigmoid(a) ----------------------- */

static int64_t low_rank_size(const struct problem *p)
{
    return p->r * (p->d + 1);
}

static int64_t no_scratch(const struct problem *p)
{
    (void)p;
    return 0;
}

static void low_rank_activate(const struct problem *p, const real *theta, real *q, real *scratch)
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

/* sum_i s alpha_i u_i (u_i . x) */
static void dplr_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    int64_t r = p->r, d = p->d;
    (void)scratch;
    set_scaled(q[r * d] * dot(q, x, d), q, y, d);
    for (int64_t i = 1; i < r; i++)
        add_scaled(q[r * d + i] * dot(q + i * d, x, d), q + i * d, y, d);
}

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

/* ---- kronecker: I - Q = s (D1 K1) x (D2 K2) -------------------------------------------------------------------------------- */

static int64_t kronecker_size(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    return n1 * n1 + n2 * n2;
}

static int64_t kronecker_scratch_of(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    int64_t activation = kronecker_scratch(n2); /* n2 >= n1 */
    return activation > p->d ? activation : p->d;
}

static void kronecker_activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const real *L1 = theta, *L2 = L1 + n1 * (n1 + 1) / 2, *D1 = L2 + n2 * (n2 + 1) / 2, *D2 = D1 + n1;
    kronecker_factor(n1, (real)p->s, L1, D1, q, scratch);
    kronecker_factor(n2, 1, L2, D2, q + n1 * n1, scratch);
}

/* y = A X B^T with x read as X (n1,n2) */
static void kronecker_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const real *A = q, *B = q + n1 * n1;
    fill(scratch, 0, p->d);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++)
            add_scaled(A[i * n1 + a], x + a * n2, scratch + i * n2, n2);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n2; j++)
            y[i * n2 + j] = dot(B + j * n2, scratch + i * n2, n2);
}

/* ---- dense: theta is Q itself ---------------------------------------------------------------------------------------------- */

static int64_t dense_size(const struct problem *p)
{
    return p->d * p->d;
}

static void dense_activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    (void)scratch;
    for (int64_t i = 0; i < p->d; i++)
        for (int64_t j = 0; j < p->d; j++)
            q[i * p->d + j] = (real)(i == j) - theta[i * p->d + j];
}

static void dense_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    (void)scratch;
    for (int64_t i = 0; i < p->d; i++)
        y[i] = dot(q + i * p->d, x, p->d);
}

/* ---- none: Q = I ----------------------------------------------------------------------------------------------------------- */

static int64_t none_size(const struct problem *p)
{
    (void)p;
    return 0;
}

static void none_activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    (void)p, (void)theta, (void)q, (void)scratch;
}

static void none_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    (void)q, (void)x, (void)scratch;
    fill(y, 0, p->d);
}

// clang-format off
static const struct {
    int64_t (*size)(const struct problem *);
    int64_t (*scratch)(const struct problem *);
    void (*activate)(const struct problem *, const real *, real *, real *);
    void (*apply)(const struct problem *, const real *, const real *, real *, real *);
} table[MIXER_COUNT] = {
    [MIXER_NONE]        = {none_size,      no_scratch,        none_activate,      none_apply},
    [MIXER_DPLR]        = {low_rank_size,  no_scratch,        low_rank_activate,  dplr_apply},
    [MIXER_HOUSEHOLDER] = {low_rank_size,  no_scratch,        low_rank_activate,  householder_apply},
    [MIXER_KRONECKER]   = {kronecker_size, kronecker_scratch_of, kronecker_activate, kronecker_apply},
    [MIXER_DENSE]       = {dense_size,     no_scratch,        dense_activate,     dense_apply},
};
// clang-format on

int64_t mixer_size(const struct problem *p)
{
    return table[p->mixer].size(p);
}

int64_t mixer_scratch(const struct problem *p)
{
    return p->d + table[p->mixer].scratch(p); /* d for the unit vectors of mixer_matrix */
}

void mixer_activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    table[p->mixer].activate(p, theta, q, scratch);
}

void mixer_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    table[p->mixer].apply(p, q, x, y, scratch);
}

void mixer_matrix(const struct problem *p, const real *q, real *matrix, real *scratch)
{
    real *unit = scratch;
    fill(unit, 0, p->d);
    for (int64_t j = 0; j < p->d; j++) {
        unit[j] = 1;
        mixer_apply(p, q, unit, matrix + j * p->d, scratch + p->d);
        unit[j] = 0;
    }
}

double mixer_activate_operations(const struct problem *p)
{
    int64_t n[2];
    double operations = 0;
    kronecker_sizes(p->d, &n[0], &n[1]);
    for (int i = 0; i < 2 && p->mixer == MIXER_KRONECKER; i++) { /* SiLU of L, L L^T, the power steps, D K */
        double size = (double)n[i];
        operations += 2 * size * size + size * size * size / 3 + (POWER_STEPS + 1) * 2 * size * size + size * size;
    }
    if (p->mixer == MIXER_DPLR || p->mixer == MIXER_HOUSEHOLDER) /* SiLU (4), squares (2), scaling (1) */
        operations = 7 * (double)(p->r * p->d);
    return p->mixer == MIXER_DENSE ? (double)(p->d * p->d) : operations;
}

double mixer_apply_operations(const struct problem *p)
{
    double r = (double)p->r, d = (double)p->d;
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const double operations[MIXER_COUNT] = {[MIXER_DPLR] = 4 * r * d,
                                            [MIXER_HOUSEHOLDER] = 6 * r * d,
                                            [MIXER_KRONECKER] = 2 * d * (double)(n1 + n2),
                                            [MIXER_DENSE] = 2 * d * d};
    return operations[p->mixer];
}
