/* Loops over the channels of one token. The simd pragmas let the compiler vectorise reductions without -ffast-math. */
#ifndef IMPLS_VECTOR_H
#define IMPLS_VECTOR_H

#include "impls/real.h"

#include <stdint.h>

/* sum_i x_i y_i */
static inline real dot(const real *x, const real *y, int64_t n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* sum_i w_i x_i y_i */
static inline real dot_weighted(const real *w, const real *x, const real *y, int64_t n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += w[i] * x[i] * y[i];
    return sum;
}

/* y += a x */
static inline void add_scaled(real a, const real *x, real *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static inline void fill(real *y, real value, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = value;
}

/* max_i |x_i|, NaN ignored */
static inline real max_abs(const real *x, int64_t n)
{
    real most = 0;
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < n; i++) {
        real a = real_abs(x[i]);
        most = a > most ? a : most;
    }
    return most;
}

#endif
