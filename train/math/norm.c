/* See operators.h. With x' = x less its mean (RMSNorm: x), s = 1 / sqrt(mean x'^2 + 1e-6), n = s x' and g = gain dy:
 *     dx = s (g - mean g - n mean(g n))      (RMSNorm: without mean g) */
#include "train/math/operators.h"

#include "impls/math/vector.h"

#include <stddef.h>

#define NORM_EPSILON ((real)1e-6)

void norm_forward(int threads, int64_t N, int64_t d, const real *x, const real *gain, const real *bias, real *kept, real *y)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t n = 0; n < N; n++) {
        const real *from = x + n * d;
        real *to = y + n * d, mean = 0, square = 0;
        if (bias != NULL) {
#pragma omp simd reduction(+ : mean)
            for (int64_t c = 0; c < d; c++)
                mean += from[c];
            mean /= (real)d;
        }
#pragma omp simd reduction(+ : square)
        for (int64_t c = 0; c < d; c++)
            square += (from[c] - mean) * (from[c] - mean);
        real scale = 1 / real_sqrt(square / (real)d + NORM_EPSILON);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            to[c] = (from[c] - mean) * scale * gain[c];
        if (bias != NULL)
            add_scaled(1, bias, to, d);
        kept[2 * n] = mean;
        kept[2 * n + 1] = scale;
    }
}

void norm_backward(int threads, int64_t N, int64_t d, const real *x, const real *gain, const real *kept, real *dy, bool add,
                   real *dx, real *dgain, real *dbias)
{
    if (dbias != NULL)
        columns_sum(threads, N, d, d, dy, dbias);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t n = 0; n < N; n++) {
        const real *from = x + n * d;
        real *given = dy + n * d, *to = dx + n * d, mean = kept[2 * n], scale = kept[2 * n + 1], sum = 0, along = 0;
#pragma omp simd reduction(+ : sum, along)
        for (int64_t c = 0; c < d; c++) {
            real g = gain[c] * given[c];
            sum += g;
            along += g * (from[c] - mean);
        }
        sum = dbias != NULL ? sum / (real)d : 0;
        along *= scale * scale / (real)d;
#pragma omp simd
        for (int64_t c = 0; c < d; c++) {
            real centred = from[c] - mean, slope = scale * (gain[c] * given[c] - sum - along * centred);
            to[c] = add ? to[c] + slope : slope;
            given[c] *= centred * scale;
        }
    }
    columns_sum(threads, N, d, d, dy, dgain);
}
