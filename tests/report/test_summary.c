/* From rounds to points, with journals made by hand: every figure against one computed by hand, whatever the order of lines. */
#include "bench/report/summary.h"

#include "tests/support/made_records.h"
#include "tests/support/record_json.h"

#include <math.h>

Suite *suite_summary(void);

static struct error error;

static void setup(void)
{
    scratch_make();
    scratch_write(scratch_path("journal"), "", 0);
}

#define JOURNAL scratch_path("journal")

/* A round of the one point of these tests. */
static void made_round(const char *result, const char *members)
{
    made_record(JOURNAL, result, members, "impl=fixed_point", "measure=throughput", NULL);
}

/* The one point of the journal; the caller frees the records. */
static struct records merged_point(void)
{
    struct records records = made_merged(JOURNAL);
    ck_assert_uint_eq(records.n, 1);
    return records;
}

static void check_number(const struct record *record, const char *path, double expected)
{
    double number = record_number(record, path);
    ck_assert_msg(isnan(expected) ? isnan(number) : fabs(number - expected) <= 1e-12 * fabs(expected), "%s is %.17g, not %.17g",
                  path, number, expected);
}

static void check_text(const struct record *record, const char *path, const char *expected)
{
    const char *text = json_string_value(record_at(record, path));
    ck_assert_msg(text != NULL && strcmp(text, expected) == 0, "%s is %s, not %s", path, text != NULL ? text : "no text", expected);
}

static void check_json(const struct record *record, const char *path, const char *expected)
{
    const json_t *at = record_at(record, path);
    char *text = at != NULL ? json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("null");
    ck_assert_msg(text != NULL && strcmp(text, expected) == 0, "%s is %s, not %s", path, text, expected);
    free(text);
}

/* Rounds look at different sequences: what one of them finds is said of the point, whichever stands for it. */
static const struct {
    const char *said[3], *any, *every;
} words[] = {
    {{"false", "false", "false"}, "false", "false"}, {{"true", "true", "true"}, "true", "true"},
    {{"false", "true", "false"}, "true", "false"},   {{"true", "false", "true"}, "true", "false"},
    {{"true", "null", "true"}, "true", "true"},      {{"null", "null", "false"}, "false", "false"},
    {{"null", "null", "null"}, "null", "null"},
};

START_TEST(words_of_rounds)
{
    for (int round = 0; round < 3; round++) {
        char members[160];
        snprintf(members, sizeof members, "{\"round\":%d,\"throughput\":{\"tolerance\":%d,\"inaccurate\":%s,\"told_apart\":%s}}",
                 round, round == 1 ? 7 : 3, words[_i].said[round], words[_i].said[round]);
        made_round("ok", members);
    }
    struct records records = merged_point();
    check_json(&records.record[0], "throughput.inaccurate", words[_i].any);
    check_json(&records.record[0], "throughput.told_apart", words[_i].every);
    check_number(&records.record[0], "throughput.tolerance", 7);
    records_free(&records);
}
END_TEST

/* ---- Reading ----------------------------------------------------------------------------------------------------------- */

/* By the order of lines, not by the clock, which jumps. */
START_TEST(records_keep_the_order_of_the_journal)
{
    made_round("ok", "{\"round\":1,\"started\":\"2026-11-23T09:00:00Z\",\"message\":\"a\"}");
    made_round("ok", "{\"round\":1,\"started\":\"2026-11-23T08:00:00Z\",\"message\":\"b\"}");
    made_round("ok", "{\"round\":0,\"started\":\"2026-11-23T10:00:00Z\",\"message\":\"c\"}");
    struct records records;
    ck_assert_msg(records_read(JOURNAL, &records, &error), "%s", error.text);
    static const char *const message[] = {"c", "a", "b"};
    static const size_t line[] = {2, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        check_text(&records.record[i], "message", message[i]);
        ck_assert_uint_eq(records.record[i].line, line[i]);
    }
    records_free(&records);
}
END_TEST

START_TEST(what_cannot_be_read)
{
    struct records records;
    ck_assert(!records_read(scratch_path("missing"), &records, &error));
    ck_assert_msg(strstr(error.text, "missing") != NULL, "%s", error.text);
    static const char *const points[] = {"{\"version\":2,\"result\":\"ok\",\"point\":{\"impl\":7}}\n",
                                         "{\"version\":2,\"result\":\"ok\"}\n"};
    for (int i = 0; i < 2; i++) {
        scratch_write(JOURNAL, points[i], strlen(points[i]));
        ck_assert(!records_read(JOURNAL, &records, &error));
        ck_assert_msg(
            strstr(error.text, i == 0 ? "journal: line 1: impl of the point is" : "journal: line 1: measure of the point is"), "%s",
            error.text);
    }
}
END_TEST

/* Of an older schema: read. Of a newer one, or of none: refused in words. */
static const struct {
    const char *version, *refusal;
} versions[] = {
    {"1", NULL},
    {"2", NULL},
    {"3", NULL},
    {"4", "has schema version 4; this program reads versions up to 3: a newer one wrote it"},
    {"1000", "has schema version 1000; this program reads versions up to 3: a newer one wrote it"},
    {"0", "has no schema version; expected a whole number from 1 to 3. Cut that line: the others count"},
    {"-1", "has no schema version;"},
    {"2.0", "has no schema version;"},
    {"\"2\"", "has no schema version;"},
    {"null", "has no schema version;"},
    {"{}", "has no schema version;"},
};

START_TEST(versions_of_the_schema)
{
    struct records records;
    char members[64], expected[PATH_MAX];
    made_round("ok", "{\"version\":1,\"throughput\":{\"median\":2}}");
    snprintf(members, sizeof members, "{\"version\":%s}", versions[_i].version);
    made_round("ok", members);
    bool read = records_read(JOURNAL, &records, &error);
    ck_assert_msg(read == (versions[_i].refusal == NULL), "%s", error.text);
    if (read) {
        ck_assert_uint_eq(records.n, 2);
        records_free(&records);
        return;
    }
    snprintf(expected, sizeof expected, "journal %s: line 2 %s", JOURNAL, versions[_i].refusal);
    ck_assert_msg(strncmp(error.text, expected, strlen(expected)) == 0, "%s", error.text);
}
END_TEST

START_TEST(a_record_without_a_version)
{
    struct records records;
    static const char text[] = "{\"result\":\"ok\"}\n";
    scratch_write(JOURNAL, text, sizeof text - 1);
    ck_assert(!records_read(JOURNAL, &records, &error));
    ck_assert_msg(strstr(error.text, "journal: line 1 has no schema version; expected") != NULL, "%s", error.text);
}
END_TEST

/* A record under the key of another point would be taken for a round of that one. */
START_TEST(a_key_is_that_of_its_point)
{
    static const char *const keys[] = {"\"0123456789abcdef0123456789abcdef\"", "\"0123456789abcdef\"", "\"\"", "7", "null"};
    struct records records;
    char members[80];
    made_round("ok", "{\"round\":0}");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        snprintf(members, sizeof members, "{\"round\":1,\"key\":%s}", keys[i]);
        made_round("ok", members);
    }
    made_round("ok", "{\"round\":2}");
    ck_assert_msg(records_read(JOURNAL, &records, &error), "%s", error.text);
    ck_assert_uint_eq(records.n, 2);
    ck_assert_uint_eq(records.unread.aside, sizeof keys / sizeof keys[0]);
    ck_assert_uint_eq(records.unread.first, 2);
    ck_assert_str_eq(records.unread.reason, "its key is not that of its point");
    records_free(&records);
}
END_TEST

START_TEST(a_torn_last_line_is_passed_over)
{
    made_round("ok", made_speed(0, 2));
    FILE *file = fopen(JOURNAL, "ab");
    ck_assert_ptr_nonnull(file);
    fputs("{\"version\":2,\"key\":\"01", file);
    fclose(file);
    struct records records = merged_point();
    ck_assert_uint_eq(records.unread.torn, 1);
    check_number(records.record, "rounds", 1);
    records_free(&records);
}
END_TEST

static bool has_another_key(const struct record *record, void *context)
{
    return strcmp(json_string_value(record_at(record, "key")), context) != 0;
}

START_TEST(records_can_be_chosen)
{
    for (int i = 0; i < 5; i++)
        made_record(JOURNAL, "ok", i % 2 ? "{\"version\":2,\"key\":\"old\"}" : NULL, "impl=fixed_point", "measure=throughput",
                    (const char *[]){"T=1", "T=2", "T=3", "T=4", "T=5"}[i], NULL);
    struct records records;
    char old[] = "old";
    ck_assert(records_read(JOURNAL, &records, &error));
    ck_assert_uint_eq(records_keep(&records, has_another_key, old), 2);
    ck_assert_uint_eq(records.n, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(records.record[i].point.value[FIELD_T].integer, (int)(1 + 2 * i));
    ck_assert_uint_eq(records_keep(&records, has_another_key, old), 0);
    records_free(&records);
}
END_TEST

/* ---- Merging ----------------------------------------------------------------------------------------------------------- */

START_TEST(nothing_to_merge)
{
    struct records records = made_merged(JOURNAL);
    ck_assert_uint_eq(records.n, 0);
    records_free(&records);
}
END_TEST

/* Medians 8, 2, 4, 1, 2, 3: ascending 1 2 2 3 4 8, so that the median is 2.5, the quartiles 2 and 3.75, the mean 10/3. The squares
 * of the deviations sum to 98 - 6 (10/3)^2 = 94/3; the variation is the root of a fifth of that, over the mean. */
START_TEST(figures_over_rounds)
{
    static const double median[] = {8, 2, 4, 1, 2, 3}, variation[] = {0.01, 0.02, 0.03, 0.04, 0.05, 0.09};
    for (int i = 0; i < 6; i++) {
        char members[1024];
        snprintf(
            members, sizeof members,
            "{\"round\":%d,\"started\":\"2026-11-2%dT00:00:00Z\",\"throughput\":{\"calls\":5,\"seconds\":[2,%g,3],\"median\":%g,"
            "\"q1\":1,\"q3\":2,\"low\":1,\"high\":2,\"variation\":%g,\"outliers\":[1],\"tokens_per_s\":%.17g,\"bytes\":1000,"
            "\"operations\":400,\"GB_per_s\":%.17g,\"GFLOP_per_s\":%.17g,\"error_iterate\":%g,\"error_exact\":null,"
            "\"peak_bytes\":%d,\"bound\":{\"seconds\":0.5,\"binds\":\"bytes\",\"share\":%.17g}},"
            "\"load\":{\"others\":0.0%d,\"steal\":null,\"switches\":%d,\"addition_s\":[4e-10,4.0%de-10]},\"warnings\":[],"
            "\"process\":{\"wall_s\":%d,\"peak_bytes\":%d,\"signal\":0,\"exit\":0,\"start_s\":0.5,\"inputs_s\":%d,\"plan_s\":%d,"
            "\"validation_s\":1,\"timing_s\":2,\"harness_s\":null}}",
            i, 3 + i, 0.5 + (i - 3) * (i - 3), median[i], variation[i], 64 / median[i], 1000 / median[i] / 1e9,
            400 / median[i] / 1e9, 1e-7 * (i + 1), 100 + i, 0.5 / median[i], i, 10 * i, i, 10 + i, 1000 - i, i, 10 - i);
        made_round("ok", members);
    }
    struct records records = merged_point();
    const struct record *point = records.record;
    static const struct {
        const char *path;
        double expected;
    } expected[] = {
        {"rounds", 6},
        {"samples", 18},
        {"throughput.calls", 5},
        {"throughput.median", 2.5},
        {"throughput.low", 1},
        {"throughput.high", 8},
        {"throughput.q1", 2},
        {"throughput.q3", 3.75},
        {"throughput.least", 1},
        {"throughput.most", 8},
        {"throughput.least_sample", 0.5},
        {"throughput.within", 0.035},
        {"throughput.tokens_per_s", 25.6},
        {"throughput.GB_per_s", 4e-7},
        {"throughput.GFLOP_per_s", 1.6e-7},
        {"throughput.bytes", 1000},
        {"throughput.bound.share", 0.2},
        {"throughput.bound.seconds", 0.5},
        {"throughput.error_iterate", 6e-7},
        {"throughput.error_exact", NAN},
        {"throughput.peak_bytes", 105},
        {"throughput.variation", NAN},
        {"load.others", 0.05},
        {"load.steal", NAN},
        {"load.switches", 50},
        {"process.wall_s", 12.5},
        {"process.peak_bytes", 1000},
        {"process.start_s", 0.5},
        {"process.inputs_s", 2.5},
        {"process.plan_s", 7.5},
        {"process.setup_s", 10},
        {"process.harness_s", NAN},
        {"round", NAN},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        check_number(point, expected[i].path, expected[i].expected);
    check_number(point, "throughput.between", sqrt(94.0 / 15) / (10.0 / 3));
    check_json(point, "throughput.outliers", "[0]"); /* 8 is beyond 3.75 + 1.5 x 1.75 = 6.375 */
    check_text(point, "started", "2026-11-23T00:00:00Z");
    check_text(point, "ended", "2026-11-28T00:00:00Z");
    check_text(point, "message", "");
    ck_assert_ptr_null(record_at(point, "throughput.seconds"));
    const json_t *additions = record_at(point, "load.addition_s");
    ck_assert_double_eq(json_number_value(json_array_get(additions, 0)), 4e-10);
    ck_assert_double_eq(json_number_value(json_array_get(additions, 1)), 4.05e-10);
    ck_assert_int_eq(point->result, RESULT_OK);
    records_free(&records);
}
END_TEST

/* Five rounds have no interval, four no outliers, one no spread. */
START_TEST(few_rounds_say_less)
{
    static const double median[] = {2, 2, 2, 2, 9};
    for (int n = 5; n >= 1; n--) {
        scratch_write(JOURNAL, "", 0);
        for (int i = 5 - n; i < 5; i++)
            made_round("ok", made_speed(i, median[i]));
        struct records records = merged_point();
        check_number(records.record, "rounds", n);
        check_number(records.record, "samples", 2 * n);
        check_number(records.record, "throughput.low", NAN);
        check_number(records.record, "throughput.high", NAN);
        check_number(records.record, "throughput.most", 9);
        check_json(records.record, "throughput.outliers", n == 5 ? "[4]" : "[]");
        ck_assert(isnan(record_number(records.record, "throughput.between")) == (n == 1));
        records_free(&records);
    }
}
END_TEST

/* A single round is its own point: its speed stays, its samples' interval is not one over rounds. */
START_TEST(one_round_stays_what_it_is)
{
    made_round("ok",
               "{\"inputs\":{\"rho\":0.5},\"throughput\":{\"seconds\":[1,3],\"median\":2,\"q1\":1,\"q3\":3,\"low\":1,\"high\":3,"
               "\"variation\":0.25,\"tokens_per_s\":123}}");
    struct records records = merged_point();
    check_number(records.record, "inputs.rho", 0.5);
    check_number(records.record, "throughput.median", 2);
    check_number(records.record, "throughput.tokens_per_s", 123);
    check_number(records.record, "throughput.within", 0.25);
    check_number(records.record, "throughput.low", NAN);
    check_number(records.record, "throughput.q1", 2);
    records_free(&records);
}
END_TEST

/* Convergence has one round, whose curves are untouched. */
START_TEST(convergence_is_passed_on)
{
    const char *members = "{\"convergence\":{\"l\":[1,2],\"error_max\":[0.5,0.25],\"rate\":0.5},\"throughput\":null}";
    made_record(JOURNAL, "ok", members, "impl=fixed_point", "measure=convergence", NULL);
    struct records records = merged_point();
    check_json(records.record, "convergence.error_max", "[0.5,0.25]");
    check_number(records.record, "rounds", 1);
    check_number(records.record, "samples", 0);
    check_json(records.record, "warnings", "[]");
    records_free(&records);
}
END_TEST

#define FAILED                                                                                                                     \
    "{\"round\":2,\"message\":\"off by 2\",\"place\":{\"b\":1,\"t\":3},\"throughput\":{\"median\":7,\"error_iterate\":2}}"

/* One round that is wrong makes the point wrong, and then there is no speed at all. */
START_TEST(rounds_that_do_not_agree)
{
    made_round("ok", made_speed(0, 2));
    made_round("crashed", "{\"round\":1,\"message\":\"ended by signal 11\"}");
    made_round("wrong", FAILED);
    made_round("ok", made_speed(3, 3));
    struct records records = merged_point();
    ck_assert_int_eq(records.record->result, RESULT_WRONG);
    check_text(records.record, "result", "wrong");
    check_text(records.record, "message", "1 of 4 rounds: off by 2");
    check_number(records.record, "place.t", 3);
    check_number(records.record, "throughput.error_iterate", 2);
    static const char *const none[] = {"median", "low", "high", "q1", "least", "most", "between", "within", "tokens_per_s"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "throughput.%s", none[i]);
        check_number(records.record, path, NAN);
    }
    records_free(&records);
}
END_TEST

START_TEST(rounds_that_agree_in_failing)
{
    made_round("crashed", "{\"round\":0,\"message\":\"ended by signal 11\"}");
    made_round("crashed", "{\"round\":1,\"message\":\"ended by signal 6\"}");
    struct records records = merged_point();
    ck_assert_int_eq(records.record->result, RESULT_CRASHED);
    check_text(records.record, "message", "ended by signal 11");
    records_free(&records);
}
END_TEST

/* From the worst on: whatever comes later in this list is covered by what comes before. */
START_TEST(the_worst_result_counts)
{
    static const char *const severity[] = {"a word of tomorrow", "wrong",     "crashed",    "internal",  "timed_out",
                                           "out_of_memory",      "explodes",  "diverged",   "singular",  "no_stable_point",
                                           "not_converged",      "elsewhere", "inaccurate", "untrained", "target_not_reached",
                                           "unsupported",        "ok"};
    enum { N = sizeof severity / sizeof severity[0] };
    ck_assert_int_eq(N, RESULT_COUNT + 1);
    for (int i = 0; i + 1 < N; i++)
        for (int order = 0; order < 2; order++) {
            char expected[64];
            scratch_write(JOURNAL, "", 0);
            made_round(severity[i + order], "{\"round\":0}");
            made_round(severity[i + 1 - order], "{\"round\":1}");
            struct records records = merged_point();
            check_text(records.record, "result", severity[i]);
            snprintf(expected, sizeof expected, "1 of 2 rounds: %s", i == 0 ? "unknown" : severity[i]);
            check_text(records.record, "message", expected);
            records_free(&records);
        }
}
END_TEST

/* A round that was measured again, after a crash of the machine or because it had failed. */
START_TEST(the_later_line_of_a_round_counts)
{
    made_round("ok", made_speed(0, 2));
    made_round("timed_out", "{\"round\":1}");
    made_round("ok", made_speed(1, 4));
    struct records records = merged_point();
    ck_assert_int_eq(records.record->result, RESULT_OK);
    check_number(records.record, "rounds", 2);
    check_number(records.record, "throughput.median", 3);
    records_free(&records);
}
END_TEST

/* Of the same point under other conditions, those of the last line count. */
/* A round that was ok is not measured again: another record of it came from elsewhere. What failed is, with --retry; a training is, whose
 * weights were lost; and the same line twice changes nothing. */
START_TEST(a_round_that_is_there_twice_is_said)
{
    char text[UNREAD_SIZE];
    made_round("crashed", "{\"round\":0}");
    for (int i = 0; i < 2; i++)
        made_round("ok", made_speed(0, 1.0));
    made_round("ok", made_speed(1, 1.0));
    for (int i = 0; i < 2; i++)
        made_record(JOURNAL, "ok", i == 0 ? NULL : "{\"message\":\"again\"}", "measure=training", "task=parity", "layer=lstm",
                    NULL);
    struct records records = made_merged(JOURNAL);
    ck_assert_msg(!unread_say(&records.unread, "here", text), "%s", text);
    records_free(&records);
    made_round("ok", made_speed(1, 2.0));
    made_round("ok", made_speed(0, 3.0));
    records = made_merged(JOURNAL);
    ck_assert(unread_say(&records.unread, "here", text));
    ck_assert_msg(strstr(text, "journal here: 2 records are of rounds that were measured before") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "the first is line 7.") != NULL, "%s", text);
    records_free(&records);
}
END_TEST

START_TEST(conditions_are_not_mixed)
{
    made_round("ok", "{\"round\":0,\"version\":2,\"key\":\"0123456789abcdefffffffffffffffff\",\"throughput\":{\"median\":8}}");
    made_round("ok", made_speed(2, 4));
    made_round("ok", "{\"round\":1,\"version\":2,\"key\":\"0123456789abcdefffffffffffffffff\",\"throughput\":{\"median\":2}}");
    struct records records = merged_point();
    check_number(records.record, "rounds", 2);
    check_number(records.record, "throughput.median", 5);
    records_free(&records);
}
END_TEST

START_TEST(the_order_of_lines_is_nothing)
{
    static const int order[][6] = {{0, 1, 2, 3, 4, 5}, {5, 2, 0, 4, 1, 3}};
    static const double median[] = {3, 1, 4, 1.5, 9, 2.5};
    static const char *const T[] = {"T=16", "T=32"};
    char *text[2];
    for (int k = 0; k < 2; k++) {
        scratch_write(JOURNAL, "", 0);
        for (int i = 0; i < 12; i++) {
            int round = order[k][i / 2];
            made_record(JOURNAL, "ok", made_speed(round, median[round]), "impl=fixed_point", "measure=throughput", T[(i + k) % 2],
                        NULL);
        }
        struct records records = made_merged(JOURNAL);
        ck_assert_uint_eq(records.n, 2);
        json_t *both = json_pack("[o,o]", record_json(&records.record[0]), record_json(&records.record[1]));
        text[k] = json_dumps(both, JSON_SORT_KEYS);
        ck_assert_ptr_nonnull(text[k]);
        json_decref(both);
        records_free(&records);
    }
    ck_assert_str_eq(text[0], text[1]);
    ck_assert_ptr_nonnull(strstr(text[0], "\"median\": 2.75"));
    free(text[0]);
    free(text[1]);
}
END_TEST

Suite *suite_summary(void)
{
    Suite *suite = suite_create("summary");
    TCase *tests = tcase_create("summary");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, records_keep_the_order_of_the_journal);
    tcase_add_loop_test(tests, words_of_rounds, 0, sizeof words / sizeof words[0]);
    tcase_add_test(tests, what_cannot_be_read);
    tcase_add_loop_test(tests, versions_of_the_schema, 0, sizeof versions / sizeof versions[0]);
    tcase_add_test(tests, a_record_without_a_version);
    tcase_add_test(tests, a_key_is_that_of_its_point);
    tcase_add_test(tests, a_torn_last_line_is_passed_over);
    tcase_add_test(tests, records_can_be_chosen);
    tcase_add_test(tests, nothing_to_merge);
    tcase_add_test(tests, figures_over_rounds);
    tcase_add_test(tests, few_rounds_say_less);
    tcase_add_test(tests, one_round_stays_what_it_is);
    tcase_add_test(tests, convergence_is_passed_on);
    tcase_add_test(tests, rounds_that_do_not_agree);
    tcase_add_test(tests, rounds_that_agree_in_failing);
    tcase_add_test(tests, the_worst_result_counts);
    tcase_add_test(tests, the_later_line_of_a_round_counts);
    tcase_add_test(tests, a_round_that_is_there_twice_is_said);
    tcase_add_test(tests, conditions_are_not_mixed);
    tcase_add_test(tests, the_order_of_lines_is_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
