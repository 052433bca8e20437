/* See spectrum.h. Low-rank mixers need r x r algebra only: with I - Q = U C U^T, C = F^{-1} S (impls/math/low_rank.h),
 *     the non-zero eigenvalues of G U C U^T are those of C U^T G U,
 *     ||X U^T||_2 with X = G U C is the root of the largest eigenvalue of (X^T X) (U^T U). */
#include "bench/problems/spectrum.h"

#include "bench/problems/lapack.h"
#include "bench/problems/token_equation.h"
#include "impls/math/feedback.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK's singular values, in its Fortran interface (see impls/math/blas.h). */
void dgesvd_(const char *left, const char *right, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *info, size_t, size_t);

/* LAPACK may run on and on with a NaN in it. */
static bool all_finite(int64_t n, const double *a)
{
    bool finite = true;
    for (int64_t i = 0; i < n; i++)
        finite = finite && isfinite(a[i]);
    return finite;
}

double spectrum_norm_2(int64_t size, double *matrix)
{
    int n = (int)size, one = 1, lwork = 8 * n, info;
    double *s = all_finite(size * size, matrix) ? malloc(9 * (size_t)n * sizeof *s) : NULL;
    if (s == NULL)
        return NAN;
    dgesvd_("N", "N", &n, &n, matrix, &n, s, NULL, &one, NULL, &one, s + n, &lwork, &info, 1, 1);
    double norm = info == 0 ? s[0] : NAN;
    free(s);
    return norm;
}

/* product (n,n) = a b */
static void multiply(int64_t n, const double *a, const double *b, double *product)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            product[i * n + j] = 0;
            for (int64_t k = 0; k < n; k++)
                product[i * n + j] += a[i * n + k] * b[k * n + j];
        }
}

/* C (r,r) = F^{-1} S, F unit lower triangular. */
static void low_rank_core(const struct problem *p, const double *q, const double *gram, double *C)
{
    int64_t r = p->r;
    const double *strength = q + r * p->d;
    for (int64_t j = 0; j < r; j++)
        for (int64_t i = 0; i < r; i++) {
            C[i * r + j] = i == j ? strength[i] : 0;
            for (int64_t k = 0; k < i && mixer_facts[p->mixer].product; k++)
                C[i * r + j] -= strength[i] * gram[i * r + k] * C[k * r + j];
        }
}

/* out (r,r) = U^T diag(w) U */
static void weighted_gram(const struct problem *p, const double *q, const double *w, double *out)
{
    int64_t r = p->r, d = p->d;
    for (int64_t i = 0; i < r; i++)
        for (int64_t j = 0; j <= i; j++)
            out[i * r + j] = out[j * r + i] = dot_weighted(w, q + i * d, q + j * d, d);
}

/* ||diag(g) U C U^T||_2, squares (d) = g^2. memory: 3 r^2. */
static double low_rank_norm(const struct problem *p, const double *q, const double *squares, const double *gram, const double *C,
                            double *memory)
{
    int64_t r = p->r;
    double *a = memory, *b = a + r * r, *transposed = b + r * r;
    for (int64_t i = 0; i < r; i++)
        for (int64_t j = 0; j < r; j++)
            transposed[i * r + j] = C[j * r + i];
    weighted_gram(p, q, squares, a);
    multiply(r, a, C, b);
    multiply(r, transposed, b, a);
    multiply(r, a, gram, b);
    return sqrt(lapack_radius(r, b));
}

/* Spectral radius of diag(g) U C U^T. memory: 2 r^2. */
static double low_rank_radius(const struct problem *p, const double *q, const double *g, const double *C, double *memory)
{
    int64_t r = p->r;
    double *a = memory, *b = a + r * r;
    weighted_gram(p, q, g, a);
    multiply(r, C, a, b);
    return lapack_radius(r, b);
}

static double norm_inf(int64_t d, const double *matrix)
{
    double most = 0;
    for (int64_t i = 0; i < d; i++) {
        double sum = 0;
        for (int64_t j = 0; j < d; j++)
            sum += fabs(matrix[j * d + i]);
        most = fmax(most, sum);
    }
    return most;
}

bool spectrum_token(const struct problem *p, const double *theta, const double *lambda, bool with_rho, struct spectrum *out)
{
    int64_t d = p->d, r = p->r, size = mixer_size(p);
    bool low_rank = problem_low_rank(p), materialise = d <= SPECTRUM_WIDTH;
    *out = (struct spectrum){NAN, NAN, NAN, NAN};
    if (p->mixer == MIXER_NONE) {
        *out = (struct spectrum){0, 0, 0, 0};
        return true;
    }
    double *memory = malloc((size_t)(size + 2 * d + mixer_scratch(p) + 2 * d * d * materialise + 7 * r * r) * sizeof *memory);
    if (memory == NULL)
        return false;
    double *q = memory, *gate = q + size, *ones = gate + d, *scratch = ones + d, *matrix = scratch + mixer_scratch(p);
    double *copy = matrix + d * d * materialise, *gram = copy + d * d * materialise, *C = gram + r * r, *rest = C + r * r;
    for (int64_t c = 0; c < d; c++) {
        gate[c] = p->form == FORM_NORMALISED ? 1 - lambda[c] : 1;
        ones[c] = 1;
    }
    mixer_activate(p, theta, q, scratch);
    if (materialise) {
        mixer_matrix(p, q, matrix, scratch);
        out->norm_inf = norm_inf(d, matrix);
    }
    if (low_rank) {
        for (int64_t i = 0; i < r; i++)
            for (int64_t j = 0; j < r; j++)
                gram[i * r + j] = dot(q + i * d, q + j * d, d);
        low_rank_core(p, q, gram, C);
        out->norm = low_rank_norm(p, q, ones, gram, C, rest);
        for (int64_t c = 0; c < d; c++)
            ones[c] = gate[c] * gate[c];
        out->kappa = low_rank_norm(p, q, ones, gram, C, rest);
        out->rho = low_rank_radius(p, q, gate, C, rest);
    } else if (materialise) {
        memcpy(copy, matrix, (size_t)(d * d) * sizeof *copy);
        out->norm = spectrum_norm_2(d, copy);
        for (int64_t j = 0; j < d; j++)
            for (int64_t i = 0; i < d; i++)
                matrix[j * d + i] *= gate[i];
        memcpy(copy, matrix, (size_t)(d * d) * sizeof *copy);
        out->kappa = spectrum_norm_2(d, copy);
        out->rho = with_rho ? lapack_radius(d, matrix) : NAN;
    }
    free(memory);
    return true;
}

double spectrum_larger(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

/* rho of the selective cell: the largest spectral radius of a token's own map at the outputs y (T,d), whose eigenvalues that are not 0 are
 * those of the slope of its equation in r numbers. What the states of other tokens add to the Jacobian of the iteration lies below its
 * diagonal, so that this is the asymptotic rate there, too. */
static bool selective_sequence(const struct problem *p, const struct inputs *inputs, const double *y, struct spectrum *out)
{
    int64_t d = p->d, r = p->r, size = d * p->N;
    if (!token_equation_possible(p))
        return true;
    double *memory =
        calloc((size_t)(textbook_selective_scratch(p) + token_equation_scratch(p) + size + 2 * d + r * r + r), sizeof *memory);
    if (memory == NULL)
        return false;
    struct selective_token token = textbook_selective_token(p, memory);
    double *room = memory + textbook_selective_scratch(p), *H = room + token_equation_scratch(p), *zero = H + size,
           *next = zero + d, *slope = next + d, *g = slope + r * r;
    const double *before = inputs->y0 != NULL ? inputs->y0 : zero;
    if (inputs->H0 != NULL)
        memcpy(H, inputs->H0, (size_t)size * sizeof *H);
    out->rho = 0;
    for (int64_t t = 0; t < p->T; before = y + t * d, t++) {
        textbook_selective_begin(p, inputs, t, before, &token);
        const struct token_equation equation = token_equation_make(p, inputs, t, &token, H, room);
        token_equation_of(&equation, y + t * d, g);
        token_equation_slope(&equation, g, slope);
        out->rho = spectrum_larger(out->rho, lapack_radius(r, slope));
        textbook_selective_apply(p, inputs, NULL, t, &token, H, y + t * d, next, H);
    }
    free(memory);
    return true;
}

bool spectrum_sequence(const struct problem *p, const struct inputs *inputs, const double *h, struct spectrum *out)
{
    int64_t m = problem_m(p), d = p->d;
    const double *theta = inputs->theta, *lambda = inputs->lambda, *W = inputs->W;
    *out = (struct spectrum){NAN, NAN, NAN, NAN};
    if (p->cell == CELL_SELECTIVE)
        return selective_sequence(p, inputs, h, out);
    if (p->cell != CELL_VECTOR) /* no iteration, no rate */
        return true;
    double *raw = malloc((size_t)(m + d + 1) * sizeof *raw);
    if (raw == NULL)
        return false;
    double *zero = raw + m;
    fill(zero, 0, d);
    *out = (struct spectrum){0, 0, 0, 0};
    bool memory = true;
    for (int64_t t = 0; t < p->T && memory; t++) {
        const double *token = m > 0 ? theta + t * m : NULL;
        if (p->feedback != FEEDBACK_NONE) {
            const double *before = t > 0 ? h + (t - 1) * d : inputs->h0 != NULL ? inputs->h0 : zero;
            double scale = feedback_scale(p, before);
            for (int64_t k = 0; k < m; k++)
                raw[k] = token[k] + scale * dot(W + k * d, before, d);
            token = raw;
        }
        struct spectrum one;
        memory = spectrum_token(p, token, lambda + t * d, true, &one);
        out->rho = spectrum_larger(out->rho, one.rho);
        out->kappa = spectrum_larger(out->kappa, one.kappa);
        out->norm = spectrum_larger(out->norm, one.norm);
        out->norm_inf = spectrum_larger(out->norm_inf, one.norm_inf);
    }
    free(raw);
    return memory;
}
