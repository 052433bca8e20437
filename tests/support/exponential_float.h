/* exponential() of impls/math/vector.h in float32. */
#ifndef TESTS_SUPPORT_EXPONENTIAL_FLOAT_H
#define TESTS_SUPPORT_EXPONENTIAL_FLOAT_H

float exponential_float(float x);

#endif
