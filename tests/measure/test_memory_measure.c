/* The measure memory: what a pass must hold at the least, what it holds beside that, and that iterations take none of their own. */
#include "bench/command/vocabulary.h"
#include "bench/journal/journal.h"
#include "bench/measure/measure.h"
#include "bench/sweep/sweep.h"
#include "tests/support/scratch.h"

#include <math.h>

Suite *suite_memory_measure(void);

#define MB 1e6

static struct sweep sweep;
static struct finding finding;

static void forget(void)
{
    json_decref(finding.data);
    json_decref(finding.inputs);
    memset(&finding, 0, sizeof finding);
    sweep_free(&sweep);
}

static void teardown(void)
{
    forget();
    scratch_remove();
}

/* Measures the one point of a sweep, whose file holds `text` after two lines of its own. */
static void measure(const char *text)
{
    const struct limits limits = {.time_limit = 3600, .memory_limit = (size_t)4 << 30};
    const char *path = scratch_path("memory.yaml");
    char whole[1024];
    struct error error;
    forget();
    snprintf(whole, sizeof whole, "name: t\nmeasure: memory\nrun: {threads: 2}\n%s", text);
    scratch_write(path, whole, strlen(whole));
    ck_assert_msg(sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error), "%s", error.text);
    ck_assert_uint_eq(sweep.n_points, 1);
    ck_assert_msg(measure_run(&sweep.point[0], &limits, &finding, &error), "%s", error.text);
}

static double figure(const char *name)
{
    const json_t *number = json_object_get(finding.data, name);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

/* v, lambda, h of 4 * 2048 * 128 float32 and theta of 129 a token: 16.8 MB; a scratch of the size of h is 4.2 MB. */
#define LARGE "problem: {B: 4, T: 2048, d: 128}\n"

START_TEST(a_pass_holds_its_tensors)
{
    static const double tensors = 4.0 * 2048 * (3 * 128 + 129) * 4;
    measure("impls: structured_sequential\n" LARGE);
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert_double_ge(figure("tensors_bytes"), tensors); /* initial and final states may count as well */
    ck_assert_double_le(figure("tensors_bytes"), tensors + 2 * 4 * 128 * 4);
    ck_assert_double_ge(figure("forward_bytes"), tensors);
    ck_assert_double_lt(figure("forward_bytes"), tensors + MB); /* one step at a time needs next to nothing */
    ck_assert_double_ge(figure("backward_bytes"), 2 * tensors);
    ck_assert_double_gt(figure("step_bytes"), figure("backward_bytes"));
    double straight = figure("forward_bytes"), backward = figure("backward_bytes");
    measure("impls: fixed_point\n" LARGE "settings: {l: 4}\n"); /* keeps another iterate beside the outputs */
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert_double_gt(figure("forward_bytes"), straight + 4 * MB);
    ck_assert_double_gt(figure("backward_bytes"), backward + 4 * MB);
}
END_TEST

START_TEST(iterations_take_none)
{
    static const char *const names[] = {"forward_bytes", "backward_bytes", "step_bytes"};
    double few[3];
    measure("impls: fixed_point\n" LARGE "settings: {l: 4}\n");
    for (int i = 0; i < 3; i++)
        few[i] = figure(names[i]);
    measure("impls: fixed_point\n" LARGE "settings: {l: 32}\n");
    for (int i = 0; i < 3; i++) /* 28 iterates more would take 117 MB */
        ck_assert_double_eq_tol(figure(names[i]), few[i], 4 * MB);
}
END_TEST

START_TEST(tokens_take_theirs)
{
    measure("impls: fixed_point\nproblem: {B: 4, T: 1024, d: 128}\nsettings: {l: 4}\n");
    double half = figure("backward_bytes");
    measure("impls: fixed_point\n" LARGE "settings: {l: 4}\n");
    ck_assert_double_eq_tol(figure("backward_bytes"), 2 * half, MB);
}
END_TEST

START_TEST(what_is_not_there)
{
    measure("impls: structured_chunked\n" LARGE); /* without a gradient */
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert(figure("forward_bytes") > 0 && isnan(figure("backward_bytes")) && isnan(figure("step_bytes")));
    measure("impls: anderson\n" LARGE); /* a solver that is not told when to stop cannot be validated */
    ck_assert_int_eq(finding.result, (enum result)STATUS_UNSUPPORTED);
    ck_assert_ptr_null(finding.data);
    measure("impls: anderson\n" LARGE "regime: {kappa: 0.5}\nsettings: {l: 200, tolerance: 1e-3}\n");
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert(figure("forward_bytes") > 0 && isnan(figure("backward_bytes")));
}
END_TEST

Suite *suite_memory_measure(void)
{
    Suite *suite = suite_create("memory_measure");
    TCase *tests = tcase_create("memory");
    tcase_add_checked_fixture(tests, scratch_make, teardown);
    tcase_add_test(tests, a_pass_holds_its_tensors);
    tcase_add_test(tests, iterations_take_none);
    tcase_add_test(tests, tokens_take_theirs);
    tcase_add_test(tests, what_is_not_there);
    suite_add_tcase(suite, tests);
    return suite;
}
