/* Samples of a call that the test counts, and what a measure says about its own time and circumstances. */
#include "bench/measure/sampling.h"

#include "bench/base/statistics.h"
#include "tests/support/clock.h"
#include "tests/support/scratch.h"

#include <math.h>

Suite *suite_sampling(void);

static struct {
    int64_t calls, timed;
    int64_t fail_at;    /* this call fails; 0: none does */
    int64_t fail_timed; /* all fail once so many were timed; 0: none does */
} counted;

static struct status count_call(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    (void)plan, (void)inputs, (void)outputs, (void)trace;
    bool fails = ++counted.calls == counted.fail_at || (counted.fail_timed && counted.timed >= counted.fail_timed);
    return (struct status){.code = fails ? STATUS_INTERNAL : STATUS_OK};
}

static double quarter(struct plan *plan)
{
    (void)plan;
    counted.timed++;
    return 0.25;
}

static const struct implementation counting = {.name = "counting", .forward = count_call, .elapsed = quarter};

/* Takes so many samples within a time limit; the counter shows every call. */
static void sample(int samples, double time_limit, int64_t fail_at, int64_t fail_timed, struct sampling *sampling)
{
    static double seconds[100];
    struct call call = {.implementation = &counting};
    const struct limits limits = {.samples = samples, .time_limit = time_limit};
    memset(&counted, 0, sizeof counted);
    counted.fail_at = fail_at;
    counted.fail_timed = fail_timed;
    *sampling = (struct sampling){.seconds = seconds};
    sampling_run(&call, "counting", &limits, sampling);
}

START_TEST(takes_the_samples_that_are_wanted)
{
    struct sampling sampling;
    sample(9, 1e6, 0, 0, &sampling);
    ck_assert_int_eq(sampling.n, 9);
    ck_assert_int_ge(sampling.calls, 1);
    for (int i = 0; i < 9; i++)
        ck_assert_double_eq(sampling.seconds[i], 0.25);
    ck_assert_int_eq(counted.timed, 9 * sampling.calls);
    ck_assert_int_gt(counted.calls, counted.timed); /* some warmed up */
    ck_assert_double_gt(sampling.load.addition_s[0], 0);
    ck_assert_double_gt(sampling.load.addition_s[1], 0);
}
END_TEST

/* The time for samples is over at once: as many as an interval takes are made all the same. */
START_TEST(stops_in_time)
{
    struct sampling sampling;
    sample(100, 1e-9, 0, 0, &sampling);
    ck_assert_int_eq(sampling.n, STATISTICS_INTERVAL_LEAST);
}
END_TEST

START_TEST(calls_that_fail)
{
    struct sampling sampling;
    sample(9, 1e6, 1, 0, &sampling);
    ck_assert_int_eq(sampling.n, 0);
    ck_assert_int_eq(counted.calls, 1);
    ck_assert_str_eq(sampling.reason, "a call failed during warm-up");
    sample(9, 1e6, 0, 5, &sampling);
    ck_assert_int_eq(sampling.n, 0);
    ck_assert_int_eq(counted.timed, 5);
    ck_assert_str_eq(sampling.reason, "a call failed");
}
END_TEST

/* ---- The measures ------------------------------------------------------------------------------------------------------ */

static void measure(const char *name, struct finding *finding)
{
    static const char *const given[] = {"fixed_point", "8", "4", "2", "1", "baseline"};
    static const int field[] = {FIELD_IMPLEMENTATION, FIELD_T, FIELD_D, FIELD_L, FIELD_THREADS, FIELD_ISA};
    const struct limits limits = {.samples = 7, .time_limit = 1e6, .memory_limit = (size_t)1 << 30};
    struct point point;
    struct error error;
    clock_tick(1e-6); /* no stage is so short that the clock would not show it */
    memset(&point, 0, sizeof point);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (fields[f].default_text != NULL && f != FIELD_INPUTS)
            ck_assert(field_read(f, fields[f].default_text, &point.value[f]));
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++)
        ck_assert(field_read(field[i], given[i], &point.value[field[i]]));
    ck_assert(field_read(FIELD_MEASURE, name, &point.value[FIELD_MEASURE]));
    point_canonical(&point);
    *finding = (struct finding){.result = RESULT_OK, .b = -1, .t = -1};
    ck_assert_msg(measure_run(&point, &limits, finding, &error), "%s", error.text);
    ck_assert_msg(finding->result == RESULT_OK, "%s", finding->message);
}

static void forget(struct finding *finding)
{
    json_decref(finding->inputs);
    json_decref(finding->data);
    json_decref(finding->load);
    json_decref(finding->warnings);
}

static void check_stages(const struct finding *finding)
{
    for (int i = 0; i < STAGE_COUNT; i++)
        ck_assert_double_ge(finding->seconds[i], 0);
    ck_assert_double_gt(finding->seconds[STAGE_PLAN], 0);
    ck_assert_double_gt(finding->seconds[STAGE_VALIDATION], 0);
    ck_assert_double_gt(finding->seconds[STAGE_TIMING], 0);
}

START_TEST(throughput_says_where_its_time_went)
{
    struct finding finding;
    measure("throughput", &finding);
    check_stages(&finding);
    ck_assert(json_is_object(finding.load) && json_is_array(finding.warnings));
    const json_t *seconds = json_object_get(finding.data, "seconds");
    double sum = 0, value[7];
    ck_assert_uint_eq(json_array_size(seconds), 7);
    for (size_t i = 0; i < 7; i++)
        sum += value[i] = json_number_value(json_array_get(seconds, i));
    ck_assert_double_ge(finding.seconds[STAGE_TIMING], sum * (double)json_integer_value(json_object_get(finding.data, "calls")));
    ck_assert_double_eq_tol(json_number_value(json_object_get(finding.data, "variation")), statistics_variation(value, 7), 1e-12);
    double low = 0, high = 0, sorted[7];
    memcpy(sorted, value, sizeof sorted);
    statistics_sort(sorted, 7);
    ck_assert(statistics_fences(sorted, 7, &low, &high));
    json_t *outliers = json_array();
    for (int i = 0; i < 7; i++)
        if (value[i] < low || value[i] > high)
            json_array_append_new(outliers, json_integer(i));
    ck_assert(json_equal(outliers, json_object_get(finding.data, "outliers")));
    json_decref(outliers);
    forget(&finding);
}
END_TEST

START_TEST(convergence_says_where_its_time_went)
{
    struct finding finding;
    measure("convergence", &finding);
    check_stages(&finding);
    ck_assert_ptr_null(finding.load);
    ck_assert_ptr_null(finding.warnings);
    forget(&finding);
}
END_TEST

Suite *suite_sampling(void)
{
    Suite *suite = suite_create("sampling");
    TCase *tests = tcase_create("sampling");
    tcase_add_test(tests, takes_the_samples_that_are_wanted);
    tcase_add_test(tests, stops_in_time);
    tcase_add_test(tests, calls_that_fail);
    tcase_add_test(tests, throughput_says_where_its_time_went);
    tcase_add_test(tests, convergence_says_where_its_time_went);
    suite_add_tcase(suite, tests);
    return suite;
}
