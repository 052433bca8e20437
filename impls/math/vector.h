/* Loops over the channels of one token. The simd pragmas let the compiler vectorise reductions without -ffast-math. */
#ifndef IMPLS_MATH_VECTOR_H
#define IMPLS_MATH_VECTOR_H

#include "impls/math/real.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if REAL_BITS == 32
typedef uint32_t real_bits;
#define REAL_FRACTION 23          /* bits of the fraction */
#define REAL_ONE_BITS 0x3F800000u /* of 1.0 */
#define EXP_SHIFT 0x1.8p23f       /* adding this rounds to an integer, in the low bits */
#define EXP_HIGHEST 88.3f
#define EXP_LOWEST (-87.3f)
#define LN2_HIGH 0x1.63p-1f /* with room for an exact product with the exponent */
#define LN2_LOW (-0x1.bd0106p-13f)
#else
typedef uint64_t real_bits;
#define REAL_FRACTION 52
#define REAL_ONE_BITS 0x3FF0000000000000u
#define EXP_SHIFT 0x1.8p52
#define EXP_HIGHEST 709.4
#define EXP_LOWEST (-708.3)
#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#endif
#define LOG2_E ((real)1.4426950408889634)

/* condition ? a : b without a branch: the compiler makes cases of one, and then does what follows, a division perhaps, for each. */
static inline real choose(bool condition, real a, real b)
{
    real_bits mask = -(real_bits)condition, bits_a, bits_b, bits;
    real chosen;
    memcpy(&bits_a, &a, sizeof bits_a);
    memcpy(&bits_b, &b, sizeof bits_b);
    bits = (bits_a & mask) | (bits_b & ~mask);
    memcpy(&chosen, &bits, sizeof chosen);
    return chosen;
}

/* e^x within 2 units of rounding for x between EXP_LOWEST and EXP_HIGHEST, and beyond them what it is there; as arithmetic that a loop
 * over channels is vectorised with: e^x = 2^n e^f with |f| <= ln 2 / 2, and e^f by its Taylor series. NaN stays NaN. */
static inline real exponential_within(real x)
{
    real inside = choose(x > EXP_HIGHEST, EXP_HIGHEST, choose(x < EXP_LOWEST, EXP_LOWEST, x));
    real shifted = inside * LOG2_E + EXP_SHIFT, n = shifted - EXP_SHIFT;
    real f = (inside - n * LN2_HIGH) - n * LN2_LOW;
#if REAL_BITS == 32
    real e = (real)1 / 5040;
#else
    real e = (real)1 / 6227020800;
    e = e * f + (real)1 / 479001600;
    e = e * f + (real)1 / 39916800;
    e = e * f + (real)1 / 3628800;
    e = e * f + (real)1 / 362880;
    e = e * f + (real)1 / 40320;
    e = e * f + (real)1 / 5040;
#endif
    e = e * f + (real)1 / 720;
    e = e * f + (real)1 / 120;
    e = e * f + (real)1 / 24;
    e = e * f + (real)1 / 6;
    e = e * f + (real)0.5;
    e = e * f + 1;
    e = e * f + 1;
    real_bits bits;
    real power;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << REAL_FRACTION) + REAL_ONE_BITS;
    memcpy(&power, &bits, sizeof power);
    return e * power;
}

/* The same; above EXP_HIGHEST infinity, below EXP_LOWEST 0, where exp() has a little way to go. */
static inline real exponential(real x)
{
    real result = exponential_within(x);
    return x > EXP_HIGHEST ? (real)INFINITY : x < EXP_LOWEST ? 0 : result;
}

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

/* y = a x */
static inline void set_scaled(real a, const real *x, real *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = a * x[i];
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
