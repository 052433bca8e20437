/* See textbook_delta.h. */
#include "bench/problems/textbook_delta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double inner(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

void textbook_delta_run(const struct problem *p, const struct inputs *inputs, double *H, double *y)
{
    const int64_t d = p->d, N = p->N, heads = p->heads, r = p->r;
    const double *q = inputs->q, *k = inputs->k, *v = inputs->v, *beta = inputs->beta, *g = inputs->g;
    for (int64_t t = 0; t < p->T; t++)
        for (int64_t channel = 0; channel < d; channel++) {
            const int64_t head = channel / (d / heads);
            double *state = H + channel * N;
            const double kept = g != NULL ? exp(g[t * heads + head]) : 1;
            for (int64_t n = 0; n < N; n++)
                state[n] *= kept;
            for (int64_t j = 0; j < r; j++) {
                const int64_t step = t * r + j;
                const double *key = k + (step * heads + head) * N;
                const double error = v[step * d + channel] - inner(state, key, N);
                for (int64_t n = 0; n < N; n++)
                    state[n] += beta[step * heads + head] * error * key[n];
            }
            y[t * d + channel] = inner(state, q + (t * heads + head) * N, N) / sqrt((double)N);
        }
}

struct status textbook_delta_solve(const struct problem *p, const struct inputs *inputs, const double *mixing, double *y)
{
    const size_t size = (size_t)(p->d * p->N);
    double *H = calloc(size, sizeof *H);
    (void)mixing;
    if (H == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory");
    if (inputs->H0 != NULL)
        memcpy(H, inputs->H0, size * sizeof *H);
    textbook_delta_run(p, inputs, H, y);
    free(H);
    for (int64_t i = 0; i < p->T * p->d; i++)
        if (!isfinite(y[i]))
            return status_at(STATUS_DIVERGED, 0, i / p->d, "the output is not finite");
    return status_ok();
}

double textbook_delta_operations(const struct problem *p)
{
    return (double)p->T * (double)p->d * (double)p->N * (4 * (double)p->r + 3);
}
