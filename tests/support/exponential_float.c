/* The float32 build of impls/math/vector.h and power.h, for the suite vector: a file of its own, since a file sees one dtype. */
#define REAL_BITS 32
#include "tests/support/exponential_float.h"

#include "impls/math/power.h"

float exponential_float(float x)
{
    return exponential(x);
}

float power_float(float x)
{
    return lanes_power((lanes){0} + x)[LANES - 1];
}
