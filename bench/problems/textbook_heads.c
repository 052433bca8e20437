/* See textbook_heads.h. */
#include "bench/problems/textbook_heads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_LEAST 1e-5 /* what a shorter vector counts as */
#define NORM_EPSILON 1e-5

static double inner(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* What the norm divides a vector of N states by. */
static double length(const struct problem *p, const double *x)
{
    return p->norm == NORM_BC || p->norm == NORM_BOTH ? fmax(sqrt(inner(x, x, p->N)), LENGTH_LEAST) : 1;
}

static void norm_row(const struct problem *p, const double *gain, double *w)
{
    const double root = sqrt(inner(w, w, p->d) / (double)p->d + NORM_EPSILON);
    for (int64_t channel = 0; channel < p->d; channel++)
        w[channel] *= gain[channel] / root;
}

void textbook_heads_run(const struct problem *p, const struct inputs *inputs, double *H, double *y)
{
    const int64_t d = p->d, N = p->N, heads = p->heads;
    const double *x = inputs->x, *dt = inputs->dt, *A = inputs->A, *skip = inputs->skip, *z = inputs->z;
    for (int64_t t = 0; t < p->T; t++, x += d, y += d) {
        const double *b = (const double *)inputs->b + t * N, *c = (const double *)inputs->c + t * N;
        const double b_length = length(p, b), c_length = length(p, c);
        for (int64_t channel = 0; channel < d; channel++) {
            const int64_t head = channel / (d / heads);
            const double step = dt[t * heads + head], kept = exp(-step * A[head]);
            double *state = H + channel * N;
            for (int64_t n = 0; n < N; n++)
                state[n] = kept * state[n] + step * x[channel] * b[n] / b_length;
            y[channel] = inner(state, c, N) / c_length + skip[head] * x[channel];
            if (p->gate == GATE_INSIDE)
                y[channel] *= z[t * d + channel] / (1 + exp(-z[t * d + channel]));
        }
        if (p->norm == NORM_OUTPUT || p->norm == NORM_BOTH)
            norm_row(p, inputs->gain, y);
    }
}

struct status textbook_heads_solve(const struct problem *p, const struct inputs *inputs, const double *mixing, double *y)
{
    const size_t size = (size_t)(p->d * p->N);
    double *H = calloc(size, sizeof *H);
    (void)mixing;
    if (H == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory");
    if (inputs->H0 != NULL)
        memcpy(H, inputs->H0, size * sizeof *H);
    textbook_heads_run(p, inputs, H, y);
    free(H);
    for (int64_t i = 0; i < p->T * p->d; i++)
        if (!isfinite(y[i]))
            return status_at(STATUS_DIVERGED, 0, i / p->d, "the output is not finite");
    return status_ok();
}

double textbook_heads_operations(const struct problem *p)
{
    return (double)p->T * (double)p->d * (6 * (double)p->N + 8);
}
