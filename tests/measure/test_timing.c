/* The shim over Google Benchmark: the number of calls and the arithmetic, with a clock of the test's own; and every way to fail. */
#include "bench/measure/timing.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

Suite *suite_timing(void);

struct work {
    int64_t calls, fail_at; /* 0: never */
    double tick;            /* what its clock shows after each call */
    double began, ended;    /* what the wall clock showed at the first call, and after the last */
};

static bool work(void *argument)
{
    struct work *counted = argument;
    return ++counted->calls != counted->fail_at;
}

static double wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Lasts until the wall clock has moved. */
static bool moving_work(void *argument)
{
    struct work *counted = argument;
    double began = wall_clock();
    if (counted->calls == 0)
        counted->began = began;
    do
        counted->ended = wall_clock();
    while (counted->ended <= began);
    return work(argument);
}

static double own_clock(void *argument)
{
    return ((struct work *)argument)->tick;
}

static char reason[160];
static double seconds;

START_TEST(makes_the_calls_it_is_asked_for)
{
    static const int64_t counts[] = {1, 2, 3, 7, 1000, 100000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct work counted = {.tick = 0.25};
        ck_assert_msg(timing_sample("work", work, &counted, own_clock, counts[i], &seconds, reason, sizeof reason), "%s", reason);
        ck_assert_int_eq(counted.calls, counts[i]);
        ck_assert_double_eq(seconds, 0.25);
    }
}
END_TEST

/* All calls lie within what is measured, and that within what the test sees from outside. */
START_TEST(uses_the_wall_clock)
{
    struct work counted = {.calls = 0};
    double before = wall_clock();
    ck_assert_msg(timing_sample("slow", moving_work, &counted, NULL, 3, &seconds, reason, sizeof reason), "%s", reason);
    double after = wall_clock(), rounding = 1e-9;
    ck_assert_int_eq(counted.calls, 3);
    ck_assert_double_gt(seconds, 0);
    ck_assert_double_ge(3 * seconds, counted.ended - counted.began - rounding);
    ck_assert_double_le(3 * seconds, after - before + rounding);
}
END_TEST

START_TEST(works_hundreds_of_times)
{
    static const char *const names[] = {"a", "a", "fixed_point (4,256,32) r=1", "x/y:z", "50 % {}", "", "--benchmark_filter=none"};
    struct work counted = {.tick = 1e-9};
    for (int i = 0; i < 700; i++)
        ck_assert_msg(timing_sample(names[i % 7], work, &counted, own_clock, 2, &seconds, reason, sizeof reason), "%s", reason);
    ck_assert_int_eq(counted.calls, 1400);
    ck_assert_double_eq_tol(seconds, 1e-9, 1e-20);
}
END_TEST

START_TEST(stops_at_a_failed_call)
{
    for (int64_t at = 1; at <= 10; at++) {
        struct work counted = {.fail_at = at, .tick = 1};
        seconds = -7;
        ck_assert(!timing_sample("failing", work, &counted, at % 2 ? own_clock : NULL, 10, &seconds, reason, sizeof reason));
        ck_assert_int_eq(counted.calls, at);
        ck_assert_str_eq(reason, "a call failed");
        ck_assert_double_eq(seconds, -7);
    }
    struct work fine = {.tick = 1};
    ck_assert(timing_sample("after that", work, &fine, own_clock, 1, &seconds, reason, sizeof reason));
}
END_TEST

START_TEST(refuses_times_that_are_none)
{
    const double ticks[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        struct work counted = {.tick = ticks[i]};
        ck_assert(!timing_sample("no time", work, &counted, own_clock, 5, &seconds, reason, sizeof reason));
        ck_assert_int_eq(counted.calls, 5);
        ck_assert_str_eq(reason, "the clock gave no usable time");
    }
}
END_TEST

START_TEST(refuses_no_calls)
{
    struct work counted = {.tick = 1};
    for (int64_t calls = -1; calls <= 0; calls++) {
        ck_assert(!timing_sample("none", work, &counted, own_clock, calls, &seconds, reason, sizeof reason));
        ck_assert_str_eq(reason, "a sample needs at least one call");
    }
    ck_assert_int_eq(counted.calls, 0);
    ck_assert(!timing_sample("cut", work, &counted, own_clock, 0, &seconds, reason, 9));
    ck_assert_str_eq(reason, "a sample");
}
END_TEST

START_TEST(prints_nothing)
{
    struct work counted = {.tick = 1, .fail_at = 3};
    const char *path = scratch_path("printed");
    fflush(NULL);
    int out = dup(1), err = dup(2);
    ck_assert(freopen(path, "w", stdout) != NULL && dup2(fileno(stdout), 2) == 2);
    timing_sample("good", work, &counted, own_clock, 2, &seconds, reason, sizeof reason);
    timing_sample("bad", work, &counted, own_clock, 2, &seconds, reason, sizeof reason);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    char *text = scratch_read(path);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

Suite *suite_timing(void)
{
    Suite *suite = suite_create("timing");
    TCase *tests = tcase_create("timing");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, makes_the_calls_it_is_asked_for);
    tcase_add_test(tests, uses_the_wall_clock);
    tcase_add_test(tests, works_hundreds_of_times);
    tcase_add_test(tests, stops_at_a_failed_call);
    tcase_add_test(tests, refuses_times_that_are_none);
    tcase_add_test(tests, refuses_no_calls);
    tcase_add_test(tests, prints_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
