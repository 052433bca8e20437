/* Verdicts: what they say of differences that are put in, how often they are false, and what many at once change. */
#include "bench/report/verdict.h"

#include "bench/base/random.h"

#include <check.h>
#include <math.h>

Suite *suite_faster(void);

enum { ALL = VERDICT_MOST };
static const double MARGIN = 0.02;

/* Pairs of a ratio, whose logarithms scatter by sd; the i-th of a family. */
static void draw(double ratio, double sd, uint64_t i, double x[ALL])
{
    for (int k = 0; k < ALL; k++)
        x[k] = log(ratio) + sd * random_normal(11, STREAM_ORDER, i * ALL + (uint64_t)k);
}

static struct contest judged(const double *x, size_t n)
{
    struct contest contest = {.x = x, .n = n, .margin = MARGIN};
    ck_assert(verdicts_find(&contest, 1));
    return contest;
}

START_TEST(says_what_was_put_in)
{
    static const struct {
        double ratio, sd;
        enum verdict verdict;
        size_t pairs;
    } rows[] = {
        {1.10, 0.01, VERDICT_SLOWER, 10}, {0.90, 0.01, VERDICT_FASTER, 10},  {1.0, 0.005, VERDICT_SAME, 10},
        {1.05, 0.03, VERDICT_SLOWER, 40}, {1.0, 0.2, VERDICT_UNDECIDED, 40}, {1.02, 0.01, VERDICT_UNDECIDED, 40},
        {2.0, 0.5, VERDICT_SLOWER, 40},   {1.0, 0.02, VERDICT_SAME, 40},
    };
    double x[ALL];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        draw(rows[i].ratio, rows[i].sd, i, x);
        struct contest contest = judged(x, rows[i].pairs);
        ck_assert_msg(contest.verdict == rows[i].verdict, "row %zu: %s", i, verdict_names[contest.verdict]);
        ck_assert(contest.pairs <= rows[i].pairs && contest.low < contest.high);
        ck_assert(contest.low < contest.estimate && contest.estimate < contest.high);
        ck_assert((contest.low > 1.02) == (contest.verdict == VERDICT_SLOWER));
        ck_assert((contest.high < 1 / 1.02) == (contest.verdict == VERDICT_FASTER));
        ck_assert((contest.low > 1 / 1.02 && contest.high < 1.02) == (contest.verdict == VERDICT_SAME));
    }
}
END_TEST

/* The same pairs with the two programs exchanged: the other verdict, the reciprocal ratio. */
START_TEST(symmetric)
{
    for (uint64_t i = 0; i < 200; i++) {
        static const enum verdict other[] = {VERDICT_UNDECIDED, VERDICT_SLOWER, VERDICT_FASTER, VERDICT_SAME};
        double x[ALL], minus[ALL];
        draw(1 + 0.1 * random_normal(5, STREAM_ORDER, i), 0.03, 1000 + i, x);
        for (int k = 0; k < ALL; k++)
            minus[k] = -x[k];
        struct contest one = judged(x, ALL), two = judged(minus, ALL);
        ck_assert_int_eq(two.verdict, other[one.verdict]);
        ck_assert_double_eq_tol(one.estimate * two.estimate, 1, 1e-12);
        ck_assert_double_eq_tol(one.low * two.high, 1, 1e-12);
        ck_assert_double_eq(one.probability, two.probability);
    }
}
END_TEST

/* Too few pairs decide nothing, and further ones count from the next look on. */
START_TEST(looks_when_it_may)
{
    double x[ALL];
    draw(1.5, 0.01, 1, x);
    struct contest none = judged(x, 0), few = judged(x, 9), ten = judged(x, 10), more = judged(x, 19);
    ck_assert(none.verdict == VERDICT_UNDECIDED && isnan(none.estimate) && isnan(none.low) && none.pairs == 0);
    ck_assert(few.verdict == VERDICT_UNDECIDED && few.pairs == 9 && few.estimate > 1.4 && few.low > 1.4);
    ck_assert(ten.verdict == VERDICT_SLOWER && ten.pairs == 10);
    ck_assert(more.verdict == VERDICT_SLOWER && more.pairs == 10 && more.low == ten.low && more.estimate == ten.estimate);
    draw(1.0, 0.5, 2, x);
    struct contest undecided = judged(x, 39);
    ck_assert(undecided.verdict == VERDICT_UNDECIDED && undecided.pairs == 20);
}
END_TEST

/* A program that is exactly the margin slower is neither slower nor the same: each verdict is false. Equal ones are neither slower
 * nor faster. 4,000 comparisons, looked at three times each, at sizes of scatter that machines have. */
START_TEST(false_verdicts_are_rare)
{
    static const double scatter[] = {0.003, 0.01, 0.03, 0.1};
    enum { EACH = 1000 };
    for (int s = 0; s < 4; s++) {
        int at_margin = 0, at_equal = 0;
        for (uint64_t i = 0; i < EACH; i++) {
            double x[ALL];
            draw(1 + MARGIN, scatter[s], 10000 + i, x);
            at_margin += judged(x, ALL).verdict != VERDICT_UNDECIDED;
            draw(1, scatter[s], 20000 + i, x);
            enum verdict verdict = judged(x, ALL).verdict;
            at_equal += verdict == VERDICT_SLOWER || verdict == VERDICT_FASTER;
        }
        ck_assert_msg(at_margin <= 0.06 * EACH, "%d at scatter %g", at_margin, scatter[s]); /* 3 standard deviations above .04 */
        ck_assert_msg(at_equal <= 0.06 * EACH, "%d at scatter %g", at_equal, scatter[s]);
    }
}
END_TEST

/* Twenty comparisons of programs at the margin, with and without each other: taken alone some verdict is false in half of the families,
 * taken together in one of twenty at the most. What is clear stays clear. */
START_TEST(many_at_once)
{
    enum { MANY = 20, FAMILIES = 200 };
    int alone = 0, together = 0;
    for (uint64_t family = 0; family < FAMILIES; family++) {
        double x[MANY + 1][ALL];
        struct contest contest[MANY + 1];
        bool one_alone = false, one_together = false;
        for (int i = 0; i <= MANY; i++) {
            draw(i == MANY ? 1.2 : 1 + MARGIN, 0.01, 50000 + family * (MANY + 1) + (uint64_t)i, x[i]);
            contest[i] = (struct contest){.x = x[i], .n = ALL, .margin = MARGIN};
            one_alone = one_alone || (i < MANY && judged(x[i], ALL).verdict != VERDICT_UNDECIDED);
        }
        ck_assert(verdicts_find(contest, MANY + 1));
        for (int i = 0; i < MANY; i++)
            one_together = one_together || contest[i].verdict != VERDICT_UNDECIDED;
        ck_assert_int_eq(contest[MANY].verdict, VERDICT_SLOWER);
        alone += one_alone;
        together += one_together;
    }
    ck_assert_msg(together <= 0.1 * FAMILIES && alone > 0.25 * FAMILIES, "%d together, %d alone", together, alone);
}
END_TEST

START_TEST(what_more_would_take)
{
    struct contest contest = {.margin = MARGIN, .pairs = 40, .estimate = 1.10, .low = 1.01, .high = 1.2};
    /* the lower end is to move from 1.01 to 1.02 */
    double times = log(1.10 / 1.01) / log(1.10 / 1.02);
    ck_assert_uint_eq(verdict_pairs_wanted(&contest), (size_t)ceil(40 * times * times));
    contest = (struct contest){.margin = MARGIN, .pairs = 20, .estimate = 1 / 1.10, .low = 1 / 1.2, .high = 1 / 1.01};
    ck_assert_uint_eq(verdict_pairs_wanted(&contest), (size_t)ceil(20 * times * times - 1e-9));
    /* between the margins, the end that is farther from its margin */
    contest = (struct contest){.margin = MARGIN, .pairs = 10, .estimate = 1, .low = 1 / 1.03, .high = 1.01};
    times = log(1.03) / log(1.02);
    ck_assert_uint_eq(verdict_pairs_wanted(&contest), (size_t)ceil(10 * times * times));
    contest.estimate = 1 + MARGIN;
    ck_assert_uint_eq(verdict_pairs_wanted(&contest), 0);
    contest = (struct contest){.margin = MARGIN, .pairs = 40, .estimate = 1.021, .low = 0.9, .high = 1.2};
    ck_assert_uint_eq(verdict_pairs_wanted(&contest), 0);
}
END_TEST

START_TEST(over_points)
{
    enum { POINTS = 3 };
    double x[POINTS][ALL];
    struct contest contest[POINTS];
    struct geometric_mean mean, again;
    static const double ratio[POINTS] = {1.5, 1.0, 0.8};
    for (int i = 0; i < POINTS; i++) {
        draw(ratio[i], 0.02, 90 + (uint64_t)i, x[i]);
        contest[i] = (struct contest){.x = x[i], .n = ALL, .margin = MARGIN};
    }
    ck_assert(geometric_mean_find(contest, POINTS, 1, &mean));
    ck_assert_double_eq_tol(mean.ratio, cbrt(1.5 * 0.8), 0.01);
    ck_assert(mean.low < mean.ratio && mean.ratio < mean.high && mean.high - mean.low < 0.02);
    ck_assert(geometric_mean_find(contest, POINTS, 1, &again) && again.low == mean.low && again.high == mean.high);
    contest[1].n = 0;
    ck_assert(!geometric_mean_find(contest, POINTS, 1, &mean) && !geometric_mean_find(contest, 0, 1, &mean));
}
END_TEST

Suite *suite_faster(void)
{
    Suite *suite = suite_create("faster");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, says_what_was_put_in);
    tcase_add_test(all, symmetric);
    tcase_add_test(all, looks_when_it_may);
    tcase_add_test(all, false_verdicts_are_rare);
    tcase_add_test(all, many_at_once);
    tcase_add_test(all, what_more_would_take);
    tcase_add_test(all, over_points);
    suite_add_tcase(suite, all);
    return suite;
}
