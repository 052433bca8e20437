/* See operators.h. */
#include "train/math/operators.h"

#include "impls/math/vector.h"

void shift_forward(int threads, int64_t B, int64_t T, int64_t d, const real *y, real *before)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t b = 0; b < B; b++) {
        real *to = before + b * T * d;
        memset(to, 0, (size_t)d * sizeof(real));
        memcpy(to + d, y + b * T * d, (size_t)((T - 1) * d) * sizeof(real));
    }
}

void shift_backward(int threads, int64_t B, int64_t T, int64_t d, const real *d_before, real *dy)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t b = 0; b < B; b++)
        add_scaled(1, d_before + (b * T + 1) * d, dy + b * T * d, (T - 1) * d);
}
