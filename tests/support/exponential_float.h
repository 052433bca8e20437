/* exponential() of impls/math/vector.h and lanes_power() of power.h in float32. */
#ifndef TESTS_SUPPORT_EXPONENTIAL_FLOAT_H
#define TESTS_SUPPORT_EXPONENTIAL_FLOAT_H

float exponential_float(float x);
float power_float(float x);

#endif
