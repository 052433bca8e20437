/* See complex_map.h. */
#include "tests/support/complex_map.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

typedef double complex number;

static number *room(int64_t n)
{
    number *x = calloc((size_t)n + 1, sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

static number sigmoid(number x)
{
    return 1 / (1 + cexp(-x));
}

static number silu(number x)
{
    return x * sigmoid(x);
}

/* Without conjugates: the sums are those of real numbers, continued. */
static number inner(const number *x, const number *y, int64_t n)
{
    number sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static number at_least(number x, double least)
{
    return creal(x) > least ? x : least;
}

/* ---- (I - Q) of each mixer: y (d) = (I - Q) x, from raw parameters --------------------------------------------------------------- */

static void dplr_or_householder(const struct problem *p, const number *theta, const number *x, number *y)
{
    int64_t d = p->d;
    number *u = room(d), *rest = room(d); /* of x, after the factors so far */
    for (int64_t c = 0; c < d; c++)
        rest[c] = x[c], y[c] = 0;
    for (int64_t i = 0; i < p->r; i++) {
        for (int64_t c = 0; c < d; c++)
            u[c] = silu(theta[i * d + c]);
        number norm = at_least(csqrt(inner(u, u, d)), 1e-5), alpha = p->s * sigmoid(theta[p->r * d + i]);
        for (int64_t c = 0; c < d; c++)
            u[c] /= norm;
        number along = alpha * inner(u, p->mixer == MIXER_HOUSEHOLDER ? rest : x, d);
        for (int64_t c = 0; c < d; c++) {
            y[c] += along * u[c];
            rest[c] -= along * u[c];
        }
    }
    free(u), free(rest);
}

/* K (n,n) of either Kronecker mixer from a triangle, row by row; *raw moves on. */
static void factor(enum mixer mixer, int64_t n, const number **raw, number *K)
{
    number *triangle = room(n * n), *w = room(n), *next = room(n);
    bool rows = mixer == MIXER_KRONECKER_ROWS;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = rows ? i : 0; j < (rows ? n : i + 1); j++)
            triangle[i * n + j] = silu(*(*raw)++);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            K[i * n + j] = inner(triangle + i * n, triangle + j * n, n);
    for (int64_t i = 0; rows && i < n; i++) {
        number norm = at_least(csqrt(inner(K + i * n, K + i * n, n)), 1e-5);
        for (int64_t j = 0; j < n; j++)
            K[i * n + j] /= norm;
    }
    for (int64_t i = 0; i < n; i++)
        w[i] = 1 / sqrt((double)n);
    for (int step = 0; !rows && step < 17; step++) { /* the last is the product of sigma */
        for (int64_t i = 0; i < n; i++)
            next[i] = inner(K + i * n, w, n);
        number norm = csqrt(inner(next, next, n));
        for (int64_t i = 0; step < 16 && i < n; i++)
            w[i] = next[i] / norm;
    }
    number sigma = inner(w, next, n) + 1e-6;
    for (int64_t i = 0; !rows && i < n * n; i++)
        K[i] /= sigma;
    free(triangle), free(w), free(next);
}

static void kronecker(const struct problem *p, const number *theta, const number *x, number *y)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    number *K1 = room(n1 * n1), *K2 = room(n2 * n2);
    factor(p->mixer, n1, &theta, K1);
    factor(p->mixer, n2, &theta, K2);
    const number *D1 = theta, *D2 = theta + n1;
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n2; j++) {
            y[i * n2 + j] = 0;
            for (int64_t a = 0; a < n1; a++)
                for (int64_t b = 0; b < n2; b++) {
                    number first =
                        p->mixer == MIXER_KRONECKER_ROWS ? sigmoid(D1[a]) * K1[a * n1 + i] : sigmoid(D1[i]) * K1[i * n1 + a];
                    y[i * n2 + j] += p->s * first * sigmoid(D2[j]) * K2[j * n2 + b] * x[a * n2 + b];
                }
        }
    free(K1), free(K2);
}

void complex_mixed(const struct problem *p, const number *theta, const number *x, number *y)
{
    int64_t d = p->d;
    for (int64_t c = 0; c < d; c++)
        y[c] = p->mixer == MIXER_DENSE ? x[c] - inner(theta + c * d, x, d) : 0;
    if (p->mixer == MIXER_DPLR || p->mixer == MIXER_HOUSEHOLDER)
        dplr_or_householder(p, theta, x, y);
    else if (p->mixer == MIXER_KRONECKER || p->mixer == MIXER_KRONECKER_ROWS)
        kronecker(p, theta, x, y);
}

/* ---- The map and its fixed point --------------------------------------------------------------------------------------------------- */

/* theta (m) = theta_t + W k(before) */
static void parameters(const struct problem *p, const struct complex_inputs *inputs, int64_t t, const number *before, number *theta)
{
    int64_t m = problem_m(p), d = p->d;
    number scale = p->feedback == FEEDBACK_RMS ? 1 / csqrt(inner(before, before, d) / (double)d + 1e-6) : 1;
    for (int64_t k = 0; k < m; k++)
        theta[k] = inputs->theta[t * m + k] + (inputs->W != NULL ? scale * inner(inputs->W + k * d, before, d) : 0);
}

void complex_apply(const struct problem *p, const struct complex_inputs *inputs, const number *h, number *next)
{
    int64_t d = p->d;
    number *theta = room(problem_m(p)), *x = room(d), *y = room(d);
    for (int64_t t = 0; t < p->T; t++) {
        const number *v = inputs->v + t * d, *lambda = inputs->lambda + t * d;
        parameters(p, inputs, t, t > 0 ? h + (t - 1) * d : inputs->h0, theta);
        for (int64_t c = 0; c < d; c++)
            x[c] = h[t * d + c] - v[c];
        complex_mixed(p, theta, x, y);
        for (int64_t c = 0; c < d; c++) {
            number gate = p->form == FORM_NORMALISED ? 1 - lambda[c] : 1, before = t > 0 ? next[(t - 1) * d + c] : inputs->h0[c];
            next[t * d + c] = lambda[c] * before + gate * (v[c] + y[c]);
        }
    }
    free(theta), free(x), free(y);
}

void complex_solve(int64_t d, number *M, number *x)
{
    for (int64_t k = 0; k < d; k++) {
        int64_t pivot = k;
        for (int64_t i = k; i < d; i++)
            pivot = cabs(M[i * d + k]) > cabs(M[pivot * d + k]) ? i : pivot;
        for (int64_t j = 0; j < d; j++) {
            number swap = M[k * d + j];
            M[k * d + j] = M[pivot * d + j];
            M[pivot * d + j] = swap;
        }
        number swap = x[k];
        x[k] = x[pivot];
        x[pivot] = swap;
        for (int64_t i = k + 1; i < d; i++) {
            number by = M[i * d + k] / M[k * d + k];
            for (int64_t j = k; j < d; j++)
                M[i * d + j] -= by * M[k * d + j];
            x[i] -= by * x[k];
        }
    }
    for (int64_t i = d - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < d; j++)
            x[i] -= M[i * d + j] * x[j];
        x[i] /= M[i * d + i];
    }
}

/* h_t = v + M^-1 Lambda (h_{t-1} - v), M = I - G (I - Q); plain: without the inner v, and G = I. */
void complex_exact(const struct problem *p, const struct complex_inputs *inputs, number *h)
{
    int64_t d = p->d;
    number *theta = room(problem_m(p)), *unit = room(d), *column = room(d), *M = room(d * d);
    bool normalised = p->form == FORM_NORMALISED;
    for (int64_t t = 0; t < p->T; t++) {
        const number *v = inputs->v + t * d, *lambda = inputs->lambda + t * d, *before = t > 0 ? h + (t - 1) * d : inputs->h0;
        parameters(p, inputs, t, before, theta);
        for (int64_t j = 0; j < d; j++) {
            unit[j] = 1;
            complex_mixed(p, theta, unit, column);
            unit[j] = 0;
            for (int64_t i = 0; i < d; i++)
                M[i * d + j] = (i == j) - (normalised ? 1 - lambda[i] : 1) * column[i];
        }
        number *x = h + t * d;
        for (int64_t c = 0; c < d; c++)
            x[c] = lambda[c] * (before[c] - (normalised ? v[c] : 0));
        complex_solve(d, M, x);
        for (int64_t c = 0; c < d; c++)
            x[c] += v[c];
    }
    free(theta), free(unit), free(column), free(M);
}
