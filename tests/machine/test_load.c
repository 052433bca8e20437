/* What else goes on while something is timed: the counters of a system that the test lays out, differences done by hand, the
 * pace. */
#include "bench/base/files.h"
#include "bench/machine/load.h"
#include "bench/machine/pace.h"
#include "tests/support/scratch.h"

#include <math.h>

Suite *suite_load(void);

static void lay_out(const char *folder, const char *name, const char *text)
{
    struct error error;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_msg(files_make_folder(scratch_path(folder), &error), "%s", error.text);
    scratch_write(scratch_path(path), text, strlen(text));
}

#define CORE "sys/devices/system/cpu/cpu%d/thermal_throttle"

static void lay_out_core(int core, const char *count)
{
    char folder[128];
    snprintf(folder, sizeof folder, CORE, core);
    lay_out(folder, "core_throttle_count", count);
}

/* Everything that is neither idle nor stolen, in hundredths of a second; guests are in user already. */
START_TEST(counters_are_read)
{
    struct load_counts counts;
    lay_out("proc", "stat", "cpu  100 20 30 5000 700 4 6 50 90 9\ncpu0 1 1 1 1 1 1 1 1 0 0\n");
    lay_out_core(0, "3\n");
    lay_out_core(1, "4\n");
    load_count(scratch, &counts);
    ck_assert_double_eq_tol(counts.busy, 1.6, 1e-12);
    ck_assert_double_eq_tol(counts.steal, 0.5, 1e-12);
    ck_assert_double_eq(counts.throttle, 7);
    ck_assert_double_ge(counts.own, 0);
    ck_assert_double_ge(counts.switches, 0);
}
END_TEST

START_TEST(counters_that_are_not_there)
{
    static const char *const bad[] = {"", "cpu\n", "cpu  1 2 3\n", "intr 1 2 3 4 5 6 7 8 9\n"};
    struct load_counts counts;
    load_count(scratch, &counts);
    ck_assert(isnan(counts.busy) && isnan(counts.steal) && isnan(counts.throttle));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        lay_out("proc", "stat", bad[i]);
        load_count(scratch, &counts);
        ck_assert_msg(isnan(counts.busy) && isnan(counts.steal), "%s", bad[i]);
    }
}
END_TEST

static const struct load_counts before = {.at = 10, .busy = 100, .own = 5, .steal = 1, .switches = 40, .throttle = 2};

/* Two seconds, three busy processor seconds of which one is this process'. */
START_TEST(differences)
{
    const struct load_counts after = {.at = 12, .busy = 103, .own = 6, .steal = 1.5, .switches = 50, .throttle = 9};
    struct load load;
    load_between(&before, &after, &load);
    ck_assert_double_eq(load.others, 1);
    ck_assert_double_eq(load.steal, 0.25);
    ck_assert_double_eq(load.switches, 5);
    ck_assert_double_eq(load.throttled, 7);
    ck_assert_double_eq_tol(load.resolution, 0.01, 1e-12);
}
END_TEST

/* A tick too few is nobody else; far too few is a counter that does not count us; and a moment says nothing. */
START_TEST(differences_that_say_little)
{
    struct load_counts after = before;
    struct load load;
    after.at += 1;
    after.own += 1;
    after.busy += 0.99;
    load_between(&before, &after, &load);
    ck_assert_double_eq(load.others, 0);
    after.busy = before.busy;
    load_between(&before, &after, &load);
    ck_assert(isnan(load.others));
    after.busy = NAN;
    load_between(&before, &after, &load);
    ck_assert(isnan(load.others));
    ck_assert_double_eq(load.steal, 0);
    after = before;
    after.at += 0.04;
    after.busy += 0.02;
    load_between(&before, &after, &load);
    ck_assert(isnan(load.others) && isnan(load.steal));
    after.at += 0.02;
    load_between(&before, &after, &load);
    ck_assert_double_eq_tol(load.others, 1.0 / 3, 1e-9);
}
END_TEST

/* A quota of any group around this process stops it, of either generation. */
START_TEST(stops_by_a_quota_are_counted)
{
    struct load_counts first, second;
    struct load load;
    lay_out("proc/self", "cgroup", "4:cpu,cpuacct:/job/step\n3:memory:/other\n0::/\n");
    lay_out("sys/fs/cgroup/memory/other", "cpu.stat", "nr_throttled 1000\n");
    load_count(scratch, &first);
    ck_assert(isnan(first.stops));
    lay_out("sys/fs/cgroup/cpu/job/step", "cpu.stat", "nr_periods 9\nnr_throttled 5\nthrottled_time 77\n");
    lay_out("sys/fs/cgroup/cpu/job", "cpu.stat", "nr_periods 9\nnr_throttled 2\nthrottled_time 77\n");
    load_count(scratch, &first);
    ck_assert_double_eq(first.stops, 7);
    lay_out("sys/fs/cgroup/cpu/job", "cpu.stat", "nr_periods 12\nnr_throttled 4\nthrottled_time 99\n");
    load_count(scratch, &second);
    load_between(&first, &second, &load);
    ck_assert_double_eq(load.stopped, 2);
    lay_out("proc/self", "cgroup", "0::/slice/scope\n");
    lay_out("sys/fs/cgroup/slice", "cpu.stat", "usage_usec 10\nnr_periods 3\nnr_throttled 3\nthrottled_usec 8\n");
    load_count(scratch, &second);
    ck_assert_double_eq(second.stops, 3);
}
END_TEST

START_TEST(this_system)
{
    struct load_counts began;
    struct load load;
    load_begin(&began, &load);
    load_end(&began, &load);
    ck_assert_double_gt(load.addition_s[0], 0);
    ck_assert_double_gt(load.addition_s[1], 0);
    json_t *json = load_to_json(&load);
    static const char *const names[] = {"others", "steal", "switches", "addition_s"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(json_object_get(json, names[i]) != NULL, "%s", names[i]);
    ck_assert_uint_eq(json_object_size(json), sizeof names / sizeof names[0]);
    ck_assert_double_eq(json_number_value(json_array_get(json_object_get(json, "addition_s"), 1)), load.addition_s[1]);
    json_decref(json);
}
END_TEST

/* No processor runs at 100 GHz: a shorter time would mean that the compiler has shortened the chain. */
START_TEST(additions_are_carried_out)
{
    double addition = pace_addition();
    ck_assert(isfinite(addition));
    ck_assert_double_gt(addition, 1e-11);
}
END_TEST

Suite *suite_load(void)
{
    Suite *suite = suite_create("load");
    TCase *tests = tcase_create("load");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, counters_are_read);
    tcase_add_test(tests, counters_that_are_not_there);
    tcase_add_test(tests, differences);
    tcase_add_test(tests, differences_that_say_little);
    tcase_add_test(tests, stops_by_a_quota_are_counted);
    tcase_add_test(tests, this_system);
    tcase_add_test(tests, additions_are_carried_out);
    suite_add_tcase(suite, tests);
    return suite;
}
