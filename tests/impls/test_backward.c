/* What the contract promises of every backward() beside its arithmetic (test_gradients.c): the same bits again, members that are
 * left out, rounding, large batches, clear answers from supports(). That it allocates nothing is looked at in every test
 * (gradients.c). */
#include "tests/support/gradient_cases.h"

#include "bench/problems/disturbance.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every variant that takes a case, with each of its gradients. */
static void each_variant(struct test_case test, uint64_t seed,
                         void (*look)(const struct implementation *, const struct tensors *, const struct settings *,
                                      const struct loss *))
{
    test.problem.B = 1 + test.index % 4;
    struct tensors drawn = case_tensors(&test, seed);
    struct loss loss = loss_draw(&test.problem, seed + 1);
    for (int k = 0; k < registry_count(); k++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum level level = 0; level <= level_best(); level++)
                for (enum gradient gradient = GRADIENT_EXACT; gradient <= GRADIENT_STEPS; gradient++) {
                    const struct implementation *one = registry_get(k, dtype, level);
                    struct settings settings = gradient_settings(gradient, gradient == GRADIENT_STEPS ? 1 + test.index % 3 : 0);
                    struct tensors tensors = tensors_as(&drawn, dtype);
                    if (gradient == GRADIENT_EXACT && !one->exact)
                        settings.l_max = 7; /* iterates, and adjoints, of so many steps are as good as any */
                    settings.tolerance = 0;
                    choose_options(one, test.index, &settings);
                    if ((one->gradients & (unsigned)gradient) && gradient_supported(one, &tensors.problem, &settings))
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
    if (gradients_from(one, tensors, settings, 2, loss, &all).code != STATUS_OK) { /* singular in float32 */
        gradient_values_free(&all);
        return;
    }
    gradients_from(one, tensors, settings, 2, loss, &again);
    same_bits(p, &all, &again, one->name, "not the same bits twice");
    for (int i = 0; i < TENSORS_MAX; i++) {
        ck_assert_int_eq(gradient_run_some(one, tensors, settings, 2, loss, 1u << i, &alone).code, STATUS_OK);
        same_bits(p, &all, &alone, one->name, "alone it has other bits");
        gradient_values_free(&alone);
    }
    gradient_values_free(&again);
    for (int threads = 1; threads <= 3; threads++) {
        gradients_from(one, tensors, settings, threads, loss, &again);
        gradient_assert_near(one, tensors, &again, &all, p->dtype == DTYPE_FLOAT32 ? 1e-3 : 1e-10, "threads");
        gradient_values_free(&again);
    }
    gradient_values_free(&all);
}

START_TEST(bits)
{
    each_variant(gradient_case(_i), 82, look_at_bits);
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
        ck_assert_int_eq(gradients_from(one, tensors, settings, 2, loss, &both).code, STATUS_OK);
        ck_assert_int_eq(gradients_from(one, tensors, settings, 2, &only_h, &h).code, STATUS_OK);
        ck_assert_int_eq(gradients_from(one, tensors, settings, 2, &only_final, &final).code, STATUS_OK);
        for (int i = 0; i < TENSORS_MAX; i++)
            for (int64_t k = 0; k < sizes[i]; k++)
                h.of[i][k] += final.of[i][k];
        gradient_assert_near(one, tensors, &h, &both, 1e-10, "weights of h and of the final state, summed");
        gradient_values_free(&both);
        gradient_values_free(&h);
        gradient_values_free(&final);
    }
}

START_TEST(weights)
{
    each_variant(gradient_case(_i), 84, look_at_weights);
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
            struct settings settings = gradient_settings(gradient, gradient == GRADIENT_STEPS ? 2 : 0);
            struct gradient_values all, alone, gathered;
            settings.tolerance = 0;
            settings.l_max = 7;
            if (!(one->gradients & (unsigned)gradient) || !gradient_supported(one, &test.problem, &settings))
                continue;
            ck_assert_int_eq(gradients_from(one, &tensors, &settings, 1, &loss, &all).code, STATUS_OK);
            ck_assert_int_eq(gradients_from(one, &tensors, &settings, 2, &loss, &gathered).code, STATUS_OK);
            gradient_assert_near(one, &tensors, &all, &gathered, 1e-12, "two threads");
            for (int64_t i = 0; gathered.of[3] != NULL && i < m * WIDTH; i++)
                gathered.of[3][i] = 0;
            for (int64_t b = 0; b < MANY; b++) {
                struct tensors sequence;
                struct error error;
                const struct loss its = {loss.h + b * STEPS * WIDTH, loss.final + b * WIDTH};
                ck_assert(tensors_sequence(&tensors, b, &sequence, &error));
                ck_assert_int_eq(gradients_from(one, &sequence, &settings, 1, &its, &alone).code, STATUS_OK);
                for (int i = 0; i < TENSORS_MAX; i++)
                    if (i != 3)
                        memcpy(gathered.of[i] + b * width[i], alone.of[i], (size_t)width[i] * sizeof(double));
                for (int64_t i = 0; alone.of[3] != NULL && i < m * WIDTH; i++)
                    gathered.of[3][i] += alone.of[3][i];
                ck_assert_double_le(distance_max(all.h + b * STEPS * WIDTH, alone.h, STEPS * WIDTH), 1e-12);
                gradient_values_free(&alone);
                tensors_free(&sequence);
            }
            gradient_assert_near(one, &tensors, &all, &gathered, 1e-11, "one of many, and alone");
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
    if (p->B == 1 && gradients_from(reference, &as, settings, 1, loss, &expected).code == STATUS_OK) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct tensors disturbed;
            ck_assert(tensors_disturbed(&as, size, seed, &disturbed, &error));
            if (gradients_from(reference, &disturbed, settings, 1, loss, &values).code == STATUS_OK)
                sensitivity = fmax(sensitivity, gradient_distance(p, &values, &expected, &which) / size);
            gradient_values_free(&values);
            tensors_free(&disturbed);
        }
        ck_assert_int_eq(gradients_from(one, tensors, settings, 1, loss, &values).code, STATUS_OK);
        gradient_assert_near(one, tensors, &values, &expected, 200 * unit * sensitivity, "rounding");
        gradient_values_free(&values);
        gradient_values_free(&expected);
    }
    tensors_free(&as);
}

START_TEST(rounding)
{
    each_variant(gradient_case_of(4 * _i), 86, look_at_rounding); /* of one sequence each */
}
END_TEST

START_TEST(refusals)
{
    struct problem p = {.B = 1, .T = 4, .d = 4, .mixer = MIXER_DPLR, .r = 1, .s = 1};
    const struct environment environment = {.threads = 1};
    struct settings settings = gradient_settings(GRADIENT_STEPS, 1);
    struct support support;
    registry_get(registry_find("structured_sequential"), DTYPE_FLOAT32, LEVEL_BASELINE)
        ->supports(&p, &settings, &environment, &support);
    ck_assert(!support.yes);
    ck_assert_str_eq(support.reason, "has no n-step gradient");
    settings.gradient_steps = 0;
    registry_get(registry_find("fixed_point"), DTYPE_FLOAT32, LEVEL_BASELINE)->supports(&p, &settings, &environment, &support);
    ck_assert(!support.yes);
    ck_assert_str_eq(support.reason, "gradient_steps = 0: must be between 1 and 1000000");
}
END_TEST

Suite *suite_backward(void);

Suite *suite_backward(void)
{
    Suite *suite = suite_create("backward");
    TCase *tests = tcase_create("backward");
    tcase_add_loop_test(tests, bits, 0, gradient_cases());
    tcase_add_loop_test(tests, weights, 0, gradient_cases());
    tcase_add_loop_test(tests, rounding, 0, GRADIENT_PRODUCT / 4);
    tcase_add_loop_test(tests, large_batch, 0, 4);
    tcase_add_test(tests, refusals);
    suite_add_tcase(suite, tests);
    return suite;
}
