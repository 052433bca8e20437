/* See elimination.h. */
#include "bench/problems/elimination.h"

#include "bench/problems/textbook.h"
#include "bench/problems/textbook_mixer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double elimination_operations(const struct problem *p)
{
    double d = (double)p->d, m = (double)problem_m(p), mix = fmax(4 * m, 2 * d);
    return (double)p->T * (2 * d * d * d / 3 + d * mix + 2 * m * d);
}

bool elimination_of(int64_t n, double *M, double *x)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(M[i * n + k]) > fabs(M[pivot * n + k]))
                pivot = i;
        if (M[pivot * n + k] == 0)
            return false;
        for (int64_t j = k; j < n && pivot != k; j++) {
            double swap = M[k * n + j];
            M[k * n + j] = M[pivot * n + j];
            M[pivot * n + j] = swap;
        }
        double swap = x[k];
        x[k] = x[pivot];
        x[pivot] = swap;
        for (int64_t i = k + 1; i < n; i++) {
            double factor = M[i * n + k] / M[k * n + k];
            for (int64_t j = k + 1; j < n && factor != 0; j++)
                M[i * n + j] -= factor * M[k * n + j];
            x[i] -= factor * x[k];
        }
    }
    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t j = k + 1; j < n; j++)
            x[k] -= M[k * n + j] * x[j];
        x[k] /= M[k * n + k];
    }
    return true;
}

/* The system of token t, of x = h - v, which Q v has no part in: (I - G (I - Q)) x = Lambda (before - v); plain: Q x = Lambda before. */
static void write_down(const struct problem *p, const struct inputs *inputs, const double *mixing, int64_t t, const double *q,
                       const double *before, double *M, double *x, double *column)
{
    int64_t d = p->d;
    const double *v = (const double *)inputs->v + t * d, *lambda = (const double *)inputs->lambda + t * d;
    bool normalised = p->form == FORM_NORMALISED;
    for (int64_t c = 0; c < d; c++)
        x[c] = lambda[c] * (before[c] - (normalised ? v[c] : 0));
    for (int64_t j = 0; j < d; j++) {
        double *one = column + d;
        memset(one, 0, (size_t)d * sizeof *one);
        one[j] = 1;
        textbook_mix(p, q, one, column);
        for (int64_t c = 0; c < d; c++) {
            double Q = mixing != NULL ? (c == j) - ((c == j) - column[c]) * mixing[t * d + c] : column[c];
            M[c * d + j] = normalised ? (c == j ? lambda[c] : 0) + (1 - lambda[c]) * Q : Q;
        }
    }
}

struct status elimination_solve(const struct problem *p, const struct inputs *inputs, const double *mixing, double *h)
{
    int64_t d = p->d, m = problem_m(p);
    double *zero = calloc((size_t)(textbook_size(p) + m + d * d + 3 * d), sizeof *zero);
    struct status status = status_ok();
    if (zero == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory for the exact answer");
    double *column = zero + d, *M = column + 2 * d, *raw = M + d * d, *q = raw + m;
    const double *before = inputs->h0 != NULL ? inputs->h0 : zero;
    for (int64_t t = 0; t < p->T && status.code == STATUS_OK; t++, before = h, h += d) {
        textbook_parameters(p, inputs, t, before, raw);
        textbook_activate(p, raw, q);
        write_down(p, inputs, mixing, t, q, before, M, h, column);
        bool regular = elimination_of(d, M, h);
        for (int64_t c = 0; c < d; c++)
            h[c] += ((const double *)inputs->v)[t * d + c];
        if (!regular)
            status = status_at(STATUS_SINGULAR, 0, t, "the %s matrix of this step is singular",
                               p->form == FORM_NORMALISED ? "I - G (I - Q)" : "Q");
        else if (!isfinite(norm_max(h, d)))
            status = status_at(STATUS_DIVERGED, 0, t, "the state is not finite");
    }
    free(zero);
    return status;
}
