/* 2^x of a vector of channels: what a decay exp(-dt A) is made of, with log2(e) taken into the rates beforehand, so that a decay costs one
 * product and this. x = n + f with |f| <= 1/2; 2^f by its minimax polynomial, relative error below 3e-9 and 2e-17; 2^n through its bits. */
#ifndef IMPLS_MATH_POWER_H
#define IMPLS_MATH_POWER_H

#include "impls/math/lanes.h"
#include "impls/math/vector.h"

#if REAL_BITS == 32
#define POWER_HIGHEST 128.0f
#define POWER_LOWEST (-127.0f)
#else
#define POWER_HIGHEST 1024.0
#define POWER_LOWEST (-1023.0)
#endif

/* 2^x within 2 units of rounding, exactly 1 of 0, for x from POWER_LOWEST + 1 to POWER_HIGHEST - 1/2; below that one it falls to 0 and
 * above this one it is infinity, where exp2() has a little way to go. NaN of NaN. */
static inline lanes lanes_power(lanes x)
{
    lanes inside = lanes_smaller((lanes){0} + POWER_HIGHEST, lanes_larger((lanes){0} + POWER_LOWEST, x));
    lanes shifted = inside + EXP_SHIFT, n = shifted - EXP_SHIFT, f = inside - n;
    lanes power = (lanes)(((lane_indices)shifted << REAL_FRACTION) + (lane_indices)((lanes){0} + 1));
#if REAL_BITS == 32
    lanes e = (lanes){0} + 0.00015594677015f;
    e = e * f + 0.0013406643847f;
    e = e * f + 0.0096176929762f;
    e = e * f + 0.0555031055121f;
    e = e * f + 0.2402265278288f;
    e = e * f + 0.6931472149679f;
#else
    lanes e = (lanes){0} + 4.0780717860928704e-10;
    e = e * f + 7.0725703945407994e-9;
    e = e * f + 1.0180647660573069e-7;
    e = e * f + 1.3215442675452855e-6;
    e = e * f + 1.5252727385189780e-5;
    e = e * f + 1.5403530441571850e-4;
    e = e * f + 1.3333558153439970e-3;
    e = e * f + 9.6181291076070026e-3;
    e = e * f + 5.5504108664790395e-2;
    e = e * f + 2.4022650695910098e-1;
    e = e * f + 6.9314718055994570e-1;
#endif
    e = e * f + 1;
    return e * power;
}

#endif
