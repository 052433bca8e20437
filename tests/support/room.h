/* Memory of zeros that ends the test where there is none; freed with free(). */
#ifndef TESTS_SUPPORT_ROOM_H
#define TESTS_SUPPORT_ROOM_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>

static inline void *room(int64_t n, size_t size)
{
    void *memory = calloc((size_t)n + 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static inline double *doubles(int64_t n)
{
    return (double *)room(n, sizeof(double));
}

#endif
