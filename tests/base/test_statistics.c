/* Statistics against values computed by hand or taken from tables. */
#include "bench/base/statistics.h"

#include <check.h>
#include <math.h>

Suite *suite_statistics(void);

START_TEST(sorts)
{
    double values[] = {3, -1, 2, 2, 1e300, -1e300, 0};
    const double expected[] = {-1e300, -1, 0, 2, 2, 3, 1e300};
    statistics_sort(values, 7);
    for (int i = 0; i < 7; i++)
        ck_assert_double_eq(values[i], expected[i]);
    statistics_sort(values, 0);
}
END_TEST

/* R: quantile(c(1, 2, 4, 8, 16), p), type 7. */
START_TEST(quantiles)
{
    static const struct {
        double share, expected;
    } rows[] = {{0, 1}, {0.1, 1.4}, {0.25, 2}, {0.5, 4}, {0.6, 5.6}, {0.75, 8}, {0.9, 12.8}, {1, 16}};
    const double sorted[] = {1, 2, 4, 8, 16};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_double_eq_tol(statistics_quantile(sorted, 5, rows[i].share), rows[i].expected, 1e-12);
    ck_assert_double_eq(statistics_quantile(sorted, 1, 0.9), 1);
    ck_assert(isnan(statistics_quantile(sorted, 0, 0.5)));
}
END_TEST

START_TEST(medians)
{
    const double sorted[] = {1, 2, 4, 8};
    ck_assert_double_eq(statistics_median(sorted, 1), 1);
    ck_assert_double_eq(statistics_median(sorted, 2), 1.5);
    ck_assert_double_eq(statistics_median(sorted, 3), 2);
    ck_assert_double_eq(statistics_median(sorted, 4), 3);
}
END_TEST

/* Ranks k as in tables of the sign test at 5 %, two-sided: with k - 1 signs of one kind the test rejects, with k it does not. */
START_TEST(median_intervals)
{
    static const struct {
        size_t n, k;
    } rows[] = {{6, 1}, {8, 1}, {9, 2}, {11, 2}, {12, 3}, {15, 4}, {20, 6}, {25, 8}, {30, 10}, {50, 18}, {100, 40}, {10000, 4902}};
    static double sorted[10000];
    double low = -1, high = -1;
    for (int i = 0; i < 10000; i++)
        sorted[i] = i + 1;
    for (size_t n = 0; n < 6; n++)
        ck_assert(!statistics_median_interval(sorted, n, &low, &high));
    ck_assert_double_eq(low, -1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(statistics_median_interval(sorted, rows[i].n, &low, &high));
        ck_assert_double_eq(low, (double)rows[i].k);
        ck_assert_double_eq(high, (double)(rows[i].n - rows[i].k + 1));
    }
}
END_TEST

/* Published values: Newcombe (1998), method 3, to four places; the ends of 0 and n of n are exact. And the definition: both ends
 * satisfy |share - p| = z sqrt(p (1 - p) / n). */
START_TEST(share_intervals)
{
    static const struct {
        int64_t right, n;
        double low, high;
    } rows[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
    double low = -1, high = -1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(statistics_share_interval(rows[i].right, rows[i].n, &low, &high));
        ck_assert_double_eq_tol(low, rows[i].low, 5e-5);
        ck_assert_double_eq_tol(high, rows[i].high, 5e-5);
        ck_assert(statistics_share_interval(rows[i].n - rows[i].right, rows[i].n, &low, &high)); /* its mirror image */
        ck_assert_double_eq_tol(1 - high, rows[i].low, 5e-5);
        ck_assert_double_eq_tol(1 - low, rows[i].high, 5e-5);
    }
    for (int64_t n = 1; n < 2000; n = 3 * n + 1)
        for (int64_t right = 0; right <= n; right++) {
            ck_assert(statistics_share_interval(right, n, &low, &high));
            double share = (double)right / (double)n;
            ck_assert(low >= 0 && low <= share && share <= high && high <= 1 && low < high);
            ck_assert(right > 0 || low == 0);
            ck_assert(right < n || high == 1);
            const double ends[] = {low, high};
            for (int k = 0; k < 2; k++)
                ck_assert_double_eq_tol(fabs(share - ends[k]), 1.959963984540054 * sqrt(ends[k] * (1 - ends[k]) / (double)n),
                                        1e-12);
        }
    low = high = -1;
    ck_assert(!statistics_share_interval(0, 0, &low, &high));
    ck_assert(low == -1 && high == -1);
}
END_TEST

/* 1, 2, ..., 8: quartiles 2.75 and 6.25, so the fences lie 5.25 outside of them. */
START_TEST(fences)
{
    const double sorted[] = {1, 2, 3, 4, 5, 6, 7, 8}, equal[] = {3, 3, 3, 3, 3};
    double low = -7, high = -7;
    ck_assert(!statistics_fences(sorted, 4, &low, &high));
    ck_assert_double_eq(low, -7);
    ck_assert(statistics_fences(sorted, 8, &low, &high));
    ck_assert_double_eq(low, -2.5);
    ck_assert_double_eq(high, 11.5);
    ck_assert(statistics_fences(equal, 5, &low, &high));
    ck_assert_double_eq(low, 3);
    ck_assert_double_eq(high, 3);
}
END_TEST

START_TEST(variation)
{
    const double values[] = {2, 4, 4, 4, 5, 5, 7, 9}, opposite[] = {-1, 1};
    ck_assert_double_eq_tol(statistics_variation(values, 8), sqrt(32.0 / 7) / 5, 1e-15);
    ck_assert_double_eq(statistics_variation(values + 1, 3), 0);
    ck_assert(isnan(statistics_variation(values, 1)));
    ck_assert(isnan(statistics_variation(opposite, 2)));
}
END_TEST

START_TEST(slopes)
{
    const double x[] = {0, 1, 2, 3}, line[] = {5, 3, 1, -1}, bent[] = {0, 1, 1, 4};
    ck_assert_double_eq_tol(statistics_slope(x, line, 4), -2, 1e-15);
    ck_assert_double_eq_tol(statistics_slope(x, bent, 4), 1.2, 1e-15);
    ck_assert(isnan(statistics_slope(x, line, 1)));
    ck_assert(isnan(statistics_slope((const double[]){2, 2, 2}, line, 3)));
}
END_TEST

Suite *suite_statistics(void)
{
    Suite *suite = suite_create("statistics");
    TCase *tests = tcase_create("statistics");
    tcase_add_test(tests, sorts);
    tcase_add_test(tests, quantiles);
    tcase_add_test(tests, medians);
    tcase_add_test(tests, median_intervals);
    tcase_add_test(tests, share_intervals);
    tcase_add_test(tests, fences);
    tcase_add_test(tests, variation);
    tcase_add_test(tests, slopes);
    suite_add_tcase(suite, tests);
    return suite;
}
