/* See complex_delta.h. */
#include "tests/support/complex_delta.h"

#include "tests/support/room.h"

#include <math.h>
#include <string.h>

typedef double complex number;

/* S (N,channels) <- M S, M (N,N); scratch (N). */
static void multiply(int64_t N, int64_t channels, const number *M, number *S, number *scratch)
{
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t n = 0; n < N; n++) {
            scratch[n] = 0;
            for (int64_t i = 0; i < N; i++)
                scratch[n] += M[n * N + i] * S[i * channels + c];
        }
        for (int64_t n = 0; n < N; n++)
            S[n * channels + c] = scratch[n];
    }
}

static void run_head(const struct problem *p, const struct complex_delta *in, enum delta_mistake mistake, int64_t head, number *y,
                     number *H)
{
    const int64_t N = p->N, r = p->r, heads = p->heads, channels = p->d / heads, first = head * channels;
    number *S = room(N * channels, sizeof *S), *M = room(N * N, sizeof *M), *scratch = room(N, sizeof *scratch);
    const number *g = in->tensor[TENSOR_G], *initial = in->tensor[TENSOR_MATRIX0];
    for (int64_t n = 0; n < N; n++)
        for (int64_t c = 0; c < channels; c++)
            S[n * channels + c] = initial[(first + c) * N + n];
    for (int64_t t = 0; t < p->T; t++) {
        for (int64_t j = 0; j < r; j++) {
            const int64_t step = t * r + (mistake == MISTAKE_ORDER ? r - 1 - j : j);
            const number *k = in->tensor[TENSOR_K] + (step * heads + (mistake == MISTAKE_HEAD ? 0 : head)) * N;
            const number *v = in->tensor[TENSOR_V] + step * p->d + first, beta = in->tensor[TENSOR_BETA][step * heads + head];
            const bool gated = g != NULL && (j == 0 || mistake == MISTAKE_GATE);
            const number kept = gated ? cexp((mistake == MISTAKE_FORGETS ? -1 : 1) * g[t * heads + head]) : 1;
            for (int64_t i = 0; i < N * N; i++) {
                const number erased = beta * k[i / N] * k[i % N];
                M[i] = kept * ((i / N == i % N) - (mistake == MISTAKE_ERASES ? -erased : erased));
            }
            multiply(N, channels, M, S, scratch);
            for (int64_t n = 0; n < N; n++)
                for (int64_t c = 0; c < channels; c++)
                    S[n * channels + c] += (mistake == MISTAKE_WRITES ? -1 : 1) * beta * k[n] * v[c];
        }
        const number *q = in->tensor[TENSOR_Q] + (t * heads + head) * N;
        for (int64_t c = 0; c < channels; c++) {
            number sum = 0;
            for (int64_t n = 0; n < N; n++)
                sum += S[n * channels + c] * q[n];
            y[t * p->d + first + c] = sum / (mistake == MISTAKE_SCALE ? 1 : sqrt((double)N));
        }
    }
    for (int64_t n = 0; n < N; n++)
        for (int64_t c = 0; c < channels; c++)
            H[(first + c) * N + n] = S[n * channels + c];
    free(S), free(M), free(scratch);
}

void complex_delta_run(const struct problem *p, const struct complex_delta *in, enum delta_mistake mistake, number *y, number *H)
{
    for (int64_t head = 0; head < p->heads; head++)
        run_head(p, in, mistake, head, y, H);
}
