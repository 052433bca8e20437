/* See token_equation.h. */
#include "bench/problems/token_equation.h"

#include "bench/problems/textbook_mixer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORM_EPSILON 1e-5 /* of the LayerNorm's variance */
#define AT_REST 1e-12     /* relative change of a step that ends an iteration */

static double inner(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

bool token_equation_possible(const struct problem *p)
{
    return p->cell == CELL_SELECTIVE && (p->mixer == MIXER_DPLR || p->mixer == MIXER_HOUSEHOLDER) &&
           (p->norm == NORM_OUTPUT || p->norm == NORM_BOTH);
}

int64_t token_equation_scratch(const struct problem *p)
{
    return (p->r + 2) * p->d + 2 * p->r * p->r + 3 * p->r;
}

/* E (r,r). dplr: Q = I - s sum_i alpha_i u_i u_i^T, so E = diag(s alpha). householder: the i-th factor takes c_i u_i off with
 * c_i = s alpha_i (u_i . x - sum_{j < i} c_j u_i . u_j), so E = (I + S tril(U^T U, -1))^{-1} S. */
static void core(const struct problem *p, const double *q, double *E)
{
    int64_t r = p->r, d = p->d;
    memset(E, 0, (size_t)(r * r) * sizeof *E);
    for (int64_t i = 0; i < r; i++) {
        double strength = p->s * q[r * d + i];
        E[i * r + i] = strength;
        for (int64_t j = 0; j < i && p->mixer == MIXER_HOUSEHOLDER; j++) {
            double overlap = strength * inner(q + i * d, q + j * d, d);
            for (int64_t k = 0; k <= j; k++)
                E[i * r + k] -= overlap * E[j * r + k];
        }
    }
}

static void take_mean_off(int64_t n, double *x)
{
    double mean = 0;
    for (int64_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        x[i] -= mean;
}

/* out (r) = E U^T w, out not w. */
static void project(const struct token_equation *e, const double *w, double *out)
{
    memset(out, 0, (size_t)e->r * sizeof *out);
    for (int64_t j = 0; j < e->r; j++) {
        double product = inner(e->U + j * e->d, w, e->d);
        for (int64_t i = 0; i < e->r; i++)
            out[i] += e->E[i * e->r + j] * product;
    }
}

struct token_equation token_equation_make(const struct problem *p, const struct inputs *inputs, int64_t t,
                                          const struct selective_token *token, const double *H, double *scratch)
{
    int64_t d = p->d, r = p->r, N = p->N;
    const double *A = inputs->A, *skip = inputs->skip;
    struct token_equation e = {
        .d = d, .r = r, .x = (const double *)inputs->x + t * d, .gain = inputs->gain, .bias = inputs->bias, .U = token->q};
    e.V = scratch;
    e.p = e.V + r * d;
    e.w = e.p + d;
    e.E = e.w + d;
    e.A = e.E + r * r;
    e.e1 = e.A + r * r;
    e.e2 = e.e1 + r;
    e.next = e.e2 + r;
    core(p, token->q, e.E);
    double bc = inner(token->b, token->c, N);
    for (int64_t i = 0; i < d; i++) {
        double base = 0, sigma = token->gate[i] * (token->dt[i] * bc + skip[i]);
        for (int64_t n = 0; n < N; n++)
            base += exp(-token->dt[i] * A[i * N + n]) * H[i * N + n] * token->c[n];
        e.p[i] = token->gate[i] * base + sigma * e.x[i];
        for (int64_t k = 0; k < r; k++)
            e.V[k * d + i] = sigma * e.U[k * d + i];
    }
    take_mean_off(d, e.p);
    for (int64_t k = 0; k < r; k++)
        take_mean_off(d, e.V + k * d);
    for (int64_t k = 0; k < r; k++) { /* column k of A = E U^T (gain . Vc) */
        for (int64_t i = 0; i < d; i++)
            e.w[i] = e.gain[i] * e.V[k * d + i];
        project(&e, e.w, e.e1);
        for (int64_t i = 0; i < r; i++)
            e.A[i * r + k] = e.e1[i];
    }
    for (int64_t i = 0; i < d; i++)
        e.w[i] = e.gain[i] * e.p[i];
    project(&e, e.w, e.e2);
    for (int64_t i = 0; i < d; i++)
        e.w[i] = e.x[i] - e.bias[i];
    project(&e, e.w, e.e1);
    return e;
}

void token_equation_of(const struct token_equation *e, const double *y, double *g)
{
    for (int64_t i = 0; i < e->d; i++)
        e->w[i] = e->x[i] - (y != NULL ? y[i] : 0);
    project(e, e->w, g);
}

/* w <- pc - Vc g; returns sd(g). From the channels themselves, so that nothing cancels where sd is small. */
static double deviate(const struct token_equation *e, const double *g)
{
    memcpy(e->w, e->p, (size_t)e->d * sizeof *e->w);
    for (int64_t k = 0; k < e->r; k++)
        for (int64_t i = 0; i < e->d; i++)
            e->w[i] -= e->V[k * e->d + i] * g[k];
    return sqrt(inner(e->w, e->w, e->d) / (double)e->d + NORM_EPSILON);
}

double token_equation_output(const struct token_equation *e, const double *g, double *y)
{
    double sd = deviate(e, g);
    for (int64_t i = 0; i < e->d; i++)
        y[i] = e->gain[i] * e->w[i] / sd + e->bias[i];
    return sd;
}

double token_equation_step(const struct token_equation *e, const double *g, double *next)
{
    double sd = deviate(e, g);
    for (int64_t i = 0; i < e->r; i++)
        next[i] = e->e1[i] - (e->e2[i] - inner(e->A + i * e->r, g, e->r)) / sd;
    return sd;
}

void token_equation_slope(const struct token_equation *e, const double *g, double *slope)
{
    int64_t r = e->r;
    double sd = deviate(e, g);
    for (int64_t i = 0; i < r; i++) {
        double pushed = (e->e2[i] - inner(e->A + i * r, g, r)) / sd; /* E U^T (gain . yh) */
        for (int64_t k = 0; k < r; k++)
            slope[i * r + k] = (e->A[i * r + k] - pushed * inner(e->V + k * e->d, e->w, e->d) / (sd * (double)e->d)) / sd;
    }
}

int64_t token_equation_iterate(const struct token_equation *e, int64_t most, double *g)
{
    size_t bytes = (size_t)e->r * sizeof *g;
    token_equation_of(e, NULL, g);
    for (int64_t l = 1; l <= most; l++) {
        double size = 0, change = 0;
        token_equation_step(e, g, e->next);
        for (int64_t i = 0; i < e->r; i++) {
            size = fmax(size, fabs(e->next[i]));
            change = fmax(change, fabs(e->next[i] - g[i]));
        }
        memcpy(g, e->next, bytes);
        if (change <= AT_REST * size)
            return l;
    }
    return 0;
}
