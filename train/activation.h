/* SiLU, sigmoid and tanh of one element, and their derivatives, written so that loops over them are vectorised at every instruction
 * level: exp(x) = 2^k exp(r) with |r| <= ln(2)/2, the second factor by its Taylor polynomial (relative error below 1e-7 and 1e-15). */
#ifndef TRAIN_ACTIVATION_H
#define TRAIN_ACTIVATION_H

#include "impls/real.h"

#include <stdint.h>
#include <string.h>

#if REAL_BITS == 32
typedef uint32_t real_pattern;
#define EXP_LOW -87
#define EXP_HIGH 88
#define EXP_ROUND 0x1.8p23F        /* adding it leaves k in the low bits ... */
#define EXP_ROUND_BITS 0x4b400000U /* ... of this pattern */
#define EXP_BIAS 127U
#define EXP_MANTISSA 23
#define LN2_HIGH 0x1.62e4p-1F
#define LN2_LOW 0x1.7f7d1cp-20F
#else
typedef uint64_t real_pattern;
#define EXP_LOW -708
#define EXP_HIGH 709
#define EXP_ROUND 0x1.8p52
#define EXP_ROUND_BITS 0x4338000000000000U
#define EXP_BIAS 1023U
#define EXP_MANTISSA 52
#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#endif

/* Held to exp(EXP_LOW) and exp(EXP_HIGH) beyond them; NaN stays NaN. */
static inline real fast_exp(real x)
{
    x = x < EXP_LOW ? EXP_LOW : x;
    x = x > EXP_HIGH ? EXP_HIGH : x;
    real shifted = x * (real)1.4426950408889634 + EXP_ROUND, k = shifted - EXP_ROUND;
    real r = x - k * LN2_HIGH - k * LN2_LOW, sum;
    real_pattern pattern;
    memcpy(&pattern, &shifted, sizeof pattern);
    pattern = (pattern - EXP_ROUND_BITS + EXP_BIAS) << EXP_MANTISSA;
#if REAL_BITS == 32
    sum = (real)(1.0 / 5040);
#else
    sum = (real)(1.0 / 6227020800);
    sum = sum * r + (real)(1.0 / 479001600);
    sum = sum * r + (real)(1.0 / 39916800);
    sum = sum * r + (real)(1.0 / 3628800);
    sum = sum * r + (real)(1.0 / 362880);
    sum = sum * r + (real)(1.0 / 40320);
    sum = sum * r + (real)(1.0 / 5040);
#endif
    sum = sum * r + (real)(1.0 / 720);
    sum = sum * r + (real)(1.0 / 120);
    sum = sum * r + (real)(1.0 / 24);
    sum = sum * r + (real)(1.0 / 6);
    sum = sum * r + (real)0.5;
    sum = sum * r + 1;
    sum = sum * r + 1;
    real power;
    memcpy(&power, &pattern, sizeof power);
    return sum * power;
}

static inline real sigmoid(real x)
{
    return 1 / (1 + fast_exp(-x));
}

static inline real silu(real x)
{
    return x * sigmoid(x);
}

static inline real silu_slope(real x)
{
    real s = sigmoid(x);
    return s * (1 + x * (1 - s));
}

static inline real fast_tanh(real x)
{
    return 2 * sigmoid(2 * x) - 1;
}

#endif
