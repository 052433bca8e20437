/* The mixer kronecker_rows: a Kronecker product as the code that was released with the paper has it in FP-Mamba, its factors normalised row
 * by row.
 *
 *     I - Q = s (D1 K1)^T x (D2 K2),   K_i. = C_i. / max(||C_i.||, 1e-5),   C = U U^T,   U the upper triangle of SiLU(raw), row by row
 *
 * Raw parameters: U1, U2, then D1 (n1) and D2 (n2) before their sigmoid. q (factored.h): A = s (D1 K1)^T, B = D2 K2. */
#include "impls/math/activation.h"
#include "impls/math/factored.h"
#include "impls/math/mixer.h"
#include "impls/math/mixer_row.h"

/* Where the raw parameters of a token lie, and the sizes of the factors. */
struct layout {
    int64_t n1, n2, U2, D1, D2;
};

static struct layout layout_of(const struct problem *p)
{
    struct layout at;
    kronecker_sizes(p->d, &at.n1, &at.n2);
    at.U2 = at.n1 * (at.n1 + 1) / 2;
    at.D1 = at.U2 + at.n2 * (at.n2 + 1) / 2;
    at.D2 = at.D1 + at.n1;
    return at;
}

/* U and C of the larger factor, n2 >= n1: more than the d reals of factored_apply(). */
static int64_t scratch(const struct problem *p)
{
    int64_t n2 = layout_of(p).n2;
    return 2 * n2 * n2;
}

/* And the adjoint of C: more than 2 d reals. */
static int64_t gradient_scratch(const struct problem *p)
{
    int64_t n2 = layout_of(p).n2;
    return 3 * n2 * n2;
}

/* U (n,n) and C (n,n) = U U^T. */
static void square(int64_t n, const real *raw, real *U, real *C)
{
    fill(U, 0, n * n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i; j < n; j++)
            U[i * n + j] = silu(*raw++);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            C[i * n + j] = C[j * n + i] = dot(U + i * n + i, U + j * n + i, n - i);
}

/* out (n,n) = scale D K, or its transpose. */
static void factor(int64_t n, real scale, const real *raw, const real *strength, bool transposed, real *out, real *scratch)
{
    real *U = scratch, *C = scratch + n * n;
    square(n, raw, U, C);
    for (int64_t i = 0; i < n; i++) {
        real row = scale * sigmoid(strength[i]) * norm_inverse(dot(C + i * n, C + i * n, n));
        for (int64_t j = 0; j < n; j++)
            out[transposed ? j * n + i : i * n + j] = C[i * n + j] * row;
    }
}

static void activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    struct layout at = layout_of(p);
    factor(at.n1, (real)p->s, theta, theta + at.D1, true, q, scratch);
    factor(at.n2, 1, theta + at.U2, theta + at.D2, false, q + at.n1 * at.n1, scratch);
}

/* The adjoints of raw and strength from the adjoint (n,n) of factor()'s. */
static void factor_gradient(int64_t n, real scale, const real *raw, const real *strength, bool transposed, const real *adjoint,
                            real *raw_adjoint, real *strength_adjoint, real *scratch)
{
    real *U = scratch, *C = U + n * n, *C_adjoint = C + n * n;
    square(n, raw, U, C);
    for (int64_t i = 0; i < n; i++) {
        const real *row = C + i * n;
        real *out = C_adjoint + i * n, norm = real_sqrt(dot(row, row, n)), inverse = 1 / (norm > NORM_LEAST ? norm : NORM_LEAST);
        for (int64_t j = 0; j < n; j++)
            out[j] = adjoint[transposed ? j * n + i : i * n + j];
        real along = dot(out, row, n) * inverse; /* with K_i. */
        strength_adjoint[i] = scale * along * sigmoid_slope(strength[i]);
        if (norm <= NORM_LEAST) /* only scaled: nothing is projected out */
            along = 0;
        for (int64_t j = 0; j < n; j++)
            out[j] = scale * sigmoid(strength[i]) * inverse * (out[j] - along * row[j] * inverse);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i; j < n; j++, raw++) {
            real U_adjoint = 0; /* (C_adjoint + its transpose) U, from the diagonal on */
            for (int64_t a = 0; a <= j; a++)
                U_adjoint += (C_adjoint[i * n + a] + C_adjoint[a * n + i]) * U[a * n + j];
            *raw_adjoint++ = U_adjoint * silu_slope(*raw, 1 / (1 + exponential(-*raw)));
        }
}

static void activate_gradient(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                              real *scratch)
{
    struct layout at = layout_of(p);
    (void)q;
    factor_gradient(at.n1, (real)p->s, theta, theta + at.D1, true, q_adjoint, theta_adjoint, theta_adjoint + at.D1, scratch);
    factor_gradient(at.n2, 1, theta + at.U2, theta + at.D2, false, q_adjoint + at.n1 * at.n1, theta_adjoint + at.U2,
                    theta_adjoint + at.D2, scratch);
}

/* SiLU of U, U U^T, the norms of its rows, D K. */
static double activate_operations(const struct problem *p)
{
    struct layout at = layout_of(p);
    double n1 = (double)at.n1, n2 = (double)at.n2;
    return 5 * (n1 * n1 + n2 * n2) + (n1 * n1 * n1 + n2 * n2 * n2) / 3;
}

const struct mixer_row VARIANT(mixer_kronecker_rows) = {
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
