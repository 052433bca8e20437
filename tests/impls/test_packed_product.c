/* The packed product of the fused passes, of every build, against sums written out: panels of one to four vectors, whole and cut, and every
 * number of rows that is worked on apart. */
#include "impls/contract/support.h"
#include "tests/support/room.h"

#include "bench/base/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

Suite *suite_packed_product(void);

/* As impls/fused/product.h has them, whose names and types are those of one build. */
#define BUILD(bits, level, type)                                                                                                   \
    extern int64_t fused_product_vectors_f##bits##_##level(int64_t m, int64_t d);                                                  \
    extern void fused_product_pack_f##bits##_##level(int64_t m, int64_t d, const type *W, void *packed);                           \
    extern void fused_product_run_f##bits##_##level(int64_t rows, int64_t m, int64_t d, const type *k, const void *packed,         \
                                                    type *theta);                                                                  \
    static int64_t vectors_f##bits##_##level(int64_t m, int64_t d)                                                                 \
    {                                                                                                                              \
        return fused_product_vectors_f##bits##_##level(m, d);                                                                      \
    }                                                                                                                              \
    static void run_f##bits##_##level(int64_t rows, int64_t m, int64_t d, const double *k, const double *W, void *packed,          \
                                      double *theta)                                                                               \
    {                                                                                                                              \
        type *a = calloc((size_t)(rows * d), sizeof *a), *b = calloc((size_t)(m * d), sizeof *b);                                  \
        type *to = calloc((size_t)(rows * m + 1), sizeof *to);                                                                     \
        for (int64_t i = 0; i < rows * d; i++)                                                                                     \
            a[i] = (type)k[i];                                                                                                     \
        for (int64_t i = 0; i < m * d; i++)                                                                                        \
            b[i] = (type)W[i];                                                                                                     \
        for (int64_t i = 0; i <= rows * m; i++)                                                                                    \
            to[i] = (type)theta[i];                                                                                                \
        fused_product_pack_f##bits##_##level(m, d, b, packed);                                                                     \
        fused_product_run_f##bits##_##level(rows, m, d, a, packed, to);                                                            \
        for (int64_t i = 0; i <= rows * m; i++)                                                                                    \
            theta[i] = (double)to[i];                                                                                              \
        free(a), free(b), free(to);                                                                                                \
    }
#define ROW(bits, level, level_) {vectors_f##bits##_##level, run_f##bits##_##level, DTYPE_FLOAT##bits, level_},

BUILD(32, baseline, float)
BUILD(64, baseline, double)
#ifdef LEVELS_X86
BUILD(32, avx2, float)
BUILD(64, avx2, double)
BUILD(32, avx512, float)
BUILD(64, avx512, double)
#endif

static const struct {
    int64_t (*vectors)(int64_t m, int64_t d);
    void (*run)(int64_t rows, int64_t m, int64_t d, const double *k, const double *W, void *packed, double *theta);
    enum dtype dtype;
    enum level level;
} builds[] = {ROW(32, baseline, LEVEL_BASELINE) ROW(64, baseline, LEVEL_BASELINE)
#ifdef LEVELS_X86
                  ROW(32, avx2, LEVEL_AVX2) ROW(64, avx2, LEVEL_AVX2) ROW(32, avx512, LEVEL_AVX512) ROW(64, avx512, LEVEL_AVX512)
#endif
};
enum { BUILDS = sizeof builds / sizeof builds[0], WIDEST = 140, ROWS = 15, VECTOR_BYTES = 64 };

/* Small integers, whose sums are exact: theta must be what it was and the product, to the bit, and nothing behind it may change. */
START_TEST(every_width_and_number_of_rows)
{
    static const int64_t inner[] = {1, 2, 9, 33};
    if (!level_available(builds[_i].level))
        return;
    for (int64_t m = 1; m <= WIDEST; m += m < 70 ? 1 : 7)
        for (int64_t rows = 0; rows <= ROWS; rows++) {
            int64_t d = inner[(m + rows) % 4];
            double *k = doubles(rows * d + 1), *W = doubles(m * d), *theta = doubles(rows * m + 1),
                   *expected = doubles(rows * m + 1);
            void *packed = memory_allocate(builds[_i].vectors(m, d), VECTOR_BYTES);
            for (int64_t i = 0; i < rows * d; i++)
                k[i] = floor(16 * random_uniform(1, 0, (uint64_t)(i + rows)) - 8);
            for (int64_t i = 0; i < m * d; i++)
                W[i] = floor(16 * random_uniform(2, 0, (uint64_t)(i + m)) - 8);
            for (int64_t i = 0; i <= rows * m; i++)
                theta[i] = expected[i] = (double)(i % 11);
            for (int64_t i = 0; i < rows; i++)
                for (int64_t j = 0; j < m; j++)
                    for (int64_t c = 0; c < d; c++)
                        expected[i * m + j] += k[i * d + c] * W[j * d + c];
            builds[_i].run(rows, m, d, k, W, packed, theta);
            for (int64_t i = 0; i <= rows * m; i++)
                ck_assert_msg(theta[i] == expected[i], "m %d, d %d, %d rows, number %d: %g for %g", (int)m, (int)d, (int)rows,
                              (int)i, theta[i], expected[i]);
            free(k), free(W), free(theta), free(expected), free(packed);
        }
}
END_TEST

Suite *suite_packed_product(void)
{
    Suite *suite = suite_create("packed_product");
    TCase *tests = tcase_create("packed_product");
    tcase_add_loop_test(tests, every_width_and_number_of_rows, 0, BUILDS);
    suite_add_tcase(suite, tests);
    return suite;
}
