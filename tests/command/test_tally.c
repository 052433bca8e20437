/* Which rounds are wanted: the order within a round, what of a journal counts, and when a point has had enough. */
#include "bench/command/points.h"
#include "bench/command/schedule.h"
#include "bench/command/tally.h"
#include "bench/command/vocabulary.h"
#include "tests/support/scratch.h"

#include <math.h>

static struct error error;
static struct sweep sweep;
static struct tally tally;
static const struct conditions here = {"machine", "libraries", 10}, elsewhere = {"another machine", "libraries", 10};

/* Three points whose figures repeat, and one whose figures do not. */
static void setup(void)
{
    const char *text = "name: t\nproblem: {T: 8, d: 4, mixer: dplr}\nimpls: fixed_point\n"
                       "run: {samples: 10, rounds: 6, time_limit: 10 s, until: {relative_interval: 5%, at_most: 9 rounds}}\n"
                       "grids: [{measure: throughput, settings: {l: [1, 2, 3]}}, {measure: convergence}]\n";
    scratch_make();
    scratch_write(scratch_path("sweep.yaml"), text, strlen(text));
    ck_assert_msg(sweep_read(&sweep_vocabulary, scratch_path("sweep.yaml"), NULL, false, &sweep, &error), "%s", error.text);
    ck_assert_msg(tally_make(&sweep, &here, false, &tally, &error), "%s", error.text);
}

static void teardown(void)
{
    tally_free(&tally);
    sweep_free(&sweep);
    scratch_remove();
}

/* A record of a point as a run leaves it. */
static void record_of(struct tally *into, const struct conditions *conditions, size_t point, int round, const char *result,
                      double median, double time_limit)
{
    char key[KEY_SIZE];
    point_key(&sweep.point[point], conditions, key);
    json_t *record =
        json_pack("{ss si ss s{so} s{sf so}}", "key", key, "round", round, "result", result, "throughput", "median",
                  median > 0 ? json_real(median) : json_null(), "limits", "time_s", time_limit, "memory_bytes", json_null());
    ck_assert_ptr_nonnull(record);
    tally_record(into, record);
    json_decref(record);
}

static void ok(size_t point, int round, double median)
{
    record_of(&tally, &here, point, round, "ok", median, 10);
}

START_TEST(orders_are_permutations)
{
    enum { N = 50 };
    size_t order[4][N];
    bool all[N] = {false};
    schedule_round(1, 0, N, order[0]);
    schedule_round(1, 0, N, order[1]);
    schedule_round(1, 1, N, order[2]);
    schedule_round(2, 0, N, order[3]);
    for (size_t i = 0; i < N; i++)
        all[order[0][i]] = true;
    for (size_t i = 0; i < N; i++)
        ck_assert(all[i]);
    ck_assert_int_eq(memcmp(order[0], order[1], sizeof order[0]), 0);
    ck_assert_int_ne(memcmp(order[0], order[2], sizeof order[0]), 0);
    ck_assert_int_ne(memcmp(order[0], order[3], sizeof order[0]), 0);
    schedule_round(1, 0, 0, order[0]); /* nothing to do */
}
END_TEST

/* Every point comes first about equally often: 600 draws of 3, 200 expected, 5 standard deviations allowed. */
START_TEST(orders_are_fair)
{
    int first[3] = {0};
    size_t order[3];
    for (int round = 0; round < 600; round++) {
        schedule_round(7, round, 3, order);
        first[order[0]]++;
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_lt(abs(first[i] - 200), 58);
}
END_TEST

START_TEST(empty_wants_all)
{
    for (size_t i = 0; i < 4; i++)
        for (int round = 0; round < 6; round++)
            ck_assert_int_eq(tally_wants(&tally, i, round), i < 3 || round == 0);
    /* of the rounds after the sixth only the next is known to be wanted */
    ck_assert_uint_eq(tally_planned(&tally), 3 * 7 + 1);
    ck_assert_int_eq(tally_result(&tally, 0), RESULT_COUNT);
}
END_TEST

START_TEST(finished_rounds_count)
{
    ok(0, 0, 1);
    ok(0, 2, 1);
    ok(3, 0, 0);
    ck_assert_uint_eq(tally.kept, 3);
    ck_assert(!tally_wants(&tally, 0, 0));
    ck_assert(tally_wants(&tally, 0, 1));
    ck_assert(!tally_wants(&tally, 0, 2));
    ck_assert(!tally_wants(&tally, 3, 0));
    ck_assert_int_eq(tally_result(&tally, 0), RESULT_OK);
    ok(0, 2, 1); /* the same round again is no other round */
    ck_assert_uint_eq(tally.kept, 3);
}
END_TEST

/* Six rounds 1.00 .. 1.05: the interval is from the first to the last, +-2.5 % of 1.025, narrow enough; 1.0 .. 1.5 is not. */
START_TEST(more_rounds_until_narrow)
{
    for (int round = 0; round < 6; round++) {
        ok(0, round, 1 + 0.01 * round);
        ok(1, round, 1 + 0.1 * round);
    }
    ck_assert(!tally_wants(&tally, 0, 6));
    ck_assert(tally_wants(&tally, 1, 6));
    ck_assert_uint_eq(tally_planned(&tally), 1 + 7 + 1);
    for (int round = 6; round < 9; round++)
        ok(1, round, 1.25);
    ck_assert_uint_eq(tally_planned(&tally), 7 + 1); /* at most 9 */
}
END_TEST

START_TEST(what_ended_is_left_alone)
{
    record_of(&tally, &here, 0, 0, "wrong", 0, 10);
    ok(0, 1, 1);
    for (int round = 0; round < 9; round++)
        ck_assert(!tally_wants(&tally, 0, round));
    ck_assert_int_eq(tally_result(&tally, 0), RESULT_WRONG);
    ok(0, 0, 1); /* it was measured again, and the later record counts */
    ck_assert(tally_wants(&tally, 0, 2));
    ck_assert_int_eq(tally_result(&tally, 0), RESULT_OK);
}
END_TEST

START_TEST(retry_forgets_failures)
{
    struct tally again;
    ck_assert(tally_make(&sweep, &here, true, &again, &error));
    record_of(&again, &here, 0, 0, "crashed", 0, 10);
    record_of(&again, &here, 1, 0, "singular", 0, 10);
    ck_assert(tally_wants(&again, 0, 0));
    ck_assert(!tally_wants(&again, 1, 0));
    tally_free(&again);
}
END_TEST

START_TEST(limits_that_changed)
{
    record_of(&tally, &here, 0, 0, "timed_out", 0, 9); /* the limit is 10 s now */
    record_of(&tally, &here, 1, 0, "timed_out", 0, 10);
    record_of(&tally, &here, 2, 0, "out_of_memory", 0, 9); /* the memory limit is what it was */
    ck_assert(tally_wants(&tally, 0, 0));
    ck_assert(!tally_wants(&tally, 1, 0));
    ck_assert(!tally_wants(&tally, 2, 0));
    sweep.run.memory_limit = 1 << 30;
    record_of(&tally, &here, 3, 0, "out_of_memory", 0, 9);
    ck_assert(tally_wants(&tally, 3, 0));
}
END_TEST

START_TEST(strangers_do_not_count)
{
    static const char *const strangers[] = {"{}",
                                            "{\"key\": \"0123456789abcdef0123456789abcdef\", \"round\": 0, \"result\": \"ok\"}",
                                            "{\"key\": 3}", "{\"key\": \"0\", \"round\": \"0\"}"};
    record_of(&tally, &elsewhere, 0, 0, "ok", 1, 10);
    ck_assert_uint_eq(tally.other_conditions, 1);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        json_t *record = json_loads(strangers[i], 0, NULL);
        tally_record(&tally, record);
        json_decref(record);
    }
    record_of(&tally, &here, 0, -1, "ok", 1, 10);
    record_of(&tally, &here, 0, 0, "splendid", 1, 10);
    ck_assert_uint_eq(tally.other_points, 4);
    ck_assert_uint_eq(tally.other_conditions, 3);
    record_of(&tally, &here, 0, 1000, "ok", 1, 10); /* a round beyond those that the sweep can have */
    ck_assert_uint_eq(tally.kept, 0);
    ck_assert(tally_wants(&tally, 0, 0));
}
END_TEST

START_TEST(points_file)
{
    struct keys keys;
    ck_assert(points_read(scratch, &keys, &error)); /* there is none: everything counts */
    ck_assert(keys.all && points_hold(&keys, "anything"));
    ck_assert_msg(points_write(scratch, &tally, &error), "%s", error.text);
    ck_assert_msg(points_read(scratch, &keys, &error), "%s", error.text);
    ck_assert_uint_eq(keys.n, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert(points_hold(&keys, tally.point[i].key));
    ck_assert(!points_hold(&keys, "0123456789abcdef0123456789abcdef") && !points_hold(&keys, NULL));
    points_free(&keys);
    char *text = scratch_read(scratch_path("points.txt")), *last = text + strlen(text) - 1;
    while (last[-1] != '\n')
        last--;
    scratch_write(scratch_path("points.txt"), text, (size_t)(last - text)); /* a point less */
    ck_assert(!points_read(scratch, &keys, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "points.txt: changed since it was written, its checksum does not fit"));
    char *lines = strchr(text, '\n') + 1; /* as older runs have it */
    scratch_write(scratch_path("points.txt"), lines, strlen(lines));
    ck_assert_msg(points_read(scratch, &keys, &error), "%s", error.text);
    ck_assert_uint_eq(keys.n, 4);
    points_free(&keys);
    free(text);
    scratch_write(scratch_path("points.txt"), "", 0);
    ck_assert(!points_read(scratch, &keys, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "points.txt: holds no key"));
    scratch_write(scratch_path("points.txt"), "0123\n", 5);
    ck_assert(!points_read(scratch, &keys, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "points.txt: line 1 does not begin with a key"));
}
END_TEST

Suite *suite_tally(void);

Suite *suite_tally(void)
{
    Suite *suite = suite_create("tally");
    TCase *tests = tcase_create("tally");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, orders_are_permutations);
    tcase_add_test(tests, orders_are_fair);
    tcase_add_test(tests, empty_wants_all);
    tcase_add_test(tests, finished_rounds_count);
    tcase_add_test(tests, more_rounds_until_narrow);
    tcase_add_test(tests, what_ended_is_left_alone);
    tcase_add_test(tests, retry_forgets_failures);
    tcase_add_test(tests, limits_that_changed);
    tcase_add_test(tests, strangers_do_not_count);
    tcase_add_test(tests, points_file);
    suite_add_tcase(suite, tests);
    return suite;
}
