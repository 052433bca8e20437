/* See operators.h. */
#include "train/math/operators.h"

#include <string.h>

void embedding_forward(int threads, int64_t N, int64_t d, const int32_t *token, const real *table, real *y)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t n = 0; n < N; n++)
        memcpy(y + n * d, table + token[n] * d, (size_t)d * sizeof(real));
}

/* Each thread sums some columns over all tokens, in their order. */
void embedding_backward(int threads, int64_t N, int64_t d, int64_t vocabulary, const int32_t *token, const real *dy, bool add,
                        real *dtable)
{
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int i = 0; i < threads; i++) {
        int64_t from = d * i / threads, to = d * (i + 1) / threads;
        for (int64_t k = 0; !add && k < vocabulary; k++)
            memset(dtable + k * d + from, 0, (size_t)(to - from) * sizeof(real));
        for (int64_t n = 0; n < N; n++) {
            real *row = dtable + token[n] * d;
#pragma omp simd
            for (int64_t c = from; c < to; c++)
                row[c] += dy[n * d + c];
        }
    }
}
