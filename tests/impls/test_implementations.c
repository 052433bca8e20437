/* Every implementation, dtype and instruction level over the shared list of cases: against LU in float64, and iterates against the
 * textbook loop. */
#include "tests/support/reference.h"

#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNRESOLVED 0.05 /* a tolerance above this says nothing: the problem is too sensitive for the dtype */

static double *doubles(int64_t n)
{
    double *values = calloc((size_t)n, sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

struct comparison {
    const struct test_case *test;
    const struct tensors *tensors; /* in the dtype of the variant */
    const struct settings *settings;
    int threads;
    const double *expected;
    struct status status; /* of the reference */
    double tolerance;
};

static void compare(const struct implementation *one, const struct comparison *c, const char *what)
{
    const struct problem *p = &c->tensors->problem;
    int64_t n = p->B * p->T * p->d, size = p->T * p->d;
    double *h = doubles(n), *final = doubles(p->B * p->d), *h_as_doubles = doubles(n), *final_as_doubles = doubles(p->B * p->d);
    struct status status = run_variant(one, c->tensors, c->settings, c->threads, h, final, NULL);
    to_doubles(p->dtype, h, 0, n, h_as_doubles);
    to_doubles(p->dtype, final, 0, p->B * p->d, final_as_doubles);
    /* A strength that float32 rounds to 1 makes a step singular that float64 still resolves: it may come earlier. */
    bool earlier = p->dtype == DTYPE_FLOAT32 && status.code == STATUS_SINGULAR &&
                   (status.b < c->status.b || (status.b == c->status.b && status.t <= c->status.t));
    if ((c->tolerance <= UNRESOLVED || c->status.code != STATUS_OK) && !(c->status.code == STATUS_SINGULAR && earlier)) {
        ck_assert_msg(status.code == c->status.code && status.b == c->status.b && status.t == c->status.t,
                      "%s: %s (%s): status %s at (%lld,%lld), expected %s at (%lld,%lld)", c->test->name, one->name, what,
                      status_names[status.code], (long long)status.b, (long long)status.t, status_names[c->status.code],
                      (long long)c->status.b, (long long)c->status.t);
    }
    if (c->tolerance <= UNRESOLVED && c->status.code == STATUS_OK) {
        double distance = distance_scaled(c->tensors, h_as_doubles, c->expected);
        ck_assert_msg(distance <= c->tolerance, "%s: %s (%s): distance %g, tolerance %g", c->test->name, one->name, what, distance,
                      c->tolerance);
        for (int64_t b = 0; b < p->B; b++)
            ck_assert_msg(memcmp(final_as_doubles + b * p->d, h_as_doubles + b * size + size - p->d, (size_t)p->d * sizeof *h) == 0,
                          "%s: %s (%s): the final state is not the last one", c->test->name, one->name, what);
    }
    free(h);
    free(final);
    free(h_as_doubles);
    free(final_as_doubles);
}

/* Whether a variant is to be compared at all: it supports the problem, and this machine executes it. */
static const struct implementation *variant(int index, const struct problem *p, enum level level)
{
    const struct environment environment = {.threads = 2};
    const struct settings settings = fixed_l(1);
    struct support support;
    if (!level_available(level))
        return NULL;
    const struct implementation *one = registry_get(index, p->dtype, level);
    one->supports(p, &settings, &environment, &support);
    return support.yes ? one : NULL;
}

START_TEST(exact_answers)
{
    struct test_case test = cases_get(_i);
    struct tensors drawn = case_tensors(&test, 11);
    struct settings settings = fixed_l(1);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *expected = doubles(n);
    int compared = 0;
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct tensors tensors = tensors_as(&drawn, dtype);
        struct comparison c = {
            .test = &test, .tensors = &tensors, .settings = &settings, .threads = test.threads, .expected = expected};
        c.status = reference_exact(&tensors, expected);
        if (c.status.code == STATUS_OK)
            c.tolerance = tolerance_exact(&tensors, expected, dtype);
        for (int i = 0; i < registry_count(); i++)
            for (enum level level = 0; level < LEVEL_COUNT; level++) {
                const struct implementation *one = variant(i, &tensors.problem, level);
                if (one == NULL || !one->exact)
                    continue;
                for (int which = 0; which < choose_options(one, which, &settings); which++, compared++)
                    compare(one, &c, level_names[level]);
            }
        tensors_free(&tensors);
    }
    ck_assert_int_gt(compared, 1);
    free(expected);
    tensors_free(&drawn);
}
END_TEST

/* The reference itself: h* must satisfy its own equation in the textbook's arithmetic. */
START_TEST(exact_equation)
{
    struct test_case test = cases_get(_i);
    struct tensors tensors = case_tensors(&test, 12);
    int64_t size = test.problem.T * test.problem.d;
    double *h = doubles(test.problem.B * size), *next = doubles(size);
    struct status status = reference_exact(&tensors, h);
    double tolerance = status.code == STATUS_OK ? tolerance_exact(&tensors, h, DTYPE_FLOAT64) : 0;
    for (int64_t b = 0; b < test.problem.B && status.code == STATUS_OK; b++) {
        struct tensors sequence;
        struct error error;
        ck_assert(tensors_sequence(&tensors, b, &sequence, &error));
        ck_assert(textbook_apply(&sequence.problem, &sequence.inputs, h + b * size, next));
        double residual = distance_scaled(&sequence, next, h + b * size);
        ck_assert_msg(residual <= tolerance, "%s: residual %g, tolerance %g", test.name, residual, tolerance);
        tensors_free(&sequence);
    }
    free(h);
    free(next);
    tensors_free(&tensors);
}
END_TEST

START_TEST(iterates)
{
    static const int64_t lengths[] = {1, 2, 7};
    struct test_case test = cases_get(_i);
    struct tensors drawn = case_tensors(&test, 13);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *expected = doubles(n);
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct tensors tensors = tensors_as(&drawn, dtype);
        for (int k = 0; k < 3; k++) {
            struct settings settings = fixed_l(lengths[k]);
            struct comparison c = {.test = &test,
                                   .tensors = &tensors,
                                   .settings = &settings,
                                   .threads = 1 + (_i / 4 + k) % 3,
                                   .expected = expected,
                                   .status = status_ok()};
            reference_iterate(&tensors, lengths[k], expected);
            c.tolerance = tolerance_iterate(&tensors, lengths[k], expected, dtype);
            for (int i = 0; i < registry_count(); i++)
                for (enum level level = 0; level < LEVEL_COUNT; level++) {
                    const struct implementation *one = variant(i, &tensors.problem, level);
                    if (one == NULL || one->exact || one->solver)
                        continue;
                    choose_options(one, _i + k, &settings);
                    compare(one, &c, level_names[level]);
                }
        }
        tensors_free(&tensors);
    }
    free(expected);
    tensors_free(&drawn);
}
END_TEST

/* Few cases may be too sensitive to compare, or the list would test nothing. */
START_TEST(cases_are_comparable)
{
    int unresolved = 0, singular = 0;
    for (int i = 0; i < cases_count(); i++) {
        struct test_case test = cases_get(i);
        struct tensors tensors = case_tensors(&test, 11);
        double *h = doubles(test.problem.B * test.problem.T * test.problem.d);
        struct status status = reference_exact(&tensors, h);
        singular += status.code != STATUS_OK;
        unresolved += status.code == STATUS_OK && tolerance_exact(&tensors, h, DTYPE_FLOAT32) > UNRESOLVED;
        free(h);
        tensors_free(&tensors);
    }
    ck_assert_msg(unresolved * 20 < cases_count(), "%d of %d cases are too sensitive for float32", unresolved, cases_count());
    ck_assert_msg(singular * 8 < cases_count(), "%d of %d cases have no exact answer", singular, cases_count());
}
END_TEST

Suite *suite_implementations(void);

Suite *suite_implementations(void)
{
    Suite *suite = suite_create("implementations");
    TCase *exact = tcase_create("exact"), *iterative = tcase_create("iterates");
    tcase_add_loop_test(exact, exact_answers, 0, cases_count());
    tcase_add_loop_test(exact, exact_equation, 0, cases_count());
    tcase_add_test(exact, cases_are_comparable);
    tcase_add_loop_test(iterative, iterates, 0, cases_count());
    suite_add_tcase(suite, exact);
    suite_add_tcase(suite, iterative);
    return suite;
}
