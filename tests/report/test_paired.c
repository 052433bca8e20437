/* From rounds to verdicts, with journals made by hand: which records form a pair, what a failure leaves, and what is printed. */
#include "bench/report/paired.h"

#include "tests/support/made_records.h"
#include "tests/support/record_json.h"

#include <math.h>

Suite *suite_paired(void);

#define JOURNAL scratch_path("journal")

static struct error error;
static struct records records;
static struct comparisons comparisons;
static const char *asked_for; /* the run's baseline */

static void setup(void)
{
    scratch_make();
    scratch_write(scratch_path("journal"), "", 0);
    asked_for = NULL;
}

static void teardown(void)
{
    scratch_remove();
}

static const char *length_of(int point, char text[16])
{
    snprintf(text, 16, "T=%d", 8 * (point + 1));
    return text;
}

static void key_of(const char *implementation, int point, char key[KEY_SIZE])
{
    char length[16];
    struct records made;
    const char *path = scratch_path("key");
    scratch_write(path, "", 0);
    made_record(path, "ok", NULL, implementation, "measure=throughput", length_of(point, length), NULL);
    ck_assert(records_read(path, &made, &error));
    snprintf(key, KEY_SIZE, "%s", column_text(&made.record[0], COLUMN_KEY));
    records_free(&made);
}

/* One half, with this least time; the rounds of the new implementation are numbered like the pairs, those of the baseline apart. */
static void made_half(int point, enum side side, int number, const char *result, double least)
{
    static const char *const names[SIDES] = {"impl=fixed_point", "impl=gmres"};
    char members[512], with[KEY_SIZE], length[16];
    key_of(names[1 - side], point, with);
    snprintf(members, sizeof members,
             "{\"round\":%d,\"pair\":{\"number\":%d,\"side\":\"%s\",\"with\":\"%s\"},"
             "\"throughput\":{\"seconds\":[%.17g,%.17g],\"median\":%.17g}}",
             number, number, side_names[side], with, 3 * least, least, 2 * least);
    made_record(JOURNAL, result, members, names[side], "measure=throughput", length_of(point, length), NULL);
}

static void made_pair(int point, int number, double ratio)
{
    const double base = 1e-3 * (1 + 0.5 * (number % 3)); /* the machine drifts; ratios do not */
    enum side first = number % 2 == 0 ? SIDE_NEW : SIDE_BASELINE;
    made_half(point, first, number, "ok", first == SIDE_NEW ? base * ratio : base);
    made_half(point, (enum side)(1 - first), number, "ok", first == SIDE_NEW ? base : base * ratio);
}

static void read_all(void)
{
    ck_assert_msg(records_read(JOURNAL, &records, &error), "%s", error.text);
    ck_assert_msg(comparisons_of(&records, asked_for, 0.05, &comparisons, &error), "%s", error.text);
    ck_assert_msg(records_merge(&records, &error) && comparisons_add(&comparisons, &records, &error), "%s", error.text);
}

static void free_all(void)
{
    comparisons_free(&comparisons);
    records_free(&records);
}

static const struct record *record_at_point(int point, const char *implementation)
{
    for (size_t i = 0; i < records.n; i++)
        if (records.record[i].point.value[FIELD_T].integer == 8 * (point + 1) &&
            strcmp(records.record[i].point.value[FIELD_IMPLEMENTATION].text, implementation) == 0)
            return &records.record[i];
    ck_abort_msg("no such point");
    return NULL;
}

START_TEST(a_pair_is_two_processes_in_succession)
{
    for (int number = 0; number < 12; number++)
        made_pair(0, number, number % 2 ? 1.31 : 1.29);
    read_all();
    ck_assert_uint_eq(comparisons.n, 1);
    const struct contest *contest = &comparisons.comparison[0].contest;
    ck_assert_uint_eq(contest->n, 12);
    for (int number = 0; number < 12; number++)
        ck_assert_double_eq_tol(contest->x[number], log(number % 2 ? 1.31 : 1.29), 1e-12);
    const struct record *record = record_at_point(0, "fixed_point");
    ck_assert_str_eq(column_text(record, COLUMN_VERDICT), "slower");
    ck_assert_str_eq(column_text(record, COLUMN_BASELINE), "gmres");
    ck_assert_double_eq_tol(column_number(record, COLUMN_RATIO), 1.3, 1e-3);
    ck_assert_double_eq_tol(column_number(record, COLUMN_RATIO_OF_MEDIANS), 1.3, 1e-3);
    ck_assert(column_number(record, COLUMN_RATIO_LOW) >= 1.28 && column_number(record, COLUMN_RATIO_HIGH) <= 1.32);
    ck_assert_double_eq(column_number(record, COLUMN_PAIRS), 10);
    ck_assert_double_eq(column_number(record, COLUMN_ROUNDS), 12);
    ck_assert_ptr_null(column_text(record, COLUMN_PAIR_WITH));
    ck_assert_ptr_null(column_text(record_at_point(0, "gmres"), COLUMN_VERDICT));
    free_all();
}
END_TEST

/* Halves without their other half, halves with another baseline, and rounds of no pair form no ratio. */
START_TEST(what_is_no_pair)
{
    char length[16];
    for (int number = 0; number < 10; number++)
        made_pair(0, number, 1.0);
    made_half(0, SIDE_NEW, 10, "ok", 5);
    made_half(0, SIDE_BASELINE, 11, "ok", 5);
    made_record(JOURNAL, "ok", made_speed(40, 9.0), "impl=fixed_point", "measure=throughput", length_of(0, length), NULL);
    made_record(JOURNAL, "ok",
                "{\"round\":41,\"pair\":{\"number\":3,\"side\":\"new\",\"with\":\"00000000000000000000000000000000\"},"
                "\"throughput\":{\"seconds\":[9],\"median\":9}}",
                "impl=fixed_point", "measure=throughput", length_of(0, length), NULL);
    read_all();
    ck_assert_uint_eq(comparisons.n, 1);
    ck_assert_uint_eq(comparisons.comparison[0].contest.n, 10);
    const struct record *record = record_at_point(0, "fixed_point");
    ck_assert_str_eq(column_text(record, COLUMN_VERDICT), "same");
    ck_assert_double_eq(column_number(record, COLUMN_RATIO), 1);
    free_all();
}
END_TEST

/* A run that goes on with another baseline is about that one. */
START_TEST(another_baseline)
{
    static const char *const names[SIDES] = {"impl=fixed_point", "impl=gmres"};
    for (int number = 0; number < 10; number++)
        made_pair(0, number, 2);
    for (int number = 0; number < 10; number++)
        for (int half = 0; half < SIDES; half++) {
            char members[512], with[KEY_SIZE], length[16];
            key_of(names[1 - half], 0, with);
            snprintf(members, sizeof members,
                     "{\"round\":%d,\"pair\":{\"number\":%d,\"side\":\"%s\",\"with\":\"%s\"},"
                     "\"throughput\":{\"seconds\":[%d],\"median\":%d}}",
                     20 + number, number, side_names[1 - half], with, 1 + (half == 0), 1 + (half == 0));
            made_record(JOURNAL, "ok", members, names[half], "measure=throughput", length_of(0, length), NULL);
        }
    read_all();
    ck_assert_uint_eq(comparisons.n, 1);
    ck_assert_ptr_null(column_text(record_at_point(0, "fixed_point"), COLUMN_VERDICT));
    ck_assert_str_eq(column_text(record_at_point(0, "gmres"), COLUMN_VERDICT), "faster");
    ck_assert_str_eq(column_text(record_at_point(0, "gmres"), COLUMN_BASELINE), "fixed_point");
    free_all();
    asked_for = "gmres"; /* the run says which */
    read_all();
    ck_assert_str_eq(column_text(record_at_point(0, "fixed_point"), COLUMN_VERDICT), "slower");
    ck_assert_ptr_null(column_text(record_at_point(0, "gmres"), COLUMN_VERDICT));
    free_all();
}
END_TEST

/* What was compared with the asked baseline counts, though the point was compared with another one since. */
START_TEST(back_to_the_first_baseline)
{
    char members[512], with[KEY_SIZE], length[16];
    for (int number = 0; number < 10; number++)
        made_pair(0, number, 2);
    for (int number = 0; number < 10; number++)
        for (int half = 0; half < SIDES; half++) {
            const char *const names[SIDES] = {"impl=fixed_point", "impl=anderson"};
            key_of(names[1 - half], 0, with);
            snprintf(members, sizeof members,
                     "{\"round\":%d,\"pair\":{\"number\":%d,\"side\":\"%s\",\"with\":\"%s\"},"
                     "\"throughput\":{\"seconds\":[%d],\"median\":%d}}",
                     20 + number, number, side_names[half], with, 1 + half, 1 + half);
            made_record(JOURNAL, "ok", members, names[half], "measure=throughput", length_of(0, length), NULL);
        }
    asked_for = "gmres";
    read_all();
    ck_assert_str_eq(column_text(record_at_point(0, "fixed_point"), COLUMN_VERDICT), "slower");
    free_all();
    asked_for = NULL; /* the last pair's */
    read_all();
    ck_assert_str_eq(column_text(record_at_point(0, "fixed_point"), COLUMN_VERDICT), "faster");
    ck_assert_str_eq(column_text(record_at_point(0, "fixed_point"), COLUMN_BASELINE), "anderson");
    free_all();
}
END_TEST

/* Wrong beats every speed; without a baseline that is right there is none. */
START_TEST(what_failed)
{
    for (int number = 0; number < 10; number++) {
        made_pair(0, number, 0.5);
        made_pair(1, number, 0.5);
        made_pair(2, number, 0.5);
    }
    made_half(0, SIDE_BASELINE, 10, "ok", 1);
    made_half(0, SIDE_NEW, 10, "wrong", 0.5);
    made_half(1, SIDE_NEW, 10, "ok", 1);
    made_half(1, SIDE_BASELINE, 10, "crashed", 1);
    for (int number = 0; number < 10; number++) {
        made_pair(3, number, 0.5);
        made_pair(4, number, 0.5);
    }
    char length[16]; /* a failure outside of all pairs; and one that was measured again */
    made_record(JOURNAL, "timed_out", "{\"round\":30}", "impl=fixed_point", "measure=throughput", length_of(3, length), NULL);
    made_half(4, SIDE_NEW, 10, "crashed", 1);
    made_half(4, SIDE_NEW, 10, "ok", 1);
    read_all();
    ck_assert_str_eq(column_text(record_at_point(3, "fixed_point"), COLUMN_VERDICT), "timed_out");
    ck_assert(isnan(column_number(record_at_point(3, "fixed_point"), COLUMN_RATIO)));
    ck_assert_str_eq(column_text(record_at_point(4, "fixed_point"), COLUMN_VERDICT), "faster");
    ck_assert_str_eq(column_text(record_at_point(0, "fixed_point"), COLUMN_VERDICT), "wrong");
    ck_assert(isnan(column_number(record_at_point(0, "fixed_point"), COLUMN_RATIO)));
    ck_assert_str_eq(column_text(record_at_point(1, "fixed_point"), COLUMN_VERDICT), "baseline crashed");
    ck_assert_str_eq(column_text(record_at_point(2, "fixed_point"), COLUMN_VERDICT), "faster");
    free_all();
}
END_TEST

static void check_printed(const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    read_all();
    FILE *out = open_memstream(&text, &size);
    ck_assert(comparisons_print(out, &comparisons, &records, &error));
    fclose(out);
    ck_assert_str_eq(text, expected);
    free(text);
    free_all();
}

START_TEST(printed)
{
    check_printed("");
    for (int number = 0; number < 10; number++) {
        made_pair(0, number, 0.5);
        made_pair(1, number, number % 2 ? 1.2 : 1 / 1.2);
    }
    check_printed("\ntime over that of gmres (least sample of each process, pairs of processes); same: within 5 % of it\n"
                  "impl          T  ratio        interval  pairs  verdict\n"
                  "fixed_point   8  0.500  0.500 .. 0.500     10  faster\n"
                  "fixed_point  16  1.000  0.833 .. 1.200     10  undecided\n"
                  "    about 140 pairs would tell, if they go on as they began\n"
                  "fixed_point: geometric mean of 2 of 2 points 0.707 (95 %: 0.645 .. 0.775)\n"
                  "Verdicts: 1 faster, 1 undecided\n");
    for (int number = 0; number < 4; number++)
        made_pair(2, number, 0.5);
    check_printed("\ntime over that of gmres (least sample of each process, pairs of processes); same: within 5 % of it\n"
                  "impl          T  ratio        interval  pairs  verdict\n"
                  "fixed_point   8  0.500  0.500 .. 0.500     10  faster\n"
                  "fixed_point  16  1.000  0.833 .. 1.200     10  undecided\n"
                  "    about 140 pairs would tell, if they go on as they began\n"
                  "fixed_point  24  0.500                      4  undecided\n"
                  "    a verdict needs at least 10 pairs\n"
                  "fixed_point: geometric mean of 2 of 3 points 0.707 (95 %: 0.645 .. 0.775)\n"
                  "Verdicts: 1 faster, 2 undecided\n");
}
END_TEST

Suite *suite_paired(void)
{
    Suite *suite = suite_create("paired");
    TCase *tests = tcase_create("paired");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_pair_is_two_processes_in_succession);
    tcase_add_test(tests, what_is_no_pair);
    tcase_add_test(tests, another_baseline);
    tcase_add_test(tests, back_to_the_first_baseline);
    tcase_add_test(tests, what_failed);
    tcase_add_test(tests, printed);
    suite_add_tcase(suite, tests);
    return suite;
}
