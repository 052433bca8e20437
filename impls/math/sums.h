/* Sums over the channels of a row. What a compiler makes of a loop with a reduction (vector.h) ends with the lanes one after the other,
 * and whatever waits for the sum waits for as many additions: here they are folded, and two sums run beside each other. */
#ifndef IMPLS_MATH_SUMS_H
#define IMPLS_MATH_SUMS_H

#include "impls/math/lanes.h"

/* The sum of all lanes. */
static inline __attribute__((always_inline)) real lanes_sum(lanes a)
{
    lanes same[LANES];
    for (int i = 0; i < LANES; i++)
        same[i] = a;
    return lanes_sums(same)[0];
}

/* sum_i x_i y_i */
static inline real row_dot(const real *x, const real *y, int64_t n)
{
    lanes sum[2] = {{0}, {0}};
    real rest = 0;
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sum[0] += lanes_load(x + i) * lanes_load(y + i);
        sum[1] += lanes_load(x + i + LANES) * lanes_load(y + i + LANES);
    }
    for (; i + LANES <= n; i += LANES)
        sum[0] += lanes_load(x + i) * lanes_load(y + i);
    for (; i < n; i++)
        rest += x[i] * y[i];
    return lanes_sum(sum[0] + sum[1]) + rest;
}

/* sum_i x_i */
static inline real row_sum(const real *x, int64_t n)
{
    lanes sum[2] = {{0}, {0}};
    real rest = 0;
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sum[0] += lanes_load(x + i);
        sum[1] += lanes_load(x + i + LANES);
    }
    for (; i + LANES <= n; i += LANES)
        sum[0] += lanes_load(x + i);
    for (; i < n; i++)
        rest += x[i];
    return lanes_sum(sum[0] + sum[1]) + rest;
}

/* sum_i (x_i - mean)^2 */
static inline real row_squares(const real *x, real mean, int64_t n)
{
    lanes sum[2] = {{0}, {0}};
    real rest = 0;
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        const lanes a = lanes_load(x + i) - mean, b = lanes_load(x + i + LANES) - mean;
        sum[0] += a * a;
        sum[1] += b * b;
    }
    for (; i + LANES <= n; i += LANES) {
        const lanes a = lanes_load(x + i) - mean;
        sum[0] += a * a;
    }
    for (; i < n; i++)
        rest += (x[i] - mean) * (x[i] - mean);
    return lanes_sum(sum[0] + sum[1]) + rest;
}

#endif
