/* comparison.md: what stands in each cell, by hand-made records; what is refused is in test_sweep.c. */
#include "bench/command/vocabulary.h"
#include "bench/report/comparison.h"

#include "bench/report/quantity.h"
#include "tests/support/allocations.h"
#include "tests/support/made_records.h"

#include <unistd.h>

Suite *suite_comparison(void);

static struct error error;
static struct sweep sweep;

#define JOURNAL scratch_path("journal")

static void setup(void)
{
    scratch_make();
    scratch_write(scratch_path("journal"), "", 0);
}

static void teardown(void)
{
    sweep_free(&sweep);
    scratch_remove();
}

/* A sweep with these entries of paper:. */
static void claim(const char *entries)
{
    char text[2048];
    snprintf(text, sizeof text,
             "name: made\nmeasure: accuracy\nimpls: fixed_point\ntask: A5\nmodel: {layer: fp_rnn, d: 8}\n"
             "test: {test_length: 4}\npaper:\n%s",
             entries);
    scratch_write(scratch_path("made.yaml"), text, strlen(text));
    sweep_free(&sweep);
    ck_assert_msg(sweep_read(&sweep_vocabulary, scratch_path("made.yaml"), NULL, false, &sweep, &error), "%s", error.text);
}

/* The table's rows after its head; the caller frees them. */
static void check_rows(const char *expected)
{
    static const char *const head = "|---|---|---|---|\n";
    struct records records = made_merged(JOURNAL);
    ck_assert_msg(comparison_write(&sweep, &records, scratch_path("comparison.md"), &error), "%s", error.text);
    records_free(&records);
    char *text = scratch_read(scratch_path("comparison.md")), *rows = strstr(text, head);
    ck_assert_msg(strncmp(text, "# made: the paper, and here\n", 28) == 0, "%s", text);
    ck_assert_ptr_nonnull(rows);
    ck_assert_str_eq(rows + strlen(head), expected);
    free(text);
}

#define LEARNT "task=A5", "layer=fp_rnn", "impl=fixed_point"
#define SHARE(share, low, high) "{\"accuracy\":{\"token\":{\"share\":" share ",\"low\":" low ",\"high\":" high "}}}"

static void made_accuracy(const char *result, const char *members, const char *length, const char *seed)
{
    made_record(JOURNAL, result, members, "measure=accuracy", LEARNT, "tolerance=0.1", length, seed, NULL);
}

/* Seeds: median and range, with those that failed; a single one: its interval; none that was measured: that is said. */
START_TEST(what_stands_here)
{
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=4", "train_seed=1");
    made_accuracy("ok", SHARE("0.9", "0.85", "0.95"), "test_length=8", "train_seed=1");
    made_accuracy("ok", SHARE("0.7", "0.6", "0.8"), "test_length=8", "train_seed=2");
    made_accuracy("ok", SHARE("0.75", "0.7", "0.8"), "test_length=8", "train_seed=3");
    made_accuracy("ok", SHARE("0.8", "0.7", "0.9"), "test_length=12", "train_seed=1");
    made_accuracy("ok", SHARE("0.2", "0.1", "0.3"), "test_length=12", "train_seed=2");
    made_accuracy("ok", SHARE("0.6", "0.5", "0.7"), "test_length=12", "train_seed=3");
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=12", "train_seed=4");
    made_accuracy("ok", SHARE("0.25", "0.2", "0.3"), "test_length=16", "train_seed=1");
    made_accuracy("untrained", NULL, "test_length=16", "train_seed=2");
    made_accuracy("crashed", NULL, "test_length=16", "train_seed=3");
    made_accuracy("untrained", NULL, "test_length=32", "train_seed=1");
    made_accuracy("untrained", NULL, "test_length=32", "train_seed=2");
    made_record(JOURNAL, "ok", "{\"training\":{\"steps\":100}}", "measure=training", "task=A5", "layer=fp_rnn", NULL);
    claim("  - {figure: Fig. 1, says: a, differs: b, here: token_accuracy, where: {test_length: 4}}\n"
          "  - {figure: Fig. 2, says: a, differs: b, here: token_accuracy, where: {test_length: 8}}\n"
          "  - {figure: Fig. 3, says: a, differs: b, here: token_accuracy, where: {test_length: 16}}\n"
          "  - {figure: Fig. 4, says: a, differs: b, here: token_accuracy, where: {test_length: 32}}\n"
          "  - {figure: Fig. 5, says: a, differs: b, here: token_accuracy, where: {test_length: 64}}\n"
          "  - {figure: Fig. 6, says: a, differs: b, here: token_accuracy, where: {test_length: [4, 8]}}\n"
          "  - {figure: Fig. 7, says: a, differs: b, here: training_steps, where: {layer: fp_rnn}}\n"
          "  - {figure: Fig. 8, says: a, differs: b, here: seconds_per_call_median, where: {layer: fp_rnn}}\n"
          "  - {figure: Fig. 9, says: a, differs: b, here: token_accuracy, where: {test_length: 12}}\n");
    check_rows(
        "| Fig. 1 | a | token_accuracy: 0.500 (0.400 to 0.600, 95 % interval over positions, as if independent) | b |\n"
        "| Fig. 2 | a | token_accuracy: 0.750 (0.700 to 0.900 over 3 seeds) | b |\n"
        "| Fig. 3 | a | token_accuracy: 0.250 (0.200 to 0.300, 95 % interval over positions, as if independent), 1 crashed, 1 "
        "untrained | b |\n"
        "| Fig. 4 | a | token_accuracy: 2 untrained | b |\n"
        "| Fig. 5 | a | not measured | b |\n"
        "| Fig. 6 | a | token_accuracy: test_length = 4: 0.500 (0.400 to 0.600, 95 % interval over positions, as if independent); "
        "test_length = 8: 0.750 (0.700 to 0.900 over 3 seeds) | b |\n"
        "| Fig. 7 | a | training_steps: 100 | b |\n"
        "| Fig. 8 | a | not measured | b |\n"
        "| Fig. 9 | a | token_accuracy: 0.550 (0.200 to 0.800 over 4 seeds) | b |\n");
}
END_TEST

/* What never came to its end counts as infinitely many; without a tolerance there is no such figure. */
START_TEST(what_never_came)
{
    static const char *const stars[] = {"{\"accuracy\":{\"l_star\":{\"median\":10,\"q1\":9,\"q3\":12}}}",
                                        "{\"accuracy\":{\"l_star\":{\"median\":14,\"q1\":13,\"q3\":null}}}",
                                        "{\"accuracy\":{\"l_star\":{\"median\":null,\"q1\":20,\"q3\":null}}}",
                                        "{\"accuracy\":{\"l_star\":null}}"};
    made_accuracy("ok", stars[0], "test_length=4", "train_seed=1");
    made_accuracy("ok", stars[0], "test_length=8", "train_seed=1");
    made_accuracy("ok", stars[1], "test_length=8", "train_seed=2");
    made_accuracy("ok", stars[2], "test_length=8", "train_seed=3");
    made_accuracy("ok", stars[2], "test_length=16", "train_seed=1");
    made_accuracy("ok", stars[3], "test_length=32", "train_seed=1");
    claim("  - {figure: A, says: a, differs: b, here: l_star_median, where: {task: A5}}\n");
    check_rows("| A | a | l_star_median: test_length = 4: 10 (9 to 12, quartiles of the sequences); "
               "test_length = 8: 14 (10 to never over 3 seeds); test_length = 16: never; test_length = 32: 1 without it | b |\n");
}
END_TEST

/* Of a figure along a field: how it grows, over seeds too, with what is missing. */
START_TEST(exponents)
{
    static const struct {
        const char *T;
        double seconds;
    } rows[] = {{"T=64", 1}, {"T=128", 2}, {"T=256", 2}, {"T=512", 16}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made_record(JOURNAL, "ok", made_speed(0, rows[i].seconds), "measure=throughput", "impl=fixed_point", rows[i].T, NULL);
        made_record(JOURNAL, "ok", made_speed(0, rows[i].seconds), "measure=throughput", "impl=diagonal_scan", rows[i].T, NULL);
    }
    made_record(JOURNAL, "crashed", NULL, "measure=throughput", "impl=diagonal_scan", "T=1024", NULL);
    made_record(JOURNAL, "ok", made_speed(0, 1), "measure=throughput", "impl=dense_sequential", "T=64", NULL);
    claim(
        "  - {figure: A, says: a, differs: b, here: seconds_per_call_median, along: T, where: {impl: fixed_point}}\n"
        "  - {figure: B, says: a, differs: b, here: seconds_per_call_median, along: T, where: {impl: fixed_point, T: [64, 512]}}\n"
        "  - {figure: C, says: a, differs: b, here: seconds_per_call_median, along: T, where: {impl: [diagonal_scan, "
        "dense_sequential]}}\n"
        "  - {figure: D, says: a, differs: b, here: seconds_per_call_median, along: T, where: {T: 4096}}\n");
    check_rows("| A | a | exponent in T of seconds_per_call_median: 1.20 (-0.63 to 3.03, 95 % interval of the fit; 4 points from "
               "64 to 512) "
               "| b |\n"
               "| B | a | exponent in T of seconds_per_call_median: 1.33 (2 points from 64 to 512) | b |\n"
               "| C | a | exponent in T of seconds_per_call_median: dense_sequential: too few values for a fit; "
               "diagonal_scan: 1.20 (-0.63 to 3.03, 95 % interval of the fit; 4 points from 64 to 512), 1 crashed | b |\n"
               "| D | a | not measured | b |\n");
}
END_TEST

/* How far the trainings came that points depend on, and how many times were disturbed. */
START_TEST(what_a_figure_stands_on)
{
    made_accuracy("ok", SHARE("0.25", "0.2", "0.3"), "test_length=16", "train_seed=1");
    made_accuracy("ok", SHARE("0.75", "0.7", "0.8"), "test_length=16", "train_seed=2");
    made_record(JOURNAL, "target_not_reached", "{\"training\":{\"steps\":2000,\"length\":3}}", "measure=training", "task=A5",
                "layer=fp_rnn", "train_seed=1", NULL);
    made_record(JOURNAL, "ok", "{\"training\":{\"steps\":1500,\"length\":16}}", "measure=training", "task=A5", "layer=fp_rnn",
                "train_seed=2", NULL);
    made_record(JOURNAL, "ok", "{\"throughput\":{\"median\":2},\"warnings\":[{\"code\":\"busy\",\"figure\":1}]}",
                "measure=throughput", "impl=fixed_point", NULL);
    claim("  - {figure: A, says: a, differs: b, here: token_accuracy, where: {task: A5}}\n"
          "  - {figure: B, says: a, differs: b, here: token_accuracy, where: {train_seed: 1}}\n"
          "  - {figure: C, says: a, differs: b, here: seconds_per_call_median, where: {impl: fixed_point}}\n");
    check_rows(
        "| A | a | token_accuracy: 0.500 (0.250 to 0.750 over 2 seeds), trained 1500 to 2000 steps up to length 3 to 16 | b |\n"
        "| B | a | token_accuracy: 0.250 (0.200 to 0.300, 95 % interval over positions, as if independent), "
        "trained 2000 steps up to length 3 | b |\n"
        "| C | a | seconds_per_call_median: 2 s; 1 of 1 points busy | b |\n");
}
END_TEST

/* What is written cannot leave its cell, nor become markup. */
START_TEST(texts_stay_in_their_cells)
{
    made_accuracy("ok", SHARE("0.5", "null", "null"), "test_length=4", "train_seed=1");
    claim("  - {figure: 'a | b', says: '<b>`x`</b> \\', differs: '[a](b) *c*', here: token_accuracy, where: {task: A5}}\n");
    check_rows("| a \\| b | \\<b\\>\\`x\\`\\</b\\> \\\\ | token_accuracy: 0.500 | \\[a](b) \\*c\\* |\n");
}
END_TEST

/* What a scale would change stands below: not what it says as well, nor what no point uses; long lists are shortened. */
START_TEST(what_a_scale_would_change)
{
    claim("  - {figure: A, says: a, differs: b, here: token_accuracy, where: {task: A5}}\n"
          "recipe: {train_seed: [3, 1], steps: 100}\n"
          "scales:\n"
          "  paper: {recipe: {train_seed: [1, 3], steps: 500, train_l: 4, target: 0.5}, test: {test_length: {from: 2, to: 50, "
          "step: 1}}}\n"
          "  same: {recipe: {steps: 100}}\n"
          "  wide: {model: {d: 512}}\n");
    check_rows("| A | a | not measured | b |\n"
               "\nWhat `--scale paper` would change:\n\n| field | here | paper |\n|---|---|---|\n"
               "| steps | 100 | 500 |\n| target | none | 0.5 |\n| test_length | 4 | 2, 3, 4, ..., 50 (49 values) |\n"
               "\nWhat `--scale wide` would change:\n\n| field | here | wide |\n|---|---|---|\n| d | 8 | 512 |\n");
}
END_TEST

START_TEST(nothing_to_compare_with)
{
    struct records records = made_merged(JOURNAL);
    memset(&sweep, 0, sizeof sweep);
    scratch_write(scratch_path("comparison.md"), "old", 3);
    for (int i = 0; i < 2; i++) { /* the second time there is no old one */
        ck_assert_msg(comparison_write(&sweep, &records, scratch_path("comparison.md"), &error), "%s", error.text);
        ck_assert_int_ne(access(scratch_path("comparison.md"), F_OK), 0);
    }
    records_free(&records);
}
END_TEST

/* Half of it is worse than none. */
START_TEST(memory_runs_out)
{
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=4", "train_seed=1");
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=4", "train_seed=2");
    claim("  - {figure: A, says: a, differs: b, here: token_accuracy, where: {task: A5}}\nscales: {wide: {model: {d: 512}}}\n");
    struct records records = made_merged(JOURNAL);
    int failures = 0;
    bool done;
    do {
        allocations_fail(++failures);
        done = comparison_write(&sweep, &records, scratch_path("comparison.md"), &error);
        allocations_fail(0);
        ck_assert_msg(done == (access(scratch_path("comparison.md"), F_OK) == 0), "failure %d", failures);
        ck_assert_msg(done || strstr(error.text, "memory") != NULL, "%s", error.text);
    } while (!done);
    ck_assert_int_gt(failures, 5);
    records_free(&records);
}
END_TEST

START_TEST(quantities)
{
    int n = 0;
    for (const struct column *one; (one = quantity_get(n)) != NULL; n++) {
        ck_assert_int_eq(vocabulary_find(sweep_vocabulary.quantity, one->name), n);
        ck_assert_msg(column_measure((enum column_id)(one - schema)) != NULL, "%s", one->name);
        ck_assert((one->low == 0) == (one->high == 0) && (one->low == 0) == (one->spread == NULL));
        ck_assert_msg(one->low == 0 || (schema[one->low].path && schema[one->high].path), "%s", one->name);
    }
    ck_assert_int_gt(n, 5);
    ck_assert_int_eq(vocabulary_find(sweep_vocabulary.quantity, "token accuracy"), -1);
    ck_assert_int_eq(vocabulary_find(sweep_vocabulary.quantity, "machine"), -1);
    ck_assert_int_eq(vocabulary_find(sweep_vocabulary.quantity, "bound_by"), -1);
}
END_TEST

Suite *suite_comparison(void)
{
    Suite *suite = suite_create("comparison");
    TCase *tests = tcase_create("comparison");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_stands_here);
    tcase_add_test(tests, what_never_came);
    tcase_add_test(tests, exponents);
    tcase_add_test(tests, what_a_figure_stands_on);
    tcase_add_test(tests, texts_stay_in_their_cells);
    tcase_add_test(tests, what_a_scale_would_change);
    tcase_add_test(tests, nothing_to_compare_with);
    tcase_add_test(tests, memory_runs_out);
    tcase_add_test(tests, quantities);
    suite_add_tcase(suite, tests);
    return suite;
}
