/* See operators.h. A token gives to the WIDTH tokens that begin with it, within its own sequence. */
#include "train/math/operators.h"

#include "impls/math/vector.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void convolution_forward(int threads, int64_t B, int64_t T, int64_t d, const real *x, const real *w, const real *bias, real *y)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t n = 0; n < B * T; n++) {
        real *to = y + n * d;
        int64_t taps = least(n % T + 1, CONVOLUTION_WIDTH);
        if (bias != NULL)
            memcpy(to, bias, (size_t)d * sizeof(real));
        else
            fill(to, 0, d);
        for (int64_t k = 0; k < taps; k++) {
            const real *from = x + (n - k) * d, *tap = w + k * d;
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                to[c] += tap[c] * from[c];
        }
    }
}

void convolution_backward(int threads, int64_t B, int64_t T, int64_t d, const real *x, const real *w, const real *dy, real *dx,
                          real *dw, real *dbias)
{
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static) nowait
        for (int64_t n = 0; n < B * T; n++) {
            real *to = dx + n * d;
            int64_t taps = least(T - n % T, CONVOLUTION_WIDTH);
            memset(to, 0, (size_t)d * sizeof(real));
            for (int64_t k = 0; k < taps; k++) {
                const real *given = dy + (n + k) * d, *tap = w + k * d;
#pragma omp simd
                for (int64_t c = 0; c < d; c++)
                    to[c] += tap[c] * given[c];
            }
        }
        /* each thread sums some channels over all tokens, in their order */
#pragma omp for schedule(static, 1)
        for (int i = 0; i < threads; i++) {
            int64_t from = d * i / threads, to = d * (i + 1) / threads;
            for (int64_t k = 0; k < CONVOLUTION_WIDTH; k++)
                memset(dw + k * d + from, 0, (size_t)(to - from) * sizeof(real));
            for (int64_t n = 0; n < B * T; n++) {
                int64_t taps = least(n % T + 1, CONVOLUTION_WIDTH);
                for (int64_t k = 0; k < taps; k++) {
                    const real *other = x + (n - k) * d, *given = dy + n * d;
                    real *sum = dw + k * d;
#pragma omp simd
                    for (int64_t c = from; c < to; c++)
                        sum[c] += given[c] * other[c];
                }
            }
        }
    }
    if (dbias != NULL)
        columns_sum(threads, B * T, d, d, dy, dbias);
}
