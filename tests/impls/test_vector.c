/* The exponentials that loops over channels are vectorised with, against the library's, and what they do at the edges; and what the
 * selective cell makes of rows with them. */
#include "tests/support/exponential_float.h"

#include "bench/base/random.h"
#include "impls/math/activation.h"
#include "impls/math/power.h"
#include "impls/selective/token.h"

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
    ck_assert(silu(-1e300) == 0 && silu(-800) == 0 && isnan(silu(-INFINITY)));
    ck_assert(isnan(sigmoid(INFINITY)) && isnan(sigmoid(-INFINITY)));
}
END_TEST

static double power(double x)
{
    return lanes_power((lanes){0} + x)[0];
}

START_TEST(powers_within_two_units)
{
    double most = 0, most_float = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = random_uniform(91, 0, (uint64_t)i), scale = i % 2 ? 1 : 0.001;
        double x = scale * (-1022 + 2045.5 * u);
        float y = (float)(scale * (-126 + 253.5 * u));
        most = fmax(most, error_of(power(x), exp2(x), 0x1p-53));
        most_float = fmax(most_float, error_of(power_float(y), exp2(y), 0x1p-24));
    }
    ck_assert_msg(most <= 4, "float64: %g units of rounding", most);
    ck_assert_msg(most_float <= 4, "float32: %g units of rounding", most_float);
}
END_TEST

/* Decays: nothing above 1, nothing that is not a number but of one. */
START_TEST(powers_at_the_edges)
{
    static const double zero[] = {-1023, -1075, -1e30, -1e300, -INFINITY};
    for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++)
        ck_assert(power(zero[i]) == 0 && power_float((float)zero[i]) == 0);
    ck_assert(power(0) == 1 && power(-0.0) == 1 && power(-1e-30) == 1 && power(-0x1p-1074) == 1 && power(-1) == 0.5);
    ck_assert(power_float(0) == 1 && power_float(-0.0f) == 1 && power_float(-1e-30f) == 1 && power_float(-1) == 0.5f);
    ck_assert(power(1024) == INFINITY && power(INFINITY) == INFINITY && isnan(power(NAN)));
    ck_assert(power_float(128) == INFINITY && power_float(INFINITY) == INFINITY && isnan(power_float(NAN)));
    ck_assert(power(-1022.4) > 0 && power(-1022.4) < 1e-307 && power_float(-126.4f) < 1e-37f);
}
END_TEST

START_TEST(softplus)
{
    double most = 0, y;
    for (int i = 0; i < DRAWS; i++) {
        double x = (i % 3 == 0 ? 700 : i % 3 == 1 ? 1 : 20) * (2 * random_uniform(92, 0, (uint64_t)i) - 1);
        softplus_row(&x, &y, 1);
        most = fmax(most, error_of(y, x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)), 0x1p-53));
    }
    ck_assert_msg(most <= 8, "%g units of rounding", most);
    static const double edges_[][2] = {{1e30, 1e30}, {INFINITY, INFINITY}, {-1e30, 0}, {-INFINITY, 0}};
    for (int i = 0; i < 4; i++) {
        softplus_row(&edges_[i][0], &y, 1);
        ck_assert(y == edges_[i][1] || fabs(y - edges_[i][1]) < 1e-300);
    }
    softplus_row(&(double){NAN}, &y, 1);
    ck_assert(isnan(y));
}
END_TEST

/* Length 1, but for what is shorter than 1e-5; and the adjoints, by differences. */
START_TEST(units_and_norms)
{
    enum { N = 7 };
    double x[N], y[N], bar[N], gain[N], bias[N], unit_bar[N], norm_bar[N], moved[N], zero[N] = {0};
    for (int i = 0; i < N; i++) {
        x[i] = random_normal(93, 0, (uint64_t)i), bar[i] = random_normal(93, 1, (uint64_t)i);
        gain[i] = random_normal(93, 2, (uint64_t)i), bias[i] = random_normal(93, 3, (uint64_t)i);
    }
    ck_assert_double_eq_tol(unit(zero, y, N), 1e5, 1e-9);
    for (int i = 0; i < N; i++)
        ck_assert_double_eq(y[i], 0);
    for (int tiny = 0; tiny < 2; tiny++) {
        double scale = tiny ? 1e-7 : 1, step = 1e-6 * scale, length = 0;
        for (int i = 0; i < N; i++)
            moved[i] = scale * x[i];
        double inverse = unit(moved, y, N);
        for (int i = 0; i < N; i++)
            length += y[i] * y[i];
        ck_assert(tiny ? length < 0.1 : fabs(length - 1) < 1e-14);
        unit_adjoint(y, inverse, bar, unit_bar, N);
        struct row_norm norm = norm_row(moved, gain, zero, y, N);
        norm_row_adjoint(moved, norm, gain, bar, NULL, NULL, norm_bar, N);
        for (int i = 0; i < N; i++) {
            double of_unit = 0, of_norm = 0;
            for (int side = -1; side <= 1; side += 2) {
                moved[i] = scale * x[i] + side * step;
                unit(moved, y, N);
                for (int k = 0; k < N; k++)
                    of_unit += side * y[k] * bar[k] / (2 * step);
                norm_row(moved, gain, zero, y, N);
                for (int k = 0; k < N; k++)
                    of_norm += side * y[k] * bar[k] / (2 * step);
            }
            moved[i] = scale * x[i];
            ck_assert_double_eq_tol(unit_bar[i] / inverse, of_unit / inverse, 1e-8);
            ck_assert_double_eq_tol(norm_bar[i] / norm.inverse, of_norm / norm.inverse, 1e-8);
        }
    }
    /* squares that overflow are not a plausible answer */
    x[0] = 1e200;
    norm_row(x, gain, bias, y, N);
    ck_assert(isnan(y[1]));
    ck_assert(isnan(unit(x, y, N)));
}
END_TEST

/* Of one channel nothing comes through, of two epsilon over their variance: not the difference of what is a million times as large. */
START_TEST(norms_of_few_channels)
{
    static const double gain[] = {1.3, 0.7}, bias[2] = {0}, bar[] = {0.3, -1.1};
    for (int d = 1; d <= 2; d++)
        for (double scale = 1e-3; scale < 1e4; scale *= 10) {
            double w[] = {0.9 * scale, -1.7 * scale}, y[2], left[2];
            long double half = ((long double)w[0] - w[1]) / 2, square = d == 2 ? half * half + 1e-5L : 1e-5L;
            long double q = d == 2 ? ((long double)gain[0] * bar[0] - (long double)gain[1] * bar[1]) / 2 : 0;
            long double expected = q * 1e-5L / (square * sqrtl(square));
            struct row_norm norm = norm_row(w, gain, bias, y, d);
            norm_row_adjoint(w, norm, gain, bar, NULL, NULL, left, d);
            for (int i = 0; i < d; i++) {
                double apart = fabs(left[i] - (double)(i == 0 ? expected : -expected));
                ck_assert_msg(apart <= 1e-14 * fabs((double)expected), "d %d, scale %g: %g for %Lg", d, scale, left[i], expected);
            }
        }
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
    tcase_add_test(tests, powers_within_two_units);
    tcase_add_test(tests, powers_at_the_edges);
    tcase_add_test(tests, softplus);
    tcase_add_test(tests, units_and_norms);
    tcase_add_test(tests, norms_of_few_channels);
    suite_add_tcase(suite, tests);
    return suite;
}
