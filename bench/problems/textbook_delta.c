/* See textbook_delta.h. */
#include "bench/problems/textbook_delta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t textbook_delta_scratch(const struct problem *p)
{
    return (p->N + 1) * (p->d / p->heads);
}

/* out = the sum over n of by_n S_n, S_n a row of so many channels. */
static void read_state(int64_t N, int64_t channels, const double *S, const double *by, double *out)
{
    for (int64_t c = 0; c < channels; c++)
        out[c] = 0;
    for (int64_t n = 0; n < N; n++)
        for (int64_t c = 0; c < channels; c++)
            out[c] += S[n * channels + c] * by[n];
}

/* Token t of a head: S (N, channels) holds its states, `change` (channels) what a step writes. */
static void advance(const struct problem *p, const struct inputs *inputs, int64_t t, int64_t head, double *S, double *change,
                    double *y)
{
    const int64_t N = p->N, heads = p->heads, channels = p->d / heads, first = head * channels;
    const double *q = inputs->q, *k = inputs->k, *v = inputs->v, *beta = inputs->beta, *g = inputs->g;
    const double kept = g != NULL ? exp(g[t * heads + head]) : 1;
    for (int64_t i = 0; i < N * channels; i++)
        S[i] *= kept;
    for (int64_t step = t * p->r; step < (t + 1) * p->r; step++) {
        const double *key = k + (step * heads + head) * N;
        read_state(N, channels, S, key, change);
        for (int64_t c = 0; c < channels; c++)
            change[c] = beta[step * heads + head] * (v[step * p->d + first + c] - change[c]);
        for (int64_t n = 0; n < N; n++)
            for (int64_t c = 0; c < channels; c++)
                S[n * channels + c] += change[c] * key[n];
    }
    read_state(N, channels, S, q + (t * heads + head) * N, y + t * p->d + first);
    for (int64_t c = 0; c < channels; c++)
        y[t * p->d + first + c] /= sqrt((double)N);
}

/* The channels of a head are innermost, so that one instruction takes several of them: H is turned on its side for that. */
void textbook_delta_run(const struct problem *p, const struct inputs *inputs, double *H, double *scratch, double *y)
{
    const int64_t N = p->N, channels = p->d / p->heads;
    double *S = scratch, *change = scratch + N * channels;
    for (int64_t head = 0; head < p->heads; head++) {
        double *of_head = H + head * channels * N;
        for (int64_t i = 0; i < N * channels; i++)
            S[i % N * channels + i / N] = of_head[i];
        for (int64_t t = 0; t < p->T; t++)
            advance(p, inputs, t, head, S, change, y);
        for (int64_t i = 0; i < N * channels; i++)
            of_head[i] = S[i % N * channels + i / N];
    }
}

struct status textbook_delta_solve(const struct problem *p, const struct inputs *inputs, const double *mixing, double *y)
{
    const size_t size = (size_t)(p->d * p->N);
    double *H = calloc(size + (size_t)textbook_delta_scratch(p), sizeof *H);
    (void)mixing;
    if (H == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory");
    if (inputs->H0 != NULL)
        memcpy(H, inputs->H0, size * sizeof *H);
    textbook_delta_run(p, inputs, H, H + size, y);
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
