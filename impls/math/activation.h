/* SiLU and sigmoid, and their slopes: what raw mixer parameters go through. Loops over them are vectorised. */
#ifndef IMPLS_MATH_ACTIVATION_H
#define IMPLS_MATH_ACTIVATION_H

#include "impls/math/vector.h"

/* 1 / (1 + e^-a). Of an infinite value it would be a harmless 0 or 1: (a - a) turns it into NaN, which shows. */
static inline real sigmoid(real a)
{
    return 1 / (1 + exponential(-a)) + (a - a);
}

/* The derivative of sigmoid, without the cancellation of 1 - sigmoid(a). */
static inline real sigmoid_slope(real a)
{
    real e = exponential(-real_abs(a));
    return e / ((1 + e) * (1 + e));
}

/* x / (1 + e^-x), also where e^-x is infinite: of -1e38 it is 0. */
static inline real silu(real x)
{
    return x / (1 + exponential(-x));
}

/* The derivative of silu at x, from s = 1 / (1 + e^-x). */
static inline real silu_slope(real x, real s)
{
    return s * (1 + x * (1 - s));
}

#endif
