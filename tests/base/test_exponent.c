/* The exponent of a power law, against what is computed by hand. */
#include "bench/base/exponent.h"

#include <check.h>
#include <math.h>

Suite *suite_exponent(void);

/* y = 3 x^2 lies on a line: nothing is left. */
START_TEST(a_power_is_found)
{
    const double x[] = {1, 2, 4, 8}, y[] = {3, 12, 48, 192};
    struct exponent fit = exponent_fit(x, y, 4);
    ck_assert_double_eq_tol(fit.p, 2, 1e-14);
    ck_assert_double_eq_tol(fit.low, 2, 1e-6);
    ck_assert_double_eq_tol(fit.high, 2, 1e-6);
}
END_TEST

/* In logarithms to the base 2: (0,0), (1,1), (2,1), (3,4). Slope 6/5; off the line by .3, .1, -1.1, .7, whose squares sum to 1.8;
 * so the slope's deviation is sqrt(1.8 / 2 / 5) = sqrt(.18), and Student's quantile for 2 degrees of freedom is 4.3027. */
START_TEST(what_is_left_makes_the_interval)
{
    const double x[] = {1, 2, 4, 8}, y[] = {1, 2, 2, 16};
    struct exponent fit = exponent_fit(x, y, 4);
    ck_assert_double_eq_tol(fit.p, 1.2, 1e-14);
    ck_assert_double_eq_tol(fit.low, 1.2 - 4.3027 * sqrt(0.18), 1e-12);
    ck_assert_double_eq_tol(fit.high, 1.2 + 4.3027 * sqrt(0.18), 1e-12);
}
END_TEST

/* 60 points at three x, y = x but for a factor of 2 or 1/2 in turn: the slope is 1. */
START_TEST(many_points)
{
    double x[60], y[60];
    for (int i = 0; i < 60; i++) {
        x[i] = i < 20 ? 1 : i < 40 ? 4 : 16;
        y[i] = x[i] * (i % 2 ? 2 : 0.5);
    }
    struct exponent fit = exponent_fit(x, y, 60);
    /* in log 2: xx = 40 * 4, squares left 60 * 1; Student with 58 degrees of freedom: 2.0017 */
    ck_assert_double_eq_tol(fit.p, 1, 1e-14);
    ck_assert_double_eq_tol(fit.high - fit.p, 2.0017 * sqrt(60.0 / 58 / 160), 2e-4);
    ck_assert_double_eq_tol(fit.p - fit.low, fit.high - fit.p, 1e-14);
}
END_TEST

START_TEST(too_few)
{
    const double x[] = {2, 4, 4}, y[] = {1, 2, 8};
    ck_assert(isnan(exponent_fit(x, y, 0).p));
    ck_assert(isnan(exponent_fit(x, y, 1).p));
    ck_assert(isnan(exponent_fit(x + 1, y + 1, 2).p)); /* a single x */
    ck_assert_double_eq_tol(exponent_fit(x, y, 2).p, 1, 1e-14);
    ck_assert(isnan(exponent_fit(x, y, 2).low));
    ck_assert_double_eq_tol(exponent_fit(x, y, 3).p, 2, 1e-14); /* through 1 and the mean of 1 and 3 */
    ck_assert(isnan(exponent_fit(x, y, 3).low));
}
END_TEST

Suite *suite_exponent(void)
{
    Suite *suite = suite_create("exponent");
    TCase *tests = tcase_create("exponent");
    tcase_add_test(tests, a_power_is_found);
    tcase_add_test(tests, what_is_left_makes_the_interval);
    tcase_add_test(tests, many_points);
    tcase_add_test(tests, too_few);
    suite_add_tcase(suite, tests);
    return suite;
}
