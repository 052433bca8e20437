/* The exponential that loops over channels are vectorised with, against the library's, and what it does at the edges. */
#include "tests/support/exponential_float.h"

#include "bench/base/random.h"
#include "impls/math/activation.h"

#include <check.h>

enum { DRAWS = 200000 };

/* In units of rounding of the result. */
static double error_of(double computed, double exact, double unit)
{
    return fabs(computed - exact) / (exact * unit);
}

START_TEST(within_two_units)
{
    double most = 0, most_float = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = random_uniform(90, 0, (uint64_t)i), scale = i % 2 ? 1 : 0.01; /* everywhere, and near 0 */
        double x = scale * (-708 + 1417 * u);
        float y = (float)(scale * (-87 + 175 * u));
        most = fmax(most, error_of(exponential(x), exp(x), 0x1p-53));
        most_float = fmax(most_float, error_of(exponential_float(y), exp(y), 0x1p-24));
    }
    ck_assert_msg(most <= 4, "float64: %g units of rounding", most); /* a unit of exp() itself included: 2 ulp are 4 halves */
    ck_assert_msg(most_float <= 4, "float32: %g units of rounding", most_float);
}
END_TEST

START_TEST(edges)
{
    ck_assert_double_eq(exponential(0), 1);
    ck_assert_double_eq(exponential(-0.0), 1);
    ck_assert(exponential(710) == INFINITY && exponential(INFINITY) == INFINITY);
    ck_assert(exponential(-746) == 0 && exponential(-INFINITY) == 0);
    ck_assert(isnan(exponential(NAN)) && isnan(exponential_float(NAN)));
    ck_assert(exponential_float(0) == 1 && exponential_float(89) == INFINITY && exponential_float(-104) == 0);
    ck_assert(exponential_float(INFINITY) == INFINITY && exponential_float(-INFINITY) == 0);
    ck_assert(isfinite(exponential_float(88.2f)) && exponential_float(-87.2f) > 0);
}
END_TEST

/* The slopes are those of the functions; of the sigmoid far from 0 too, where 1 - sigmoid is nothing but rounding. */
START_TEST(slopes)
{
    for (int i = -80; i <= 80; i++) {
        double x = i * 0.1, e = 1e-4, s = 1 / (1 + exp(-x));
        ck_assert_double_eq_tol(silu_slope(x, s), (silu(x + e) - silu(x - e)) / (2 * e), 1e-8);
        ck_assert_double_eq_tol(sigmoid_slope(x), (sigmoid(x + e) - sigmoid(x - e)) / (2 * e), 1e-8);
    }
    ck_assert_double_le(fabs(sigmoid_slope(60) / exp(-60) - 1), 1e-15);
    ck_assert_double_le(fabs(sigmoid_slope(-60) / exp(-60) - 1), 1e-15);
    ck_assert(isnan(sigmoid(INFINITY)) && isnan(sigmoid(-INFINITY)));
}
END_TEST

Suite *suite_vector(void);

Suite *suite_vector(void)
{
    Suite *suite = suite_create("vector");
    TCase *tests = tcase_create("vector");
    tcase_add_test(tests, within_two_units);
    tcase_add_test(tests, edges);
    tcase_add_test(tests, slopes);
    suite_add_tcase(suite, tests);
    return suite;
}
