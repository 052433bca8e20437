/* Single numbers of arrays whose dtype is known only when a test runs. */
#ifndef TESTS_SUPPORT_NUMBERS_H
#define TESTS_SUPPORT_NUMBERS_H

#include "impls/impl.h"

static inline double get(const void *x, enum dtype dtype, int64_t i)
{
    return dtype == DTYPE_FLOAT32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static inline void put(void *x, enum dtype dtype, int64_t i, double value)
{
    if (dtype == DTYPE_FLOAT32)
        ((float *)x)[i] = (float)value;
    else
        ((double *)x)[i] = value;
}

#endif
