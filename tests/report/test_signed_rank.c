/* Signed-rank statistics against tables, against all 2^n signs, and against what they promise of random values. */
#include "bench/report/signed_rank.h"

#include "bench/base/random.h"
#include "bench/base/statistics.h"

#include <check.h>
#include <math.h>

Suite *suite_signed_rank(void);

/* Hollander and Wolfe, example 3.1 (depression before and after): differences, estimate -.46; ranks of the table of W at n = 9. */
START_TEST(a_textbook_example)
{
    static const double x[] = {-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010};
    double low, high, minus[9];
    for (int i = 0; i < 9; i++)
        minus[i] = -x[i];
    ck_assert_double_eq_tol(signed_rank_estimate(x, 9), -0.46, 1e-9);
    ck_assert_double_eq_tol(signed_rank_above(minus, 9, 0), 0.0195, 5e-5);
    ck_assert(signed_rank_interval(x, 9, 0.04, &low, &high)); /* 96.1 % */
    ck_assert_double_eq_tol(low, -0.786, 1e-9);
    ck_assert_double_eq_tol(high, -0.010, 1e-9);
}
END_TEST

/* Published critical values of W: the largest w with P(W <= w) <= .025, so k is one more. */
START_TEST(tables_of_the_test)
{
    static const struct {
        size_t n, k;
    } rows[] = {{6, 1}, {7, 3}, {8, 4}, {9, 6}, {10, 9}, {12, 14}, {15, 26}, {20, 53}, {25, 90}, {30, 138}, {40, 265}};
    double x[40], low, high;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        const size_t n = rows[row].n, pairs = n * (n + 1) / 2;
        double averages[820];
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            x[i] = ldexp(1, (int)i); /* no two averages alike */
        for (size_t i = 0; i < n; i++)
            for (size_t j = i; j < n; j++)
                averages[m++] = (x[i] + x[j]) / 2;
        statistics_sort(averages, m);
        ck_assert(signed_rank_interval(x, n, 0.05, &low, &high));
        ck_assert_double_eq(low, averages[rows[row].k - 1]);
        ck_assert_double_eq(high, averages[pairs - rows[row].k]);
    }
    ck_assert(!signed_rank_interval(x, 5, 0.05, &low, &high));
    ck_assert(!signed_rank_interval(x, 6, 0.05 / 3, &low, &high));
    ck_assert(signed_rank_interval(x, 7, 0.05 / 3, &low, &high));
    ck_assert(!signed_rank_interval(x, 0, 0.05, &low, &high));
    ck_assert(isnan(signed_rank_estimate(x, 0)));
    ck_assert_double_eq(signed_rank_above(x, 0, 0), 1);
}
END_TEST

/* The probability is that of all signs of the ranks, each as likely as any other. */
START_TEST(all_signs)
{
    enum { N = 11 };
    double x[N], value[N];
    for (int i = 0; i < N; i++)
        x[i] = random_normal(3, STREAM_ORDER, (uint64_t)i) + 0.4;
    for (int i = 0; i < N; i++) { /* ranks by size */
        int rank = 1;
        for (int j = 0; j < N; j++)
            rank += fabs(x[j]) < fabs(x[i]);
        value[i] = x[i] > 0 ? rank : 0;
    }
    double w = 0;
    int as_large = 0;
    for (int i = 0; i < N; i++)
        w += value[i];
    for (unsigned signs = 0; signs < 1u << N; signs++) {
        int sum = 0;
        for (int i = 0; i < N; i++)
            sum += signs >> i & 1 ? i + 1 : 0;
        as_large += sum >= w;
    }
    ck_assert_double_eq_tol(signed_rank_above(x, N, 0), as_large / 2048.0, 1e-15);
}
END_TEST

/* Ties with the bound never speak for the side beyond it. */
START_TEST(ties)
{
    static const double equal[] = {0, 0, 0, 0, 0, 0, 0, 0};
    double low = 1, high = 1;
    ck_assert_double_eq(signed_rank_above(equal, 8, 0), 1);
    ck_assert_double_eq_tol(signed_rank_above(equal, 8, -1e-9), 1 / 256.0, 1e-12);
    ck_assert(signed_rank_interval(equal, 8, 0.05, &low, &high));
    ck_assert(low == 0 && high == 0);
    ck_assert_double_eq(signed_rank_estimate(equal, 8), 0);
}
END_TEST

/* Of 4,000 samples of 10 the interval misses the middle as often as it may, and not much less; and it says the same as the test. */
START_TEST(keeps_its_promise)
{
    enum { N = 10, SAMPLES = 4000 };
    int missed = 0;
    for (int s = 0; s < SAMPLES; s++) {
        double x[N], minus[N], low, high;
        for (int i = 0; i < N; i++) {
            x[i] = random_normal(7, STREAM_ORDER, (uint64_t)(s * N + i));
            minus[i] = -x[i];
        }
        ck_assert(signed_rank_interval(x, N, 0.05, &low, &high));
        missed += low > 0 || high < 0;
        ck_assert_int_eq(low > 0, signed_rank_above(x, N, 0) <= 0.025);
        ck_assert_int_eq(high < 0, signed_rank_above(minus, N, 0) <= 0.025);
    }
    ck_assert_msg(missed < 0.06 * SAMPLES && missed > 0.03 * SAMPLES, "%d of %d", missed, SAMPLES);
}
END_TEST

Suite *suite_signed_rank(void)
{
    Suite *suite = suite_create("signed_rank");
    TCase *all = tcase_create("all");
    tcase_add_test(all, a_textbook_example);
    tcase_add_test(all, tables_of_the_test);
    tcase_add_test(all, all_signs);
    tcase_add_test(all, ties);
    tcase_add_test(all, keeps_its_promise);
    suite_add_tcase(suite, all);
    return suite;
}
