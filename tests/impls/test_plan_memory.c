/* What supports() says that plan() would take (support.host_bytes), against what it asks for: memory limits and predictions rest on it. */
#include "tests/support/allocations.h"
#include "tests/support/gradient_cases.h"

#include <check.h>

Suite *suite_plan_memory(void);

/* Beside what grows with the problem: the plan itself, and up to 64 bytes of alignment for each of its arrays. */
enum { APART = 8192 };

static void look(const struct implementation *one, const struct problem *p, const struct settings *settings, int threads)
{
    const struct environment environment = {.threads = threads};
    struct support support;
    struct plan *plan;
    char text[128];
    one->supports(p, settings, &environment, &support);
    if (!support.yes || one->device != DEVICE_CPU)
        return;
    long before = allocations_bytes();
    struct status status = one->plan(p, settings, &environment, &plan);
    double taken = (double)(allocations_bytes() - before), said = (double)support.host_bytes;
    ck_assert_int_eq(status.code, STATUS_OK);
    one->destroy(plan);
    problem_print(p, sizeof text, text);
    ck_assert_msg(taken <= said * 1.02 + APART && said <= taken * 1.02 + APART,
                  "%s, %s, %d threads, l_max %lld, gradient %d: takes %.0f bytes, says %.0f", one->name, text, threads,
                  (long long)settings->l_max, (int)settings->gradient, taken, said);
}

START_TEST(plans)
{
    static const int64_t lengths[] = {1, 7, 40};
    struct test_case test = gradient_case(_i);
    test.problem.B = 3, test.problem.T = 70, test.problem.d = test.problem.mixer == MIXER_DENSE ? 12 : 36;
    for (int i = 0; i < registry_count(); i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum gradient gradient = GRADIENT_NONE; gradient <= GRADIENT_STEPS; gradient++)
                for (int k = 0; k < 3; k++) {
                    const struct implementation *one = registry_get(i, dtype, level_best());
                    struct settings settings = gradient_settings(gradient, gradient == GRADIENT_STEPS ? 1 + k : 0);
                    settings.tolerance = 0, settings.l_max = lengths[k];
                    test.problem.dtype = dtype;
                    choose_options(one, test.index + k, &settings);
                    if (gradient == GRADIENT_NONE || (one->gradients & (unsigned)gradient) != 0)
                        look(one, &test.problem, &settings, 1 + k);
                }
}
END_TEST

/* So many sequences that what is kept of each cannot hide behind the alignment of arrays. */
START_TEST(plans_of_many_sequences)
{
    struct test_case test = gradient_case(_i);
    test.problem.B = 20000, test.problem.T = 3, test.problem.d = test.problem.mixer == MIXER_DENSE ? 2 : 4;
    for (int i = 0; i < registry_count(); i++)
        for (enum gradient gradient = GRADIENT_NONE; gradient <= GRADIENT_STEPS; gradient++)
            for (int tolerance = 0; tolerance <= 1; tolerance++) {
                const struct implementation *one = registry_get(i, DTYPE_FLOAT32, level_best());
                struct settings settings = gradient_settings(gradient, gradient == GRADIENT_STEPS ? 2 : 0);
                settings.tolerance = tolerance ? 1e-3 : 0, settings.l_max = 7;
                test.problem.dtype = DTYPE_FLOAT32;
                choose_options(one, test.index, &settings);
                if (gradient == GRADIENT_NONE || (one->gradients & (unsigned)gradient) != 0)
                    look(one, &test.problem, &settings, 2);
            }
}
END_TEST

Suite *suite_plan_memory(void)
{
    Suite *suite = suite_create("plan_memory");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, plans, 0, gradient_cases());
    tcase_add_loop_test(all, plans_of_many_sequences, 0, gradient_cases());
    suite_add_tcase(suite, all);
    return suite;
}
