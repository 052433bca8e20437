/* See textbook_mixer.h. */
#include "bench/problems/textbook_mixer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double sigmoid(double x)
{
    return isfinite(x) ? 1 / (1 + exp(-x)) : NAN;
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

double textbook_inner(const double *x, const double *y, int64_t n)
{
    enum { PARTS = 8 };
    double part[PARTS] = {0}, sum = 0;
    int64_t whole = n - n % PARTS;
    for (int64_t i = 0; i < whole; i += PARTS)
        for (int64_t k = 0; k < PARTS; k++)
            part[k] += x[i + k] * y[i + k];
    for (int64_t i = whole; i < n; i++)
        sum += x[i] * y[i];
    for (int64_t k = 0; k < PARTS; k++)
        sum += part[k];
    return sum;
}

/* K (n,n) = L L^T / (sigma + 1e-6), sigma = w^T L L^T w after 16 normalised power steps from ones / sqrt(n). */
static bool kronecker_factor(int64_t n, const double *raw, double *K)
{
    double *L = calloc((size_t)(n * n + 2 * n), sizeof *L);
    if (L == NULL)
        return false;
    double *w = L + n * n, *next = w + n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            L[i * n + j] = silu(*raw++);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            K[i * n + j] = textbook_inner(L + i * n, L + j * n, n);
    for (int64_t i = 0; i < n; i++)
        w[i] = 1 / sqrt((double)n);
    for (int step = 0; step < 16; step++) {
        for (int64_t i = 0; i < n; i++)
            next[i] = textbook_inner(K + i * n, w, n);
        double norm = sqrt(textbook_inner(next, next, n));
        for (int64_t i = 0; i < n && norm != 0; i++)
            w[i] = next[i] / norm;
    }
    double sigma = 0;
    for (int64_t i = 0; i < n; i++)
        sigma += w[i] * textbook_inner(K + i * n, w, n);
    for (int64_t i = 0; i < n * n; i++)
        K[i] /= sigma + 1e-6;
    free(L);
    return true;
}

/* ---- dplr, householder: u_i (d) each, then alpha (r) ------------------------------------------------------------------------- */

static void activate_vectors(const struct problem *p, const double *theta, double *q)
{
    int64_t d = p->d;
    for (int64_t i = 0; i < p->r; i++) {
        for (int64_t c = 0; c < d; c++)
            q[i * d + c] = silu(theta[i * d + c]);
        double norm = sqrt(textbook_inner(q + i * d, q + i * d, d));
        for (int64_t c = 0; c < d; c++)
            q[i * d + c] /= norm < 1e-5 ? 1e-5 : norm;
        q[p->r * d + i] = sigmoid(theta[p->r * d + i]);
    }
}

/* Q = I - s sum_i alpha_i u_i u_i^T */
static void mix_dplr(const struct problem *p, const double *q, const double *x, double *y)
{
    int64_t d = p->d, r = p->r;
    for (int64_t i = 0; i < r; i++) {
        double c = p->s * q[r * d + i] * textbook_inner(q + i * d, x, d);
        for (int64_t k = 0; k < d; k++)
            y[k] -= c * q[i * d + k];
    }
}

/* Q = H_{r-1} ... H_0, H_i = I - s alpha_i u_i u_i^T */
static void mix_householder(const struct problem *p, const double *q, const double *x, double *y)
{
    int64_t d = p->d, r = p->r;
    (void)x;
    for (int64_t i = 0; i < r; i++) {
        double c = p->s * q[r * d + i] * textbook_inner(q + i * d, y, d);
        for (int64_t k = 0; k < d; k++)
            y[k] -= c * q[i * d + k];
    }
}

/* ---- kronecker: K1, K2, D1, D2 ----------------------------------------------------------------------------------------------- */

static int64_t kronecker_size(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    return n1 * n1 + n2 * n2 + n1 + n2;
}

static void activate_kronecker(const struct problem *p, const double *theta, double *q)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const double *L2 = theta + n1 * (n1 + 1) / 2, *D = L2 + n2 * (n2 + 1) / 2;
    if (!kronecker_factor(n1, theta, q) || !kronecker_factor(n2, L2, q + n1 * n1))
        q[0] = NAN; /* out of memory: shows as a state that is not finite */
    for (int64_t i = 0; i < n1 + n2; i++)
        q[n1 * n1 + n2 * n2 + i] = sigmoid(D[i]);
}

/* (Q x)[i,j] = x[i,j] - s sum_ab (D1 K1)[i,a] (D2 K2)[j,b] x[a,b] */
static void mix_kronecker(const struct problem *p, const double *q, const double *x, double *y)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const double *K1 = q, *K2 = K1 + n1 * n1, *D1 = K2 + n2 * n2, *D2 = D1 + n1;
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++)
            for (int64_t j = 0; j < n2; j++)
                y[i * n2 + j] -= p->s * D1[i] * K1[i * n1 + a] * D2[j] * textbook_inner(K2 + j * n2, x + a * n2, n2);
}

/* ---- kronecker_rows: K1, K2, D1, D2 ------------------------------------------------------------------------------------------ */

/* K (n,n): the rows of U U^T over their norms, or over 1e-5 where that is more. */
static bool row_factor(int64_t n, const double *raw, double *K)
{
    double *U = calloc((size_t)(n * n), sizeof *U);
    if (U == NULL)
        return false;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i; j < n; j++)
            U[i * n + j] = silu(*raw++);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            K[i * n + j] = textbook_inner(U + i * n, U + j * n, n);
        double norm = sqrt(textbook_inner(K + i * n, K + i * n, n));
        for (int64_t j = 0; j < n; j++)
            K[i * n + j] /= norm < 1e-5 ? 1e-5 : norm;
    }
    free(U);
    return true;
}

static void activate_kronecker_rows(const struct problem *p, const double *theta, double *q)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const double *U2 = theta + n1 * (n1 + 1) / 2, *D = U2 + n2 * (n2 + 1) / 2;
    if (!row_factor(n1, theta, q) || !row_factor(n2, U2, q + n1 * n1))
        q[0] = NAN; /* out of memory: shows as a state that is not finite */
    for (int64_t i = 0; i < n1 + n2; i++)
        q[n1 * n1 + n2 * n2 + i] = sigmoid(D[i]);
}

/* (Q x)[i,j] = x[i,j] - s sum_ab (D1 K1)[a,i] (D2 K2)[j,b] x[a,b] */
static void mix_kronecker_rows(const struct problem *p, const double *q, const double *x, double *y)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const double *K1 = q, *K2 = K1 + n1 * n1, *D1 = K2 + n2 * n2, *D2 = D1 + n1;
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++)
            for (int64_t j = 0; j < n2; j++)
                y[i * n2 + j] -= p->s * D1[a] * K1[a * n1 + i] * D2[j] * textbook_inner(K2 + j * n2, x + a * n2, n2);
}

/* ---- dense: Q; none ---------------------------------------------------------------------------------------------------------- */

static void keep(const struct problem *p, const double *theta, double *q)
{
    memcpy(q, theta, (size_t)problem_m(p) * sizeof *q);
}

static void mix_dense(const struct problem *p, const double *q, const double *x, double *y)
{
    for (int64_t i = 0; i < p->d; i++)
        y[i] = textbook_inner(q + i * p->d, x, p->d);
}

static void mix_none(const struct problem *p, const double *q, const double *x, double *y)
{
    (void)p, (void)q, (void)x, (void)y;
}

/* ---- All mixers -------------------------------------------------------------------------------------------------------------- */

// clang-format off
static const struct {
    void (*activate)(const struct problem *, const double *theta, double *q);
    void (*mix)(const struct problem *, const double *q, const double *x, double *y); /* y = x before, Q x after */
    int64_t (*size)(const struct problem *);                                          /* of q; NULL: m */
} definitions[MIXER_COUNT] = {
    [MIXER_NONE]           = {keep,                    mix_none,           NULL},
    [MIXER_DPLR]           = {activate_vectors,        mix_dplr,           NULL},
    [MIXER_HOUSEHOLDER]    = {activate_vectors,        mix_householder,    NULL},
    [MIXER_KRONECKER]      = {activate_kronecker,      mix_kronecker,      kronecker_size},
    [MIXER_DENSE]          = {keep,                    mix_dense,          NULL},
    [MIXER_KRONECKER_ROWS] = {activate_kronecker_rows, mix_kronecker_rows, kronecker_size},
};
// clang-format on

int64_t textbook_size(const struct problem *p)
{
    return definitions[p->mixer].size != NULL ? definitions[p->mixer].size(p) : problem_m(p);
}

void textbook_activate(const struct problem *p, const double *theta, double *q)
{
    definitions[p->mixer].activate(p, theta, q);
}

void textbook_mix(const struct problem *p, const double *q, const double *x, double *y)
{
    memcpy(y, x, (size_t)p->d * sizeof *y);
    definitions[p->mixer].mix(p, q, x, y);
}

void textbook_parameters(const struct problem *p, const struct inputs *inputs, int64_t t, const double *before, double *raw)
{
    int64_t m = problem_m(p);
    const double *theta = m > 0 ? (const double *)inputs->theta + t * m : NULL, *W = inputs->W;
    double scale = p->feedback == FEEDBACK_RMS ? 1 / sqrt(textbook_inner(before, before, p->d) / (double)p->d + 1e-6) : 1;
    for (int64_t k = 0; k < m; k++)
        raw[k] = theta[k] + (p->feedback != FEEDBACK_NONE ? scale * textbook_inner(W + k * p->d, before, p->d) : 0);
}
