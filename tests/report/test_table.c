/* The tables of a run: table.csv cell by cell and quoted, the printed one narrow, short and telling of what failed. */
#include "bench/report/table.h"

#include "bench/journal/record.h"
#include "tests/support/made_records.h"

Suite *suite_table(void);

static struct error error;

static void setup(void)
{
    scratch_make();
    scratch_write(scratch_path("journal"), "", 0);
}

#define JOURNAL scratch_path("journal")

/* What is printed of the journal; the caller frees it. */
static char *printed(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct records records = made_merged(JOURNAL);
    ck_assert_ptr_nonnull(out);
    ck_assert_msg(table_print(out, &records, &error), "%s", error.text);
    ck_assert_int_eq(fclose(out), 0);
    records_free(&records);
    return text;
}

static void check_printed(const char *expected)
{
    char *text = printed();
    ck_assert_str_eq(text, expected);
    free(text);
}

/* ---- table.csv --------------------------------------------------------------------------------------------------------- */

/* The cell of a row (0: the header) under a header, by the rules of RFC 4180; good until the next call. */
static const char *cell_at(const char *csv, int row, int column)
{
    static char cell[1024];
    int at_row = 0, at_column = 0;
    size_t length = 0;
    bool quoted = false;
    for (; *csv; csv++) {
        bool here = at_row == row && at_column == column;
        if (quoted && csv[0] == '"' && csv[1] == '"')
            csv++;
        else if (*csv == '"') {
            quoted = !quoted;
            continue;
        } else if (!quoted && (*csv == ',' || *csv == '\n')) {
            if (here)
                break;
            at_row += *csv == '\n';
            at_column = *csv == '\n' ? 0 : at_column + 1;
            continue;
        }
        if (here && length + 1 < sizeof cell)
            cell[length++] = *csv;
    }
    cell[length] = '\0';
    return at_row == row && at_column == column ? cell : NULL;
}

/* The number of a column, or -1. */
static int column_of(const char *csv, const char *header)
{
    const char *name;
    for (int c = 0; (name = cell_at(csv, 0, c)) != NULL && c < 1000; c++)
        if (strcmp(name, header) == 0)
            return c;
    return -1;
}

static const char *cell_under(const char *csv, int row, const char *header)
{
    int column = column_of(csv, header);
    ck_assert_msg(column >= 0, "no column %s", header);
    return cell_at(csv, row, column);
}

static char *written(void)
{
    struct records records = made_merged(JOURNAL);
    ck_assert_msg(table_write(&records, scratch_path("table.csv"), &error), "%s", error.text);
    records_free(&records);
    return scratch_read(scratch_path("table.csv"));
}

START_TEST(csv_has_every_figure)
{
    made_record(JOURNAL, "ok",
                "{\"message\":\"\",\"place\":null,\"inputs\":{\"rho\":0.25,\"kappa\":0.5},"
                "\"throughput\":{\"calls\":3,\"seconds\":[1,2,4],\"median\":2,\"low\":1,\"GB_per_s\":1.5,\"tokens_per_s\":1e6,"
                "\"variation\":0.25,\"l_run\":16,\"bound\":{\"binds\":\"bytes\",\"share\":0.5}},"
                "\"load\":{\"others\":0.125},\"warnings\":[{\"code\":\"steal\",\"figure\":0.5},{\"code\":\"busy\",\"figure\":0.2}],"
                "\"process\":{\"wall_s\":9,\"inputs_s\":0.5,\"plan_s\":0.25,\"validation_s\":3,\"timing_s\":4,\"harness_s\":0.125,"
                "\"peak_bytes\":12345678901}}",
                "impl=fixed_point", "measure=throughput", "kappa=0.5", NULL);
    char *csv = written();
    static const struct {
        const char *header, *text;
    } expected[] = {
        /* NULL: no column, since no record fills it */
        {"impl", "fixed_point"},
        {"B", "1"},
        {"T", "64"},
        {"kappa", "0.5"},
        {"tolerance", "none"},
        {"quantile", NULL}, /* not used without a tolerance */
        {"result", "ok"},
        {"message", NULL},
        {"place_t", NULL},
        {"measured_rho", "0.25"},
        {"rounds", "1"},
        {"samples", "3"},
        {"started", "2026-11-23T18:40:00Z"},
        {"ended", "2026-11-23T18:40:00Z"},
        {"warnings", "busy steal few_rounds"},
        {"calls_per_sample", "3"},
        {"seconds_per_call_median", "2"},
        {"seconds_per_call_low", NULL}, /* of one round: none */
        {"seconds_per_call_fastest_round", "2"},
        {"variation_between_rounds", NULL},
        {"variation_within_round", "0.25"},
        {"outlying_rounds", NULL},
        {"bound_share", "0.5"},
        {"bound_by", "bytes"},
        {"working_set_bytes", NULL},
        {"load_others", "0.125"},
        {"process_wall_s", "9"},
        {"process_start_s", NULL},
        {"process_setup_s", "0.75"},
        {"process_validation_s", "3"},
        {"process_timing_s", "4"},
        {"process_harness_s", "0.125"},
        {"tokens_per_s", "1000000"},
        {"GB_per_s", "1.5"},
        {"l_run", "16"},
        {"convergence_rate", NULL},
        {"peak_bytes", NULL}, /* this record has none */
        {"process_peak_bytes", "12345678901"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (expected[i].text == NULL) {
            ck_assert_msg(column_of(csv, expected[i].header) < 0, "%s has a column", expected[i].header);
            continue;
        }
        ck_assert_msg(strcmp(cell_under(csv, 1, expected[i].header), expected[i].text) == 0, "%s is %s", expected[i].header,
                      cell_under(csv, 1, expected[i].header));
    }
    ck_assert_ptr_null(cell_at(csv, 2, 0) != NULL && cell_at(csv, 2, 0)[0] ? csv : NULL); /* one row a point */
    free(csv);
}
END_TEST

/* Fields first, in their order, then columns; each once, and no other than those that some record fills. */
START_TEST(csv_has_what_is_filled_once)
{
    made_record(JOURNAL, "ok", made_speed(0, 2), "impl=fixed_point", "measure=throughput", NULL);
    made_record(JOURNAL, "ok", NULL, "impl=fixed_point", "measure=convergence", "inputs=a.safetensors", NULL);
    struct records records = made_merged(JOURNAL);
    char *csv = written();
    int at = 0, n = 0;
    for (int f = 0; f < FIELD_COUNT; f++) {
        bool filled = false;
        for (size_t i = 0; i < records.n; i++)
            filled = filled || records.record[i].point.value[f].kind != VALUE_NONE;
        ck_assert_int_eq(column_of(csv, fields[f].name), filled ? at++ : -1);
    }
    ck_assert_int_eq(column_of(csv, "rounds"), at);
    for (const char *cell; (cell = cell_at(csv, 0, n)) != NULL; n++) {
        bool said = false;
        char name[128];
        snprintf(name, sizeof name, "%s", cell);
        ck_assert_int_eq(column_of(csv, name), n);
        for (int row = 1; row <= 2; row++)
            said = said || (strcmp(cell_at(csv, row, n), "") != 0 && strcmp(cell_at(csv, row, n), "NA") != 0);
        ck_assert_msg(said, "nothing is said in %s", name);
    }
    ck_assert_int_lt(n, FIELD_COUNT);
    records_free(&records);
    free(csv);
}
END_TEST

/* Never, not measured, and not applicable: a solver that did not get there, one that was stopped before, and one that has no such
 * number. */
START_TEST(csv_tells_what_is_missing_apart)
{
    static const char *const reached = "{\"convergence\":{\"rate\":0.5,\"error_to\":{\"1e-6\":20}}}",
                             *const never = "{\"convergence\":{\"rate\":null,\"error_to\":{\"1e-6\":null}}}";
    made_record(JOURNAL, "ok", reached, "impl=fixed_point", "measure=convergence", "kappa=0.5", NULL);
    made_record(JOURNAL, "ok", never, "impl=fixed_point", "measure=convergence", "kappa=0.9", NULL);
    made_record(JOURNAL, "timed_out", "{\"convergence\":null}", "impl=fixed_point", "measure=convergence", "kappa=0.99", NULL);
    made_record(JOURNAL, "ok", reached, "impl=structured_sequential", "measure=convergence", NULL);
    made_record(JOURNAL, "ok", made_speed(0, 2), "impl=structured_sequential", "measure=throughput", NULL);
    char *csv = written();
    static const char *const expected[] = {"20", "never", "NA", "", ""}, *const rate[] = {"0.5", "NA", "NA", "", ""};
    for (int row = 1; row <= 5; row++) {
        ck_assert_str_eq(cell_under(csv, row, "iterations_to_error_1e_6"), expected[row - 1]);
        ck_assert_str_eq(cell_under(csv, row, "convergence_rate"), rate[row - 1]);
        ck_assert_str_eq(cell_under(csv, row, "seconds_per_call_median"), row == 5 ? "2" : "");
    }
    free(csv);
}
END_TEST

START_TEST(csv_is_quoted)
{
    made_record(JOURNAL, "wrong", "{\"message\":\"off by 2, \\\"far\\\"\\nfrom it\",\"process\":{\"signal\":0}}",
                "impl=fixed_point", "measure=throughput", NULL);
    char *csv = written();
    ck_assert_ptr_nonnull(strstr(csv, ",wrong,\"off by 2, \"\"far\"\"\nfrom it\","));
    ck_assert_str_eq(cell_under(csv, 1, "message"), "off by 2, \"far\"\nfrom it");
    free(csv);
}
END_TEST

START_TEST(csv_rows_are_in_the_order_of_their_points)
{
    made_record(JOURNAL, "ok", NULL, "impl=fixed_point", "measure=throughput", "T=1024", NULL);
    made_record(JOURNAL, "ok", NULL, "impl=fixed_point", "measure=throughput", "T=64", "seed=2", NULL);
    made_record(JOURNAL, "ok", NULL, "impl=fixed_point", "measure=throughput", "T=64", NULL);
    made_record(JOURNAL, "ok", NULL, "impl=dense_sequential", "measure=throughput", "T=1024", NULL);
    char *csv = written();
    static const char *const impl[] = {"dense_sequential", "fixed_point", "fixed_point", "fixed_point"};
    static const char *const T[] = {"1024", "64", "64", "1024"}, *const seed[] = {"1", "1", "2", "1"};
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(cell_under(csv, i + 1, "impl"), impl[i]);
        ck_assert_str_eq(cell_under(csv, i + 1, "T"), T[i]);
        ck_assert_str_eq(cell_under(csv, i + 1, "seed"), seed[i]);
    }
    free(csv);
}
END_TEST

START_TEST(csv_has_one_row_a_point)
{
    static const double median[] = {2, 1, 3, 2, 2, 9};
    for (int i = 0; i < 6; i++)
        made_record(JOURNAL, "ok", made_speed(i, median[i]), "impl=fixed_point", "measure=throughput", NULL);
    char *csv = written();
    ck_assert_str_eq(cell_under(csv, 1, "rounds"), "6");
    ck_assert_str_eq(cell_under(csv, 1, "samples"), "12");
    ck_assert_str_eq(cell_under(csv, 1, "seconds_per_call_median"), "2");
    ck_assert_str_eq(cell_under(csv, 1, "seconds_per_call_low"), "1");
    ck_assert_str_eq(cell_under(csv, 1, "seconds_per_call_high"), "9");
    ck_assert_str_eq(cell_under(csv, 1, "seconds_per_call_slowest_round"), "9");
    ck_assert_str_eq(cell_under(csv, 1, "tokens_per_s"), "32");
    ck_assert_str_eq(cell_under(csv, 1, "outlying_rounds"), "5");
    ck_assert_str_eq(cell_under(csv, 1, "warnings"), "wide");
    ck_assert_ptr_null(cell_at(csv, 2, 1));
    free(csv);
}
END_TEST

START_TEST(what_cannot_be_written)
{
    struct records none = made_merged(JOURNAL);
    ck_assert(!table_write(&none, scratch_path("no/such/table.csv"), &error));
    ck_assert_msg(strstr(error.text, "table.csv") != NULL, "%s", error.text);
    records_free(&none);
}
END_TEST

/* ---- The printed table ------------------------------------------------------------------------------------------------- */

START_TEST(nothing_to_print)
{
    check_printed("");
}
END_TEST

#define REACHED                                                                                                                    \
    "{\"inputs\":{\"rho\":0.45},\"convergence\":{\"rate\":0.5,\"error_to\":{\"1e-6\":20},\"final\":{\"error_max\":2e-7}}}"
#define NEVER                                                                                                                      \
    "{\"inputs\":{\"rho\":0.99},\"convergence\":{\"rate\":0.98,\"error_to\":{\"1e-6\":null},\"final\":{\"error_max\":0.25}}}"

/* Only what varies has a column; seeds share a row; one of three that never got there makes the median, two make it never. */
START_TEST(convergence_is_printed)
{
    static const char *const seeds[] = {"seed=1", "seed=2", "seed=3"};
    for (int i = 0; i < 3; i++) {
        made_record(JOURNAL, "ok", i < 2 ? REACHED : NEVER, "impl=fixed_point", "measure=convergence", "kappa=0.5", seeds[i], NULL);
        made_record(JOURNAL, i < 2 ? "ok" : "diverged", i < 1 ? REACHED : NEVER, "impl=fixed_point", "measure=convergence",
                    "kappa=0.99", seeds[i], NULL);
    }
    made_record(JOURNAL, "singular", NULL, "impl=structured_sequential", "measure=convergence", "kappa=0.5", NULL);
    check_printed("\nconvergence\n"
                  "  kappa  n  result       rho    rate  l to 1e-6  final error\n"
                  "fixed_point\n"
                  "    0.5  3  ok        0.4500  0.5000         20      2.0e-07\n"
                  "   0.99  3  2/3 ok    0.9900  0.9800      never      2.5e-01\n"
                  "structured_sequential\n"
                  "    0.5  1  singular\n");
}
END_TEST

/* Rounds of these medians, in a point given by l. */
static void made_rounds(const char *l, int n, const double *median)
{
    for (int i = 0; i < n; i++)
        made_record(JOURNAL, "ok", made_speed(i, median[i]), "impl=fixed_point", "measure=throughput", l, NULL);
}

static const double six[] = {0.0020, 0.0021, 0.0019, 0.0020, 0.0020, 0.0020};

/* The time with its interval over 6 rounds, with the range of fewer under that name, or with neither; what failed has no rounds. */
START_TEST(throughput_is_printed)
{
    made_rounds("l=1", 6, six);
    made_rounds("l=4", 2, (const double[]){0.010, 0.012});
    made_record(JOURNAL, "ok",
                "{\"throughput\":{\"median\":12.34,\"low\":12,\"high\":13,\"tokens_per_s\":25000,\"error_exact\":null}}",
                "impl=fixed_point", "measure=throughput", "l=16", NULL);
    made_record(JOURNAL, "timed_out", NULL, "impl=dense_sequential", "measure=throughput", NULL);
    check_printed("\nthroughput; \u00b1: 95 % interval of the median over rounds\n"
                  "impl               l  rounds  result                  time   Mtok/s    error\n"
                  "dense_sequential              timed_out\n"
                  "fixed_point        1       6  ok               2.00 ms \u00b15%    0.032  1.0e-07\n"
                  "fixed_point        4       2  ok         11.0 ms \u00b19% range  0.00582  1.0e-07\n"
                  "fixed_point       16       1  ok                    12.3 s    0.025\n");
}
END_TEST

START_TEST(the_title_says_how_many_rounds_there_are)
{
    made_rounds("l=1", 6, six);
    made_record(JOURNAL, "wrong", NULL, "impl=dense_sequential", "measure=throughput", NULL);
    char *text = printed();
    ck_assert_ptr_nonnull(strstr(text, "\nthroughput, 6 rounds per point; \u00b1: 95 % interval of the median over rounds\nimpl"));
    ck_assert_ptr_null(strstr(text, "  rounds"));
    free(text);
}
END_TEST

START_TEST(the_share_of_the_bound_is_printed)
{
    made_record(JOURNAL, "ok", "{\"throughput\":{\"median\":0.5,\"tokens_per_s\":25000,\"bound\":{\"share\":0.625}}}",
                "impl=fixed_point", "measure=throughput", NULL);
    check_printed("\nthroughput, 1 round per point\n"
                  "impl         result    time  Mtok/s  of bound  error\n"
                  "fixed_point  ok      500 ms   0.025       62%\n");
}
END_TEST

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* An exact implementation has neither iterations nor applications, whatever its record says of them. */
START_TEST(exact_implementations_do_not_iterate)
{
    const char *members =
        "{\"convergence\":{\"error_to\":{\"1e-6\":0},\"applications_to\":{\"1e-6\":0},\"applications\":0,\"l_run\":0,"
        "\"final\":{\"error_max\":1e-7}},\"throughput\":{\"applications\":0,\"l_run\":0}}";
    made_record(JOURNAL, "ok", members, "impl=structured_sequential", "measure=convergence", NULL);
    check_printed("\nconvergence\n"
                  "impl                   result  rho  rate  l to 1e-6  final error\n"
                  "structured_sequential  ok                                1.0e-07\n");
    char *csv = written();
    static const char *const empty[] = {"iterations_to_error_1e_6",
                                        "applications_to_error_1e_6",
                                        "convergence_applications",
                                        "convergence_l_run",
                                        "applications",
                                        "l_run"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        ck_assert_msg(column_of(csv, empty[i]) < 0, "%s has a column", empty[i]);
    ck_assert_str_eq(cell_under(csv, 1, "final_error_max"), "1e-07");
    free(csv);
}
END_TEST

/* Below the row, wrapped, once where rows in succession share it. */
START_TEST(reasons_of_what_failed_stand_below)
{
    static const char *const reason = "{\"message\":\"the exact answer of sequence 3 is larger than the limit of 1000 at token 41, "
                                      "which says nothing about a solver\"}";
    made_record(JOURNAL, "ok", REACHED, "impl=fixed_point", "measure=convergence", "kappa=0.5", NULL);
    made_record(JOURNAL, "explodes", reason, "impl=fixed_point", "measure=convergence", "kappa=0.9", NULL);
    made_record(JOURNAL, "explodes", reason, "impl=fixed_point", "measure=convergence", "kappa=0.99", NULL);
    check_printed("\nconvergence\n"
                  "impl         kappa  result       rho    rate  l to 1e-6  final error\n"
                  "fixed_point    0.5  ok        0.4500  0.5000         20      2.0e-07\n"
                  "fixed_point    0.9  explodes\n"
                  "    the exact answer of sequence 3 is larger than the limit of 1000 at token 41,\n"
                  "    which says nothing about a solver\n"
                  "fixed_point   0.99  explodes\n");
    struct records records = made_merged(JOURNAL);
    const struct comparisons none = {.n = 0};
    ck_assert_msg(table_print_to(scratch_path("table.txt"), &records, &none, &error), "%s", error.text);
    ck_assert(!table_print_to(scratch_path("no/such/table.txt"), &records, &none, &error));
    records_free(&records);
    char *text = printed(), *saved = scratch_read(scratch_path("table.txt"));
    ck_assert_str_eq(saved, text + 1);
    free(saved);
    free(text);
}
END_TEST

/* Drawn inputs are none and a value, not a field that is not used. */
START_TEST(drawn_inputs_are_told_from_files)
{
    made_record(JOURNAL, "ok", REACHED, "impl=fixed_point", "measure=convergence", NULL);
    made_record(JOURNAL, "ok", REACHED, "impl=fixed_point", "measure=convergence", "inputs=a.safetensors", NULL);
    check_printed("\nconvergence\n"
                  "impl         inputs         result     rho    rate  l to 1e-6  final error\n"
                  "fixed_point  a.safetensors  ok      0.4500  0.5000         20      2.0e-07\n"
                  "fixed_point                 ok      0.4500  0.5000         20      2.0e-07\n");
}
END_TEST

START_TEST(a_long_table_is_cut_and_says_so)
{
    for (int d = 1; d <= 45; d++) {
        char text[16];
        snprintf(text, sizeof text, "d=%d", d);
        made_record(JOURNAL, "ok", NULL, "impl=fixed_point", "measure=throughput", text, NULL);
    }
    char *text = printed();
    ck_assert_int_eq(count_lines(text), 1 + 1 + 1 + 40 + 1);
    ck_assert_ptr_nonnull(strstr(text, "\n... 5 more rows of fixed_point in table.csv\n"));
    free(text);
}
END_TEST

/* What failed is seen in a table that is cut, with its reason. */
START_TEST(a_cut_keeps_what_failed)
{
    for (int d = 1; d <= 60; d++) {
        char text[16];
        snprintf(text, sizeof text, "d=%d", d);
        made_record(JOURNAL, d == 59 ? "wrong" : "ok", d == 59 ? "{\"message\":\"sequence 0 differs\"}" : NULL, "impl=fixed_point",
                    "measure=throughput", text, NULL);
    }
    char *text = printed();
    ck_assert_msg(strstr(text, "\n    sequence 0 differs\n") != NULL &&
                      strstr(text, "\n... 20 more rows of fixed_point in table.csv\n") != NULL,
                  "%s", text);
    free(text);
}
END_TEST

/* One with many rows leaves room for the others. */
START_TEST(no_implementation_falls_off)
{
    for (int d = 1; d <= 60; d++) {
        char text[16];
        snprintf(text, sizeof text, "d=%d", d);
        made_record(JOURNAL, "ok", NULL, "impl=fixed_point", "measure=throughput", text, NULL);
        if (d > 57)
            made_record(JOURNAL, "ok", NULL, "impl=structured_sequential", "measure=throughput", text, NULL);
    }
    char *text = printed();
    ck_assert_int_eq(count_lines(text), 1 + 1 + 1 + 37 + 1 + 3);
    ck_assert_ptr_nonnull(strstr(text, "\nfixed_point            37  ok\n... 23 more rows of fixed_point in table.csv\n"
                                       "structured_sequential  58  ok\n"));
    free(text);
}
END_TEST

/* Fields without room head the rows that share them: nothing that tells rows apart is lost. */
START_TEST(a_wide_table_has_headings)
{
    static const char *const seeds[] = {"seed=1", "seed=2"};
    made_record(JOURNAL, "ok", REACHED, "impl=structured_sequential", "measure=convergence", "dtype=float64", "B=1024", NULL);
    for (int i = 0; i < 2; i++) {
        made_record(JOURNAL, "ok", REACHED, "impl=fixed_point", "measure=convergence", "T=16777216", "s=2", "r=3", "form=plain",
                    "kappa=0.5", "lambda_max=0.125", "tolerance=1e-9", "damping=0.5", "l=1000", seeds[i], NULL);
        made_record(JOURNAL, "ok", REACHED, "impl=fixed_point", "measure=convergence", "T=16777216", "s=2", "r=3", "form=plain",
                    "kappa=0.5", "lambda_max=0.125", "tolerance=1e-9", "damping=0.25", "l=1000", seeds[i], NULL);
    }
    char *text = printed();
    ck_assert_ptr_nonnull(strstr(text, "\nfixed_point, B = 1, T = 16777216, r = 3, s = 2, form = plain, dtype = float32\n"));
    ck_assert_ptr_nonnull(strstr(text, "     0.25  2  ok"));
    ck_assert_ptr_nonnull(strstr(text, "      0.5  2  ok"));
    ck_assert_ptr_nonnull(
        strstr(text, "\nstructured_sequential, B = 1024, T = 64, r = 1, s = 1, form = normalised,\ndtype = float64\n"));
    ck_assert_ptr_nonnull(strstr(text, "final error\n"));
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 80, "%s", line);
    free(text);
}
END_TEST

Suite *suite_table(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, csv_has_every_figure);
    tcase_add_test(tests, csv_has_what_is_filled_once);
    tcase_add_test(tests, csv_tells_what_is_missing_apart);
    tcase_add_test(tests, csv_is_quoted);
    tcase_add_test(tests, csv_rows_are_in_the_order_of_their_points);
    tcase_add_test(tests, what_cannot_be_written);
    tcase_add_test(tests, csv_has_one_row_a_point);
    tcase_add_test(tests, nothing_to_print);
    tcase_add_test(tests, convergence_is_printed);
    tcase_add_test(tests, throughput_is_printed);
    tcase_add_test(tests, the_title_says_how_many_rounds_there_are);
    tcase_add_test(tests, the_share_of_the_bound_is_printed);
    tcase_add_test(tests, exact_implementations_do_not_iterate);
    tcase_add_test(tests, reasons_of_what_failed_stand_below);
    tcase_add_test(tests, drawn_inputs_are_told_from_files);
    tcase_add_test(tests, a_long_table_is_cut_and_says_so);
    tcase_add_test(tests, no_implementation_falls_off);
    tcase_add_test(tests, a_cut_keeps_what_failed);
    tcase_add_test(tests, a_wide_table_has_headings);
    suite_add_tcase(suite, tests);
    return suite;
}
