/* See textbook.h. */
#include "bench/problems/textbook.h"

#include "bench/problems/textbook_selective.h"

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

static double inner(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
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
            K[i * n + j] = inner(L + i * n, L + j * n, n);
    for (int64_t i = 0; i < n; i++)
        w[i] = 1 / sqrt((double)n);
    for (int step = 0; step < 16; step++) {
        for (int64_t i = 0; i < n; i++)
            next[i] = inner(K + i * n, w, n);
        double norm = sqrt(inner(next, next, n));
        for (int64_t i = 0; i < n && norm != 0; i++)
            w[i] = next[i] / norm;
    }
    double sigma = 0;
    for (int64_t i = 0; i < n; i++)
        sigma += w[i] * inner(K + i * n, w, n);
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
        double norm = sqrt(inner(q + i * d, q + i * d, d));
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
        double c = p->s * q[r * d + i] * inner(q + i * d, x, d);
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
        double c = p->s * q[r * d + i] * inner(q + i * d, y, d);
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
                y[i * n2 + j] -= p->s * D1[i] * K1[i * n1 + a] * D2[j] * inner(K2 + j * n2, x + a * n2, n2);
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
            K[i * n + j] = inner(U + i * n, U + j * n, n);
        double norm = sqrt(inner(K + i * n, K + i * n, n));
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
                y[i * n2 + j] -= p->s * D1[a] * K1[a * n1 + i] * D2[j] * inner(K2 + j * n2, x + a * n2, n2);
}

/* ---- dense: Q; none ---------------------------------------------------------------------------------------------------------- */

static void keep(const struct problem *p, const double *theta, double *q)
{
    memcpy(q, theta, (size_t)problem_m(p) * sizeof *q);
}

static void mix_dense(const struct problem *p, const double *q, const double *x, double *y)
{
    for (int64_t i = 0; i < p->d; i++)
        y[i] = inner(q + i * p->d, x, p->d);
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
    double scale = p->feedback == FEEDBACK_RMS ? 1 / sqrt(inner(before, before, p->d) / (double)p->d + 1e-6) : 1;
    for (int64_t k = 0; k < m; k++)
        raw[k] = theta[k] + (p->feedback != FEEDBACK_NONE ? scale * inner(W + k * p->d, before, p->d) : 0);
}

/* Q x of a channel, where (I - Q) x is multiplied with its number. */
static double mixed(const double *mixing, int64_t c, double x, double Qx)
{
    return mixing == NULL ? Qx : x - (x - Qx) * mixing[c];
}

/* What an application works with: room for all of them is taken once. */
struct work_room {
    double *q;    /* parameters of one token, and scratch beside them */
    double *all;  /* of all tokens, where they depend on no state; NULL: one token's as it comes */
    double *zero; /* (d), or the state (d,N): an initial state */
};

/* One application; with activated parameters of all tokens at hand, or activating each token into q as it comes. */
static void apply_vector(const struct problem *p, const struct inputs *inputs, const double *mixing, const struct work_room *room,
                         const double *h, double *next)
{
    int64_t d = p->d, m = problem_m(p), size = textbook_size(p);
    const double *v = inputs->v, *lambda = inputs->lambda;
    const double *initial = inputs->h0 != NULL ? inputs->h0 : room->zero;
    double *raw = room->q + size, *Qv = raw + m, *Qh = Qv + d;
    for (int64_t t = 0; t < p->T; t++) {
        const double *params = room->all != NULL ? room->all + t * size : room->q;
        if (room->all == NULL) {
            textbook_parameters(p, inputs, t, t > 0 ? h + (t - 1) * d : initial, raw);
            textbook_activate(p, raw, room->q);
        }
        textbook_mix(p, params, v + t * d, Qv);
        textbook_mix(p, params, h + t * d, Qh);
        const double *before = t > 0 ? next + (t - 1) * d : initial;
        for (int64_t c = 0; c < d; c++) {
            double l = lambda[t * d + c], gate = p->form == FORM_NORMALISED ? 1 - l : 1;
            double x = v[t * d + c], y = h[t * d + c];
            next[t * d + c] =
                l * before[c] + gate * (mixed(mixing, t * d + c, x, Qv[c]) + (y - mixed(mixing, t * d + c, y, Qh[c])));
        }
    }
}

static int64_t vector_scratch(const struct problem *p)
{
    return textbook_size(p) + problem_m(p) + 2 * p->d;
}

/* One application of the matrix cell's map: a scan over the states, each token's parameters from the iterate's output before it. */
static void apply_selective(const struct problem *p, const struct inputs *inputs, const double *mixing,
                            const struct work_room *room, const double *y, double *next)
{
    int64_t d = p->d, size = d * p->N;
    struct selective_token token = textbook_selective_token(p, room->q);
    double *H = room->q + textbook_selective_scratch(p);
    const double *before = inputs->y0 != NULL ? inputs->y0 : room->zero;
    memcpy(H, inputs->H0 != NULL ? inputs->H0 : room->zero, (size_t)size * sizeof *H);
    for (int64_t t = 0; t < p->T; t++) {
        textbook_selective_begin(p, inputs, t, before, &token);
        textbook_selective_apply(p, inputs, mixing != NULL ? mixing + t * d : NULL, t, &token, H, y + t * d, next + t * d, H);
        before = y + t * d;
    }
}

static int64_t selective_scratch(const struct problem *p)
{
    return textbook_selective_scratch(p) + p->d * p->N;
}

// clang-format off
static const struct {
    void (*apply)(const struct problem *, const struct inputs *, const double *mixing, const struct work_room *, const double *h, double *next);
    int64_t (*scratch)(const struct problem *);
    bool keeps; /* parameters of all tokens where they read no state */
} maps[CELL_COUNT] = {
    [CELL_VECTOR]    = {apply_vector,    vector_scratch,    true},
    [CELL_SELECTIVE] = {apply_selective, selective_scratch, false},
};
// clang-format on

double textbook_residual(const struct problem *p, const double *h, const double *next)
{
    return textbook_residual_above(p, h, next, 0);
}

double textbook_residual_above(const struct problem *p, const double *h, const double *next, double tiny)
{
    double worst = 0;
    for (int64_t t = 0; t < p->T; t++) {
        double change = 0, size = 0;
        for (int64_t c = t * p->d; c < (t + 1) * p->d; c++) {
            change = fmax(change, fabs(next[c] - h[c]));
            size = fmax(size, fabs(next[c]));
        }
        worst = fmax(worst, change == 0 ? 0 : change / fmax(size, tiny));
    }
    return worst;
}

/* h <- damping f(h) + (1 - damping) h, l times; next (T,d) is scratch and holds the last f(h). */
static bool iterate(const struct problem *p, const struct inputs *inputs, const struct textbook_rounding *rounding, double damping,
                    int64_t l, double *h, double *next, double *residual)
{
    int64_t T = p->T, d = p->d, m = problem_m(p), size = textbook_size(p);
    bool ahead = maps[p->cell].keeps && p->feedback == FEEDBACK_NONE;
    struct work_room room = {.q = calloc((size_t)maps[p->cell].scratch(p), sizeof(double)),
                             .all = ahead ? calloc((size_t)(T * size + 1), sizeof(double)) : NULL,
                             .zero = calloc((size_t)(d * (p->N > 1 ? p->N : 1)), sizeof(double))};
    bool memory = room.zero != NULL && room.q != NULL && (room.all != NULL || !ahead);
    for (int64_t t = 0; memory && ahead && m > 0 && t < T; t++)
        textbook_activate(p, (const double *)inputs->theta + t * m, room.all + t * size);
    for (int64_t i = 0; memory && i < l; i++) {
        maps[p->cell].apply(p, inputs, rounding->mixing, &room, h, next);
        if (residual != NULL && i == l - 1)
            *residual = textbook_residual_above(p, h, next, rounding->tiny);
        for (int64_t k = 0; k < T * d; k++)
            h[k] = damping * next[k] + (1 - damping) * h[k];
    }
    free(room.zero);
    free(room.q);
    free(room.all);
    return memory;
}

static const struct textbook_rounding none = {NULL, 0};

bool textbook_apply(const struct problem *p, const struct inputs *inputs, const double *h, double *next)
{
    return textbook_apply_rounded(p, inputs, &none, h, next);
}

bool textbook_apply_rounded(const struct problem *p, const struct inputs *inputs, const struct textbook_rounding *rounding,
                            const double *h, double *next)
{
    double *same = malloc((size_t)(p->T * p->d) * sizeof *same);
    if (same == NULL)
        return false;
    memcpy(same, h, (size_t)(p->T * p->d) * sizeof *same);
    bool memory = iterate(p, inputs, rounding, 1, 1, same, next, NULL);
    free(same);
    return memory;
}

bool textbook_iterate(const struct problem *p, const struct inputs *inputs, double damping, int64_t l, double *h, double *residual)
{
    return textbook_iterate_rounded(p, inputs, &none, damping, l, h, residual);
}

bool textbook_iterate_rounded(const struct problem *p, const struct inputs *inputs, const struct textbook_rounding *rounding,
                              double damping, int64_t l, double *h, double *residual)
{
    double *next = calloc((size_t)(p->T * p->d), sizeof *next);
    if (next == NULL)
        return false;
    memset(h, 0, (size_t)(p->T * p->d) * sizeof *h);
    bool memory = iterate(p, inputs, rounding, damping, l, h, next, residual);
    free(next);
    return memory;
}

static const struct yardstick itself = {0, 0};

double distance_max_to(const double *a, const double *b, int64_t n, const struct yardstick *yardstick)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            return INFINITY;
        difference = fmax(difference, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return difference == 0 ? 0 : difference / (size > yardstick->tiny ? size : yardstick->scale);
}

double distance_l2_to(const double *a, const double *b, int64_t n, const struct yardstick *yardstick)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            return INFINITY;
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return difference == 0 ? 0 : sqrt(difference) / (sqrt(size) > yardstick->tiny ? sqrt(size) : yardstick->scale);
}

double distance_max(const double *a, const double *b, int64_t n)
{
    return distance_max_to(a, b, n, &itself);
}

double distance_l2(const double *a, const double *b, int64_t n)
{
    return distance_l2_to(a, b, n, &itself);
}

double norm_max(const double *a, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]))
            return INFINITY;
        most = fmax(most, fabs(a[i]));
    }
    return most;
}
