/* Gradients: of every implementation of the registry that declares some, against derivatives by complex steps of what they are
 * defined as the derivative of, and where there is none. What else the contract promises of backward() is in test_backward.c. */
#include "tests/support/gradient_cases.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Against complex steps --------------------------------------------------------------------------------------------------- */

static const double TOLERANCE = 1e-9; /* rounding, and adjoints that were iterated to 1e-13, are well below */

static void assert_accurate(const struct implementation *one, const struct tensors *tensors, const struct gradient_values *values,
                            const struct gradient_values *expected, const char *what)
{
    char text[128];
    int which;
    double error = gradient_error(&tensors->problem, values, expected, &which);
    problem_print(&tensors->problem, sizeof text, text);
    ck_assert_msg(error <= TOLERANCE, "%s, %s: %s: gradient of %s off by %g", one->name, text, what, tensor_names[which], error);
}

/* The steps are taken through another writing of the map: it is the textbook's. */
START_TEST(the_map_in_complex_numbers)
{
    struct test_case test = gradient_case(_i);
    struct tensors tensors = case_tensors(&test, 71);
    struct loss loss = loss_draw(&test.problem, 71);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *h = calloc((size_t)n, sizeof *h), *zero = calloc((size_t)n, sizeof *zero), *found = calloc((size_t)n, sizeof *found);
    ck_assert(h != NULL && zero != NULL && found != NULL);
    if (reference_exact(&tensors, h).code == STATUS_OK) { /* a step may be singular */
        gradient_states(&tensors, 0, NULL, found);
        ck_assert_double_lt(distance_scaled(&tensors, found, h), 1e-10);
    }
    reference_iterate(&tensors, 3, h);
    gradient_states(&tensors, 3, zero, found);
    ck_assert_double_lt(distance_scaled(&tensors, found, h), 1e-10);
    free(h), free(zero), free(found);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* Whether there is a gradient to compare: a case of the list must have one where its iterates do not diverge, other shapes (`any`)
 * may be singular or crawl. */
static bool comes(const struct implementation *one, struct status status, bool any)
{
    bool may_fail = any || (!one->exact && status.code == STATUS_DIVERGED);
    ck_assert_msg(status.code == STATUS_OK || may_fail, "%s: %s", one->name, status.message);
    return status.code == STATUS_OK;
}

/* All that have the exact gradient of a case. Returns how many were compared; *iterated of them iterate. */
static int compare_exact(const struct test_case *test, uint64_t seed, bool any, int *iterated)
{
    struct tensors tensors = case_tensors(test, seed);
    struct loss loss = loss_draw(&test->problem, 73);
    struct gradient_values expected, values;
    int compared = 0;
    gradient_expect_exact(&tensors, &loss, &expected);
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
        struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
        choose_options(one, test->index / 2, &settings);
        if (!(one->gradients & GRADIENTS_EXACT) || !gradient_supported(one, &test->problem, &settings))
            continue;
        struct status status = gradients_from(one, &tensors, &settings, 1 + test->index % 3, &loss, &values);
        bool converges = comes(one, status, any);
        if (converges)
            assert_accurate(one, &tensors, &values, &expected, "exact");
        if (converges && one->exact)
            gradient_assert_near(one, &tensors, &values, &expected, 1e-6, "exact");
        gradient_values_free(&values);
        compared += converges;
        *iterated += converges && !one->exact;
    }
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&tensors);
    return compared;
}

START_TEST(exact_by_complex_steps)
{
    struct test_case test = gradient_case(_i);
    int iterated = 0;
    ck_assert_int_ge(compare_exact(&test, 72 + (uint64_t)test.index, false, &iterated), 2);
    bool contracts = test.problem.mixer != MIXER_DPLR || test.problem.r == 1 || test.problem.form == FORM_NORMALISED;
    ck_assert_msg(iterated >= 1 || !contracts, "no implementation that iterates has a gradient of case %d", test.index);
}
END_TEST

static int compare_steps(const struct test_case *test, uint64_t seed, bool any)
{
    struct tensors tensors = case_tensors(test, seed);
    struct loss loss = loss_draw(&test->problem, 75);
    int compared = 0;
    for (int64_t n = 1; n <= 3; n++)
        for (int i = 0; i < registry_count(); i++) {
            const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
            struct settings settings = gradient_settings(GRADIENT_STEPS, n);
            struct gradient_values expected, values;
            choose_options(one, test->index / 2, &settings);
            if (!(one->gradients & GRADIENTS_STEPS) || !gradient_supported(one, &test->problem, &settings))
                continue;
            struct status status = gradients_from(one, &tensors, &settings, 1 + test->index % 3, &loss, &values);
            if (comes(one, status, any)) {
                gradient_expect_steps(&tensors, &loss, n, values.h, &expected); /* at the h of this implementation */
                assert_accurate(one, &tensors, &values, &expected, "n-step");
                gradient_values_free(&expected);
                compared++;
            }
            gradient_values_free(&values);
        }
    loss_free(&loss);
    tensors_free(&tensors);
    return compared;
}

START_TEST(steps_by_complex_steps)
{
    struct test_case test = gradient_case(_i);
    ck_assert_int_ge(compare_steps(&test, 74 + (uint64_t)test.index, false), 3);
}
END_TEST

/* Shapes at which something vanishes: one token, where an answer in the plain form does not depend on the mixer and its gradient is
 * nothing; one channel; more terms than channels. */
START_TEST(other_shapes)
{
    static const struct {
        int64_t B, T, d;
    } shapes[] = {{3, 1, 3}, {2, 4, 1}, {1, 6, 2}};
    struct test_case test = gradient_case(_i);
    int iterated = 0;
    for (int k = 0; k < 3; k++) {
        test.problem.B = shapes[k].B, test.problem.T = shapes[k].T, test.problem.d = shapes[k].d;
        compare_exact(&test, 76 + (uint64_t)k, true, &iterated);
        compare_steps(&test, 79 + (uint64_t)k, true);
    }
}
END_TEST

/* ---- Edges ------------------------------------------------------------------------------------------------------------------ */

/* Vectors so small that normalise() only scales, and Kronecker factors that are nearly nothing. */
START_TEST(tiny_vectors)
{
    static const struct {
        enum mixer mixer;
        int r;
        double size;
    } tiny[] = {{MIXER_DPLR, 1, 1e-6}, {MIXER_HOUSEHOLDER, 2, 1e-6}, {MIXER_KRONECKER, 0, 1e-3}, {MIXER_KRONECKER_ROWS, 0, 1e-3}};
    struct test_case test = gradient_case_of(15);
    test.problem.mixer = tiny[_i].mixer;
    test.problem.r = tiny[_i].r;
    test.problem.s = 1;
    test.problem.d = 4;
    struct tensors tensors = case_tensors(&test, 76);
    struct loss loss = loss_draw(&test.problem, 77);
    int64_t m = problem_m(&test.problem), from, to;
    strengths(&test.problem, &from, &to);
    for (int64_t k = 0; k < test.problem.B * test.problem.T * m; k++)
        ((double *)tensors.owned[2])[k] *= k % m < from || k % m >= to ? tiny[_i].size : 1e-3;
    const struct implementation *one = registry_get(registry_find("dense_sequential"), DTYPE_FLOAT64, level_best());
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct gradient_values expected, values;
    gradient_expect_exact(&tensors, &loss, &expected);
    ck_assert_int_eq(gradients_from(one, &tensors, &settings, 1, &loss, &values).code, STATUS_OK);
    gradient_assert_near(one, &tensors, &values, &expected, 1e-6, "tiny");
    gradient_values_free(&values);
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* Where M is singular there is no exact gradient, and the place is named; the gradients of other sequences are there. */
START_TEST(singular)
{
    struct test_case test = {
        .problem = {
            .B = 3, .T = 4, .d = 5, .mixer = MIXER_HOUSEHOLDER, .r = 1, .s = 1, .form = FORM_PLAIN, .dtype = DTYPE_FLOAT64}};
    struct tensors tensors = case_tensors(&test, 78);
    struct loss loss = loss_draw(&test.problem, 79);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    int64_t m = problem_m(&test.problem);
    struct tensors other = tensors_as(&tensors, DTYPE_FLOAT64);
    ((double *)other.owned[2])[(1 * 4 + 2) * m + m - 1] = 120;
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
        const struct environment environment = {.threads = 2};
        bool solves = one->exact || strcmp(one->name, "fixed_point_fused") == 0; /* others iterate, and stay finite */
        if (!solves || !(one->gradients & GRADIENTS_EXACT) || !gradient_supported(one, &test.problem, &settings))
            continue;
        double h[60], v[60];
        const struct outputs outputs = {.h = h}, weights = {.h = loss.h};
        const struct gradients gradients = {.v = v};
        struct plan *plan;
        ck_assert_int_eq(one->plan(&test.problem, &settings, &environment, &plan).code, STATUS_OK);
        ck_assert_int_ne(one->forward(plan, &tensors.inputs, &outputs, NULL).code, STATUS_DIVERGED);
        struct status status = one->backward(plan, &other.inputs, &outputs, &weights, &gradients);
        ck_assert_msg(status.code == STATUS_SINGULAR && status.b == 1 && status.t == 2, "%s: %s at (%lld,%lld)", one->name,
                      status_names[status.code], (long long)status.b, (long long)status.t);
        ck_assert(isnan(v[20]) && isnan(v[34]) && isfinite(v[35]) && isfinite(v[19]) && isfinite(v[40]));
        one->destroy(plan);
    }
    loss_free(&loss);
    tensors_free(&tensors);
    tensors_free(&other);
}
END_TEST

/* Where Q is all but singular its inverse and its transpose cancel in the gradient of v: with Lambda = 0 the answer is v, in either
 * form, and the gradient is the loss's own. */
START_TEST(nearly_singular)
{
    const struct problem problem = {.B = 2,
                                    .T = 4,
                                    .d = 5,
                                    .mixer = _i & 2 ? MIXER_DPLR : MIXER_HOUSEHOLDER,
                                    .r = 1,
                                    .s = 1,
                                    .form = _i & 1 ? FORM_NORMALISED : FORM_PLAIN,
                                    .dtype = DTYPE_FLOAT64};
    struct test_case test = {.problem = problem};
    struct tensors tensors = case_tensors(&test, 84);
    struct loss loss = loss_draw(&test.problem, 85);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    int64_t m = problem_m(&problem), n = problem.B * problem.T * problem.d;
    int tried = 0;
    for (int64_t i = 0; i < n; i++)
        ((double *)tensors.owned[1])[i] = 0;
    for (int64_t token = 0; token < problem.B * problem.T; token++)
        ((double *)tensors.owned[2])[token * m + m - 1] = 20; /* Q has an eigenvalue of 2e-9 */
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
        struct gradient_values values;
        if (!one->exact || !(one->gradients & GRADIENTS_EXACT) || !gradient_supported(one, &test.problem, &settings))
            continue;
        ck_assert_int_eq(gradients_from(one, &tensors, &settings, 2, &loss, &values).code, STATUS_OK);
        for (int64_t k = 0; k < n; k++) {
            int64_t t = k / problem.d % problem.T;
            double last = t == problem.T - 1 ? loss.final[k / problem.d / problem.T * problem.d + k % problem.d] : 0;
            ck_assert_msg(fabs(values.of[0][k] - (loss.h[k] + last)) < 1e-12, "%s: %.17g for %.17g at %lld", one->name,
                          values.of[0][k], loss.h[k] + last, (long long)k);
        }
        gradient_values_free(&values);
        tried++;
    }
    ck_assert_int_ge(tried, 2);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* An adjoint that does not come to rest is said not to have. */
START_TEST(not_converged)
{
    struct test_case test = gradient_case_of(5);
    struct tensors tensors = case_tensors(&test, 80);
    struct loss loss = loss_draw(&test.problem, 81);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct gradient_values values;
    const struct implementation *one = registry_get(registry_find("fixed_point"), DTYPE_FLOAT64, level_best());
    settings.l_max = 2;
    ck_assert_int_eq(gradients_from(one, &tensors, &settings, 2, &loss, &values).code, STATUS_NOT_CONVERGED);
    gradient_values_free(&values);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

extern const struct implementation planted_gradient_f64_baseline;

/* A wrong gradient must be found, or nothing of the above says anything. */
START_TEST(a_wrong_gradient_is_found)
{
    struct test_case test = gradient_case_of(8);
    struct tensors tensors = case_tensors(&test, 88);
    struct loss loss = loss_draw(&test.problem, 89);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct gradient_values expected, values;
    int which;
    gradient_expect_exact(&tensors, &loss, &expected);
    ck_assert_int_eq(gradients_from(&planted_gradient_f64_baseline, &tensors, &settings, 1, &loss, &values).code, STATUS_OK);
    ck_assert_double_gt(gradient_distance(&test.problem, &values, &expected, &which), 1e-6);
    ck_assert_str_eq(tensor_names[which], "lambda");
    gradient_values_free(&values);
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

Suite *suite_gradients(void);

Suite *suite_gradients(void)
{
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("gradients");
    tcase_add_loop_test(tests, the_map_in_complex_numbers, 0, gradient_cases());
    tcase_add_loop_test(tests, exact_by_complex_steps, 0, gradient_cases());
    tcase_add_loop_test(tests, steps_by_complex_steps, 0, gradient_cases());
    tcase_add_loop_test(tests, other_shapes, 0, gradient_cases());
    tcase_add_loop_test(tests, tiny_vectors, 0, 4);
    tcase_add_test(tests, singular);
    tcase_add_loop_test(tests, nearly_singular, 0, 4);
    tcase_add_test(tests, not_converged);
    tcase_add_test(tests, a_wrong_gradient_is_found);
    suite_add_tcase(suite, tests);
    return suite;
}
