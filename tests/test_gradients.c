/* Gradients: of every implementation of the registry that declares some, against differences of what they are defined as the
 * derivative of; then what the contract promises of backward(). */
#include "tests/gradients.h"

#include "tests/allocations.h"
#include "tasks/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum mixer mixer;
    int r;
    double s;
    enum feedback feedback;
} rows[] = {
    {MIXER_NONE, 0, 0, FEEDBACK_NONE},        {MIXER_DPLR, 1, 1, FEEDBACK_NONE},        {MIXER_DPLR, 3, 0.6, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 1, FEEDBACK_RAW},         {MIXER_DPLR, 2, 0.8, FEEDBACK_RMS},       {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 4, 1, FEEDBACK_NONE}, {MIXER_HOUSEHOLDER, 2, 1, FEEDBACK_RAW},  {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_RMS},
    {MIXER_HOUSEHOLDER, 3, 1, FEEDBACK_RMS},  {MIXER_KRONECKER, 0, 1, FEEDBACK_NONE},   {MIXER_KRONECKER, 0, 0.9, FEEDBACK_RAW},
    {MIXER_KRONECKER, 0, 0.8, FEEDBACK_RMS},  {MIXER_DENSE, 0, 0, FEEDBACK_NONE},       {MIXER_DENSE, 0, 0, FEEDBACK_RAW},
};
enum { ROWS = sizeof rows / sizeof rows[0], CASES = ROWS * FORM_COUNT * 2 };

static const char *const tensor_names[] = {"v", "lambda", "theta", "W", "h0"};

/* Case i: a row, a form, with or without an initial state, of a shape that is drawn. */
static struct test_case gradient_case(int i)
{
    int row = i % ROWS;
    double u[3];
    for (int k = 0; k < 3; k++)
        u[k] = random_uniform(71, (uint32_t)k, (uint64_t)i);
    return (struct test_case){.name = "gradient",
                              .initial = i / ROWS / FORM_COUNT % 2,
                              .problem = {.B = 1 + (int64_t)(3 * u[0]),
                                          .T = 1 + (int64_t)(6 * u[1]),
                                          .d = 2 + (int64_t)(6 * u[2]),
                                          .mixer = rows[row].mixer,
                                          .r = rows[row].r,
                                          .s = rows[row].s,
                                          .form = (enum form)(i / ROWS % FORM_COUNT),
                                          .feedback = rows[row].feedback,
                                          .dtype = DTYPE_FLOAT64}};
}

/* The settings of a gradient: converged far below what is compared, when it iterates. */
static struct settings asking(enum gradient gradient, int64_t steps)
{
    struct settings settings = fixed_l(steps > 0 ? 4 : 20000);
    settings.gradient = gradient;
    settings.gradient_steps = steps;
    settings.tolerance = gradient == GRADIENT_EXACT ? 1e-13 : 0;
    return settings;
}

static bool supports_case(const struct implementation *one, const struct problem *p, const struct settings *settings)
{
    const struct environment environment = {.threads = 3};
    struct support support;
    one->supports(p, settings, &environment, &support);
    return support.yes;
}

/* A way to divide the work, where the implementation has them. */
static void choose_split(const struct implementation *one, int which, struct settings *settings)
{
    static const char *const splits[] = {"batch", "channels", "time"};
    if (one->options == NULL || which % 4 == 3)
        return;
    settings->n_options = 1;
    snprintf(settings->option[0].name, sizeof settings->option[0].name, "split");
    snprintf(settings->option[0].value, sizeof settings->option[0].value, "%s", splits[which % 4]);
}

static void assert_near(const struct implementation *one, const struct tensors *tensors, const struct gradient_values *values,
                        const struct gradient_values *expected, double tolerance, const char *what)
{
    char text[128];
    int which;
    double distance = gradient_distance(&tensors->problem, values, expected, &which);
    problem_print(&tensors->problem, sizeof text, text);
    ck_assert_msg(distance <= tolerance, "%s, %s%s: %s: gradient of %s off by %g", one->name, text,
                  tensors->inputs.h0 != NULL ? " h0" : "", what, tensor_names[which], distance);
}

/* ---- Against differences --------------------------------------------------------------------------------------------------- */

START_TEST(exact_against_differences)
{
    struct test_case test = gradient_case(_i);
    struct tensors tensors = case_tensors(&test, 72 + (uint64_t)_i);
    struct loss loss = loss_draw(&test.problem, 73);
    struct gradient_values expected, values;
    int compared = 0;
    gradient_expect_exact(&tensors, &loss, &expected);
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
        struct settings settings = asking(GRADIENT_EXACT, 0);
        choose_split(one, _i / 2, &settings);
        if (!(one->gradients & GRADIENTS_EXACT) || !supports_case(one, &test.problem, &settings))
            continue;
        struct status status = gradient_run(one, &tensors, &settings, 1 + _i % 3, &loss, &values);
        bool converges = one->exact || status.code != STATUS_DIVERGED; /* not every problem has iterates that do */
        ck_assert_msg(status.code == STATUS_OK || !converges, "%s: %s", one->name, status.message);
        if (converges)
            assert_near(one, &tensors, &values, &expected, 1e-6, "exact");
        gradient_values_free(&values);
        compared += converges;
    }
    ck_assert_int_ge(compared, 2);
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

START_TEST(steps_against_differences)
{
    struct test_case test = gradient_case(_i);
    struct tensors tensors = case_tensors(&test, 74 + (uint64_t)_i);
    struct loss loss = loss_draw(&test.problem, 75);
    int compared = 0;
    for (int64_t n = 1; n <= 3; n++)
        for (int i = 0; i < registry_count(); i++) {
            const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
            struct settings settings = asking(GRADIENT_STEPS, n);
            struct gradient_values expected, values;
            choose_split(one, _i / 2, &settings);
            if (!(one->gradients & GRADIENTS_STEPS) || !supports_case(one, &test.problem, &settings))
                continue;
            struct status status = gradient_run(one, &tensors, &settings, 1 + _i % 3, &loss, &values);
            ck_assert_msg(status.code == STATUS_OK, "%s: %s", one->name, status.message);
            gradient_expect_steps(&tensors, &loss, n, values.h, &expected); /* at the h of this implementation */
            assert_near(one, &tensors, &values, &expected, 1e-6, "n-step");
            gradient_values_free(&values);
            gradient_values_free(&expected);
            compared++;
        }
    ck_assert_int_ge(compared, 3);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

Suite *suite_gradients(void);

Suite *suite_gradients(void)
{
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("gradients");
    tcase_add_loop_test(tests, exact_against_differences, 0, CASES);
    tcase_add_loop_test(tests, steps_against_differences, 0, CASES);
    suite_add_tcase(suite, tests);
    return suite;
}
