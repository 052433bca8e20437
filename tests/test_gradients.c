/* Gradients: of every implementation of the registry that declares some, against differences of what they are defined as the
 * derivative of; then what the contract promises of backward(). */
#include "tests/gradients.h"

#include "bench/textbook.h"
#include "bench/validate.h"
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
    {MIXER_NONE, 0, 0, FEEDBACK_NONE},        {MIXER_DPLR, 1, 1, FEEDBACK_NONE},       {MIXER_DPLR, 3, 0.6, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 1, FEEDBACK_RAW},         {MIXER_DPLR, 2, 0.8, FEEDBACK_RMS},      {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 4, 1, FEEDBACK_NONE}, {MIXER_HOUSEHOLDER, 2, 1, FEEDBACK_RAW}, {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_RMS},
    {MIXER_HOUSEHOLDER, 3, 1, FEEDBACK_RMS},  {MIXER_KRONECKER, 0, 1, FEEDBACK_NONE},  {MIXER_KRONECKER, 0, 0.9, FEEDBACK_RAW},
    {MIXER_KRONECKER, 0, 0.8, FEEDBACK_RMS},  {MIXER_DENSE, 0, 0, FEEDBACK_NONE},      {MIXER_DENSE, 0, 0, FEEDBACK_RAW},
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

/* ---- Edges ------------------------------------------------------------------------------------------------------------------ */

/* Vectors so small that normalise() only scales, and Kronecker factors that are nearly nothing. */
START_TEST(tiny_vectors)
{
    static const struct {
        enum mixer mixer;
        int r;
        double size;
    } tiny[] = {{MIXER_DPLR, 1, 1e-6}, {MIXER_HOUSEHOLDER, 2, 1e-6}, {MIXER_KRONECKER, 0, 1e-3}};
    struct test_case test = gradient_case(ROWS);
    test.problem.mixer = tiny[_i].mixer;
    test.problem.r = tiny[_i].r;
    test.problem.s = 1;
    test.problem.d = 4;
    struct tensors tensors = case_tensors(&test, 76);
    struct loss loss = loss_draw(&test.problem, 77);
    int64_t m = problem_m(&test.problem), from, to;
    strengths(&test.problem, &from, &to);
    for (int64_t k = 0; k < test.problem.B * test.problem.T * m; k++)
        ((double *)tensors.owned[2])[k] *= k % m < from || k % m >= to ? tiny[_i].size : 1e-3; /* differences step by the largest */
    const struct implementation *one = registry_get(registry_find("dense_sequential"), DTYPE_FLOAT64, level_best());
    struct settings settings = asking(GRADIENT_EXACT, 0);
    struct gradient_values expected, values;
    gradient_expect_exact(&tensors, &loss, &expected);
    ck_assert_int_eq(gradient_run(one, &tensors, &settings, 1, &loss, &values).code, STATUS_OK);
    assert_near(one, &tensors, &values, &expected, 1e-6, "tiny");
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
    struct settings settings = asking(GRADIENT_EXACT, 0);
    int64_t m = problem_m(&test.problem);
    struct tensors other = tensors_as(&tensors, DTYPE_FLOAT64);
    ((double *)other.owned[2])[(1 * 4 + 2) * m + m - 1] = 120;
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
        const struct environment environment = {.threads = 2};
        if (!one->exact || !(one->gradients & GRADIENTS_EXACT) || !supports_case(one, &test.problem, &settings))
            continue;
        double h[60], v[60];
        const struct outputs outputs = {.h = h}, weights = {.h = loss.h};
        const struct gradients gradients = {.v = v};
        struct plan *plan;
        ck_assert_int_eq(one->plan(&test.problem, &settings, &environment, &plan).code, STATUS_OK);
        ck_assert_int_eq(one->forward(plan, &tensors.inputs, &outputs, NULL).code, STATUS_OK);
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

/* An adjoint that does not come to rest is said not to have. */
START_TEST(not_converged)
{
    struct test_case test = gradient_case(5);
    struct tensors tensors = case_tensors(&test, 80);
    struct loss loss = loss_draw(&test.problem, 81);
    struct settings settings = asking(GRADIENT_EXACT, 0);
    struct gradient_values values;
    const struct implementation *one = registry_get(registry_find("fixed_point"), DTYPE_FLOAT64, level_best());
    settings.l_max = 2;
    ck_assert_int_eq(gradient_run(one, &tensors, &settings, 2, &loss, &values).code, STATUS_NOT_CONVERGED);
    gradient_values_free(&values);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* ---- The contract ----------------------------------------------------------------------------------------------------------- */

/* Every variant that takes case i, with each of its gradients. */
static void each_variant(int i, uint64_t seed,
                         void (*look)(const struct implementation *, const struct tensors *, const struct settings *,
                                      const struct loss *))
{
    struct test_case test = gradient_case(i);
    test.problem.B = 1 + i % 4;
    struct tensors drawn = case_tensors(&test, seed);
    struct loss loss = loss_draw(&test.problem, seed + 1);
    for (int k = 0; k < registry_count(); k++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum level level = 0; level <= level_best(); level++)
                for (enum gradient gradient = GRADIENT_EXACT; gradient <= GRADIENT_STEPS; gradient++) {
                    const struct implementation *one = registry_get(k, dtype, level);
                    struct settings settings = asking(gradient, gradient == GRADIENT_STEPS ? 1 + i % 3 : 0);
                    struct tensors tensors = tensors_as(&drawn, dtype);
                    if (gradient == GRADIENT_EXACT && !one->exact)
                        settings.l_max = 7; /* iterates, and adjoints, of so many steps are as good as any */
                    settings.tolerance = 0;
                    choose_split(one, i, &settings);
                    if ((one->gradients & (unsigned)gradient) && supports_case(one, &tensors.problem, &settings))
                        look(one, &tensors, &settings, &loss);
                    tensors_free(&tensors);
                }
    loss_free(&loss);
    tensors_free(&drawn);
}

static void same_bits(const struct problem *p, const struct gradient_values *a, const struct gradient_values *b, const char *name,
                      const char *what)
{
    int64_t sizes[TENSORS_MAX];
    tensor_sizes(p, sizes);
    for (int i = 0; i < TENSORS_MAX; i++)
        if (a->of[i] != NULL && b->of[i] != NULL)
            ck_assert_msg(memcmp(a->of[i], b->of[i], (size_t)sizes[i] * sizeof(double)) == 0, "%s: gradient of %s: %s", name,
                          tensor_names[i], what);
}

/* The same bits again, whatever else is asked for, and nearly the same with another number of threads. */
static void look_at_bits(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                         const struct loss *loss)
{
    const struct problem *p = &tensors->problem;
    struct gradient_values all, again, alone;
    if (gradient_run(one, tensors, settings, 2, loss, &all).code != STATUS_OK) { /* singular in float32 */
        gradient_values_free(&all);
        return;
    }
    gradient_run(one, tensors, settings, 2, loss, &again);
    same_bits(p, &all, &again, one->name, "not the same bits twice");
    for (int i = 0; i < TENSORS_MAX; i++) {
        ck_assert_int_eq(gradient_run_some(one, tensors, settings, 2, loss, 1u << i, &alone).code, STATUS_OK);
        same_bits(p, &all, &alone, one->name, "alone it has other bits");
        gradient_values_free(&alone);
    }
    gradient_values_free(&again);
    for (int threads = 1; threads <= 3; threads++) {
        gradient_run(one, tensors, settings, threads, loss, &again);
        assert_near(one, tensors, &again, &all, p->dtype == DTYPE_FLOAT32 ? 1e-3 : 1e-10, "threads");
        gradient_values_free(&again);
    }
    gradient_values_free(&all);
}

START_TEST(bits)
{
    each_variant(_i, 82, look_at_bits);
}
END_TEST

/* Outputs that have no weight may be left out; the gradient is linear in the weights. */
static void look_at_weights(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                            const struct loss *loss)
{
    const struct problem *p = &tensors->problem;
    const struct loss only_h = {.h = loss->h}, only_final = {.final = loss->final};
    struct gradient_values both, h, final;
    int64_t sizes[TENSORS_MAX];
    tensor_sizes(p, sizes);
    if (p->dtype == DTYPE_FLOAT64) {
        ck_assert_int_eq(gradient_run(one, tensors, settings, 2, loss, &both).code, STATUS_OK);
        ck_assert_int_eq(gradient_run(one, tensors, settings, 2, &only_h, &h).code, STATUS_OK);
        ck_assert_int_eq(gradient_run(one, tensors, settings, 2, &only_final, &final).code, STATUS_OK);
        for (int i = 0; i < TENSORS_MAX; i++)
            for (int64_t k = 0; k < sizes[i]; k++)
                h.of[i][k] += final.of[i][k];
        assert_near(one, tensors, &h, &both, 1e-10, "weights of h and of the final state, summed");
        gradient_values_free(&both);
        gradient_values_free(&h);
        gradient_values_free(&final);
    }
}

START_TEST(weights)
{
    each_variant(_i, 84, look_at_weights);
}
END_TEST

/* A batch so large that blocks of tokens end within sequences, and groups of sequences are full: each sequence comes out as it
 * does alone, and W's gradient is the sum of theirs. */
START_TEST(large_batch)
{
    enum { MANY = 300, STEPS = 3, WIDTH = 4 };
    struct test_case test = {.problem = {.B = MANY,
                                         .T = STEPS,
                                         .d = WIDTH,
                                         .mixer = _i % 2 ? MIXER_HOUSEHOLDER : MIXER_DPLR,
                                         .r = 2,
                                         .s = 1,
                                         .feedback = _i / 2 ? FEEDBACK_RMS : FEEDBACK_NONE,
                                         .dtype = DTYPE_FLOAT64},
                             .initial = true};
    struct tensors tensors = case_tensors(&test, 91);
    struct loss loss = loss_draw(&test.problem, 92);
    int64_t m = problem_m(&test.problem);
    const int64_t width[TENSORS_MAX] = {STEPS * WIDTH, STEPS * WIDTH, STEPS * m, 0, WIDTH}; /* of one sequence */
    for (int k = 0; k < registry_count(); k++)
        for (enum gradient gradient = GRADIENT_EXACT; gradient <= GRADIENT_STEPS; gradient++) {
            const struct implementation *one = registry_get(k, DTYPE_FLOAT64, level_best());
            struct settings settings = asking(gradient, gradient == GRADIENT_STEPS ? 2 : 0);
            struct gradient_values all, alone, gathered;
            settings.tolerance = 0;
            settings.l_max = 7;
            if (!(one->gradients & (unsigned)gradient) || !supports_case(one, &test.problem, &settings))
                continue;
            ck_assert_int_eq(gradient_run(one, &tensors, &settings, 1, &loss, &all).code, STATUS_OK);
            ck_assert_int_eq(gradient_run(one, &tensors, &settings, 2, &loss, &gathered).code, STATUS_OK);
            assert_near(one, &tensors, &all, &gathered, 1e-12, "two threads");
            for (int64_t i = 0; gathered.of[3] != NULL && i < m * WIDTH; i++)
                gathered.of[3][i] = 0;
            for (int64_t b = 0; b < MANY; b++) {
                struct tensors sequence;
                struct error error;
                const struct loss its = {loss.h + b * STEPS * WIDTH, loss.final + b * WIDTH};
                ck_assert(tensors_sequence(&tensors, b, &sequence, &error));
                ck_assert_int_eq(gradient_run(one, &sequence, &settings, 1, &its, &alone).code, STATUS_OK);
                for (int i = 0; i < TENSORS_MAX; i++)
                    if (i != 3)
                        memcpy(gathered.of[i] + b * width[i], alone.of[i], (size_t)width[i] * sizeof(double));
                for (int64_t i = 0; alone.of[3] != NULL && i < m * WIDTH; i++)
                    gathered.of[3][i] += alone.of[3][i];
                ck_assert_double_le(distance_max(all.h + b * STEPS * WIDTH, alone.h, STEPS * WIDTH), 1e-12);
                gradient_values_free(&alone);
                tensors_free(&sequence);
            }
            assert_near(one, &tensors, &all, &gathered, 1e-11, "one of many, and alone");
            gradient_values_free(&all);
            gradient_values_free(&gathered);
        }
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* Every variant against the double-precision baseline, on the same tensors: within rounding, times what a small disturbance of the
 * inputs does to the gradient. */
static void look_at_rounding(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                             const struct loss *loss)
{
    const struct problem *p = &tensors->problem;
    const struct implementation *reference = registry_get(registry_find(one->name), DTYPE_FLOAT64, LEVEL_BASELINE);
    double unit = p->dtype == DTYPE_FLOAT32 ? 0x1p-24 : 0x1p-53, size = p->dtype == DTYPE_FLOAT32 ? 1e-6 : 1e-11, sensitivity = 1;
    struct tensors as = tensors_as(tensors, DTYPE_FLOAT64);
    struct gradient_values expected, values;
    struct error error;
    int which;
    if (p->B == 1 && gradient_run(reference, &as, settings, 1, loss, &expected).code == STATUS_OK) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct tensors disturbed;
            ck_assert(tensors_disturbed(&as, size, seed, &disturbed, &error));
            if (gradient_run(reference, &disturbed, settings, 1, loss, &values).code == STATUS_OK)
                sensitivity = fmax(sensitivity, gradient_distance(p, &values, &expected, &which) / size);
            gradient_values_free(&values);
            tensors_free(&disturbed);
        }
        ck_assert_int_eq(gradient_run(one, tensors, settings, 1, loss, &values).code, STATUS_OK);
        assert_near(one, tensors, &values, &expected, 200 * unit * sensitivity, "rounding");
        gradient_values_free(&values);
        gradient_values_free(&expected);
    }
    tensors_free(&as);
}

START_TEST(rounding)
{
    each_variant(4 * _i, 86, look_at_rounding); /* of one sequence each */
}
END_TEST

extern const struct implementation planted_gradient_f64_baseline;

/* A wrong gradient must be found, or nothing of the above says anything. */
START_TEST(a_wrong_gradient_is_found)
{
    struct test_case test = gradient_case(8);
    struct tensors tensors = case_tensors(&test, 88);
    struct loss loss = loss_draw(&test.problem, 89);
    struct settings settings = asking(GRADIENT_EXACT, 0);
    struct gradient_values expected, values;
    int which;
    gradient_expect_exact(&tensors, &loss, &expected);
    ck_assert_int_eq(gradient_run(&planted_gradient_f64_baseline, &tensors, &settings, 1, &loss, &values).code, STATUS_OK);
    ck_assert_double_gt(gradient_distance(&test.problem, &values, &expected, &which), 1e-6);
    ck_assert_str_eq(tensor_names[which], "lambda");
    gradient_values_free(&values);
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

START_TEST(refusals)
{
    struct problem p = {.B = 1, .T = 4, .d = 4, .mixer = MIXER_DPLR, .r = 1, .s = 1};
    const struct environment environment = {.threads = 1};
    struct settings settings = asking(GRADIENT_STEPS, 1);
    struct support support;
    registry_get(registry_find("structured_sequential"), DTYPE_FLOAT32, LEVEL_BASELINE)
        ->supports(&p, &settings, &environment, &support);
    ck_assert(!support.yes);
    ck_assert_str_eq(support.reason, "has no n-step gradient");
    settings.gradient_steps = 0;
    registry_get(registry_find("fixed_point"), DTYPE_FLOAT32, LEVEL_BASELINE)->supports(&p, &settings, &environment, &support);
    ck_assert(!support.yes);
    ck_assert_str_eq(support.reason, "an n-step gradient needs at least one step");
}
END_TEST

Suite *suite_gradients(void);

Suite *suite_gradients(void)
{
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("gradients");
    tcase_add_loop_test(tests, exact_against_differences, 0, CASES);
    tcase_add_loop_test(tests, steps_against_differences, 0, CASES);
    tcase_add_loop_test(tests, tiny_vectors, 0, 3);
    tcase_add_test(tests, singular);
    tcase_add_test(tests, not_converged);
    tcase_add_loop_test(tests, bits, 0, CASES);
    tcase_add_loop_test(tests, weights, 0, CASES);
    tcase_add_loop_test(tests, large_batch, 0, 4);
    tcase_add_loop_test(tests, rounding, 0, CASES / 4);
    tcase_add_test(tests, a_wrong_gradient_is_found);
    tcase_add_test(tests, refusals);
    suite_add_tcase(suite, tests);
    return suite;
}
