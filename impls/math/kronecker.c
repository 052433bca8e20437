/* See kronecker.h. */
#include "impls/math/kronecker.h"

#include "impls/math/activation.h"

#include <string.h>

/* What both directions need of one factor. */
struct factor {
    real *L, *C;  /* (n,n) each; C = L L^T */
    real *w;      /* (POWER_STEPS + 1, n): the vectors of the power steps */
    real *norm;   /* (POWER_STEPS) ||C w_k|| */
    real *rest;   /* scratch beyond all this */
    real *last;   /* the row of w that the steps ended with */
    int steps;    /* fewer when C w = 0 */
    real inverse; /* 1 / (sigma + 1e-6) */
};

int64_t kronecker_scratch(int64_t n)
{
    return 3 * n * n + (POWER_STEPS + 3) * n + POWER_STEPS;
}

static struct factor factor(int64_t n, const real *raw, real *scratch)
{
    struct factor f = {.L = scratch, .C = scratch + n * n, .w = scratch + 2 * n * n};
    f.norm = f.w + (POWER_STEPS + 1) * n;
    f.rest = f.norm + POWER_STEPS;
    for (int64_t i = 0, k = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            f.L[i * n + j] = j <= i ? silu(raw[k++]) : 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            f.C[i * n + j] = f.C[j * n + i] = dot(f.L + i * n, f.L + j * n, j + 1);

    f.last = f.w;
    fill(f.w, 1 / real_sqrt((real)n), n);
    while (f.steps < POWER_STEPS) {
        real *next = f.last + n;
        for (int64_t i = 0; i < n; i++)
            next[i] = dot(f.C + i * n, f.last, n);
        real norm = real_sqrt(dot(next, next, n));
        if (norm == 0) /* L = 0, or w in its kernel: w stays */
            break;
        for (int64_t i = 0; i < n; i++)
            next[i] /= norm;
        f.norm[f.steps++] = norm;
        f.last = next;
    }
    real sigma = 0;
    for (int64_t i = 0; i < n; i++)
        sigma += f.last[i] * dot(f.C + i * n, f.last, n);
    f.inverse = 1 / (sigma + (real)1e-6);
    return f;
}

void kronecker_factor(int64_t n, real scale, const real *raw, const real *strength, real *out, real *scratch)
{
    struct factor f = factor(n, raw, scratch);
    for (int64_t i = 0; i < n; i++) {
        real row = scale * sigmoid(strength[i]) * f.inverse;
        for (int64_t j = 0; j < n; j++)
            out[i * n + j] = f.C[i * n + j] * row;
    }
}

/* From the adjoint of sigma through the power steps, added to the adjoint of C (n,n). C is symmetric. */
static void power_gradient(int64_t n, const struct factor *f, real sigma_adjoint, real *C_adjoint, real *w_adjoint, real *w_next)
{
    for (int64_t i = 0; i < n; i++) {
        add_scaled(sigma_adjoint * f->last[i], f->last, C_adjoint + i * n, n);
        w_adjoint[i] = 2 * sigma_adjoint * dot(f->C + i * n, f->last, n);
    }
    for (int step = f->steps - 1; step >= 0; step--) { /* w_{k+1} = C w_k / ||C w_k|| */
        const real *before = f->w + step * n, *after = before + n;
        real along = dot(after, w_adjoint, n);
        for (int64_t i = 0; i < n; i++)
            w_next[i] = (w_adjoint[i] - along * after[i]) / f->norm[step];
        for (int64_t i = 0; i < n; i++) {
            add_scaled(w_next[i], before, C_adjoint + i * n, n);
            w_adjoint[i] = dot(f->C + i * n, w_next, n);
        }
    }
}

void kronecker_factor_gradient(int64_t n, real scale, const real *raw, const real *strength, const real *adjoint, real *raw_adjoint,
                               real *strength_adjoint, real *scratch)
{
    struct factor f = factor(n, raw, scratch);
    real *C_adjoint = f.rest, *vectors = C_adjoint + n * n, sigma_adjoint = 0;
    for (int64_t i = 0; i < n; i++) {
        real along = dot(adjoint + i * n, f.C + i * n, n) * scale * f.inverse, row = scale * sigmoid(strength[i]) * f.inverse;
        strength_adjoint[i] = along * sigmoid_slope(strength[i]);
        sigma_adjoint -= along * sigmoid(strength[i]) * f.inverse;
        for (int64_t j = 0; j < n; j++)
            C_adjoint[i * n + j] = row * adjoint[i * n + j];
    }
    power_gradient(n, &f, sigma_adjoint, C_adjoint, vectors, vectors + n);
    for (int64_t i = 0, k = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++, k++) {
            real L_adjoint = 0; /* (C_adjoint + its transpose) L, below the diagonal */
            for (int64_t a = j; a < n; a++)
                L_adjoint += (C_adjoint[i * n + a] + C_adjoint[a * n + i]) * f.L[a * n + j];
            raw_adjoint[k] = L_adjoint * silu_slope(raw[k], 1 / (1 + exponential(-raw[k])));
        }
}
