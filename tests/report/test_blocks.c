/* Blocks of markdown pages, by hand-made records: every figure against one computed by hand, and what is refused. */
#include "bench/report/blocks/page.h"

#include "bench/base/stream.h"
#include "bench/command/vocabulary.h"
#include "bench/report/blocks/print.h"
#include "bench/report/longest.h"
#include "tests/support/made_records.h"

Suite *suite_blocks(void);

static struct error error;

#define JOURNAL scratch_path("journal")

static void setup(void)
{
    scratch_make();
    scratch_write(scratch_path("journal"), "", 0);
}

/* ---- A page whose blocks all read the made journal ------------------------------------------------------------------------ */

static bool write_block(FILE *out, const struct block *block, void *context, struct error *reason)
{
    struct block_data *data[BLOCK_FOLDERS_MAX];
    for (int i = 0; i < block->n_folders; i++)
        data[i] = context;
    return block_print(out, block, data, "../", reason);
}

static struct block_data made_data(void)
{
    struct block_data data;
    ck_assert_msg(records_read(JOURNAL, &data.rounds, &error), "%s", error.text);
    data.points = made_merged(JOURNAL);
    data.machine = json_pack("{s{sssisb}si}", "cpu", "model", "Abacus", "usable", 2, "virtualised", 0, "memory_bytes", 1 << 30);
    ck_assert_ptr_nonnull(data.machine);
    return data;
}

static void free_data(struct block_data *data)
{
    records_free(&data->rounds);
    records_free(&data->points);
    json_decref(data->machine);
}

/* The page that comes out, to be freed; NULL with the error. */
static char *written(const char *page, int *stale, int *n)
{
    struct stream out;
    struct block_data data = made_data();
    ck_assert(stream_open(&out));
    bool good = block_page("page.md", page, &sweep_vocabulary, write_block, &data, out.file, stale, n, &error);
    ck_assert(stream_close(&out));
    free_data(&data);
    if (good)
        return out.text;
    free(out.text);
    return NULL;
}

/* The text between the request and the end of a single block, without the lines around it; up to its paragraph where it ends in
 * "From". */
static void check_block(const char *request, const char *expected)
{
    char page[2048], whole[8192];
    int stale, n;
    size_t length = strlen(expected);
    snprintf(page, sizeof page, "# Page\n<!-- block\n%s-->\n<!-- end -->\nmore\n", request);
    snprintf(whole, sizeof whole, "# Page\n<!-- block\n%s-->\n\n%s\n<!-- end -->\nmore\n", request, expected);
    char *text = written(page, &stale, &n);
    ck_assert_msg(text != NULL, "%s", error.text);
    ck_assert_int_eq(stale, 2);
    ck_assert_int_eq(n, 1);
    if (length > 4 && strcmp(expected + length - 4, "From") == 0) {
        char *end = strstr(text, "From");
        ck_assert_msg(end != NULL, "%s", text);
        snprintf(whole, sizeof whole, "# Page\n<!-- block\n%s-->\n\n%s", request, expected);
        end[4] = '\0';
        ck_assert_str_eq(text, whole);
        free(text);
        return;
    }
    ck_assert_str_eq(text, whole);
    free(text);
    text = written(whole, &stale, &n);
    ck_assert_msg(text != NULL, "%s", error.text);
    ck_assert_str_eq(text, whole);
    ck_assert_int_eq(stale, 0);
    free(text);
}

static void check_refused(const char *request, const char *expected)
{
    char page[2048];
    int stale, n;
    snprintf(page, sizeof page, "# Page\n<!-- block\n%s-->\n<!-- end -->\n", request);
    char *text = written(page, &stale, &n);
    ck_assert_msg(text == NULL, "%s", text);
    ck_assert_msg(strcmp(error.text, expected) == 0, "%s, not %s", error.text, expected);
}

/* Rounds of a point that is timed, this many seconds a call in each. */
static void made_times(const char *impl, const char *T, const char *threads, const double *median, int n)
{
    for (int i = 0; i < n; i++)
        made_record(JOURNAL, "ok", made_speed(i, median[i]), "measure=throughput", impl, T, threads, NULL);
}

static void made_accuracy(const char *result, const char *members, const char *length, const char *seed)
{
    made_record(JOURNAL, result, members, "measure=accuracy", "task=A5", "layer=fp_rnn", "impl=structured_sequential", length, seed,
                NULL);
}

#define SHARE(share, low, high) "{\"accuracy\":{\"token\":{\"share\":" share ",\"low\":" low ",\"high\":" high "}}}"

/* ---- Tables ---------------------------------------------------------------------------------------------------------------- */

/* Six rounds have an interval, here from the least to the largest of them; two have a range. */
START_TEST(times_with_what_is_known_of_them)
{
    made_times("impl=structured_sequential", "T=64", "threads=1", (double[]){1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3}, 6);
    made_times("impl=structured_sequential", "T=64", "threads=2", (double[]){1e-3, 2e-3}, 2);
    made_times("impl=structured_sequential", "T=128", "threads=1", (double[]){0.125}, 1);
    check_block(
        "table: results/made\nrows: T\nacross: threads\nshow: {seconds_per_call_median: \"time [ms]\"}\n",
        "| T | threads = 1 | threads = 2 |\n"
        "|---|---:|---:|\n"
        "| 64 | 3.50 (1.00 to 6.00) | 1.50 (1.00 to 2.00) |\n"
        "| 128 | 125 |  |\n"
        "\n"
        "From [made](../results/made), 2026-11-23; impl = `structured_sequential`, d = 8, dtype = float32, isa = baseline, seed =\n"
        "1. In brackets: 95 % interval over rounds; range over rounds. 1 to 6 rounds a point. Warnings: 1 of 3 points `wide`, 2\n"
        "of 3 points `few_rounds`.\n");
}
END_TEST

START_TEST(seeds_share_a_row)
{
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=4", "train_seed=1");
    made_accuracy("ok", SHARE("1", "0.9", "1"), "test_length=4", "train_seed=2");
    made_accuracy("ok", SHARE("0.625", "0.6", "0.7"), "test_length=4", "train_seed=3");
    made_accuracy("ok", SHARE("0.875", "0.8", "0.9"), "test_length=8", "train_seed=1");
    made_accuracy("untrained", NULL, "test_length=8", "train_seed=2");
    made_accuracy("untrained", NULL, "test_length=16", "train_seed=1");
    check_block(
        "table: results/made\nwhere: {layer: fp_rnn}\nrows: [test_length]\nshow: [token_accuracy]\ndigits: 2\n",
        "| test_length | token_accuracy |\n"
        "|---|---:|\n"
        "| 4 | 0.62 (0.50 to 1.0) |\n"
        "| 8 | 0.88 (0.80 to 0.90), 1 failed |\n"
        "| 16 | untrained |\n"
        "\n"
        "From [made](../results/made), 2026-11-23; impl = `structured_sequential`, d = 8, dtype = float32, task = A5, layer =\n"
        "fp_rnn, threads = 1, train_seed = 1 to 3, test_seed = 1. In brackets: 95 % interval over positions, as if independent;\n"
        "range over seeds, after their median.\n");
}
END_TEST

/* A quotient of columns, and one of points: 3.5 over 0.5, with the ends of both intervals. */
START_TEST(quotients)
{
    made_times("impl=structured_sequential", "T=64", "threads=1", (double[]){1, 2, 3, 4, 5, 6}, 6);
    made_times("impl=diagonal_scan", "T=64", "threads=1", (double[]){0.25, 0.5, 0.5, 0.5, 0.5, 1}, 6);
    check_block(
        "table: results/made\nwhere: {impl: structured_sequential}\nover: {impl: diagonal_scan}\nrows: T\n"
        "show: {seconds_per_call_median: times as long}\n",
        "| T | times as long |\n"
        "|---|---:|\n"
        "| 64 | 7.00 (1.00 to 24.0) |\n"
        "\n"
        "From [made](../results/made), 2026-11-23; impl = `structured_sequential`, d = 8, dtype = float32, threads = 1, isa =\n"
        "baseline, seed = 1. Each figure over that of the point with impl = `diagonal_scan`. In brackets: from the ends of both\n"
        "points' 95 % interval over rounds. 6 rounds a point. Warnings: 1 of 1 points `wide`.\n");
}
END_TEST

/* Medians 1, 2 and 4 at lengths 64, 128, 256: the first power, exactly. And any points in one row. */
START_TEST(exponents_and_ranges)
{
    made_times("impl=diagonal_scan", "T=64", "threads=1", (double[]){1}, 1);
    made_times("impl=diagonal_scan", "T=128", "threads=1", (double[]){2}, 1);
    made_times("impl=diagonal_scan", "T=256", "threads=1", (double[]){4}, 1);
    check_block(
        "table: results/made\nrows: impl\nalong: T\nshow: {seconds_per_call_median: p}\n",
        "| impl | p |\n"
        "|---|---:|\n"
        "| `diagonal_scan` | 1.00 (1.00 to 1.00) |\n"
        "\n"
        "From [made](../results/made), 2026-11-23; d = 8, dtype = float32, threads = 1, isa = baseline, seed = 1. Exponents p of\n"
        "figure ~ T^p; in brackets 95 % intervals of the fit, as if points scattered about a power law. 1 round a point.\n"
        "Warnings: 3 of 3 points `few_rounds`.\n");
    check_block(
        "table: results/made\nrows: impl\neach: any\nshow: {seconds_per_call_median: \"time [s]\"}\n",
        "| impl | time [s] |\n"
        "|---|---:|\n"
        "| `diagonal_scan` | 2.00 (1.00 to 4.00); 3 |\n"
        "\n"
        "From [made](../results/made), 2026-11-23; d = 8, dtype = float32, threads = 1, isa = baseline, seed = 1. In brackets:\n"
        "least and most, and of how many, after their median. 1 round a point. Warnings: 3 of 3 points `few_rounds`.\n");
}
END_TEST

/* What is all but 1 does not read as 1; counts that are equal are said once. */
START_TEST(numbers)
{
    made_record(JOURNAL, "ok", "{\"convergence\":{\"rate\":0.99997,\"l_run\":8,\"final\":{\"error_max\":1.5e-7}}}",
                "measure=convergence", "impl=fixed_point", "l=8", "seed=1", NULL);
    made_record(JOURNAL, "ok", "{\"convergence\":{\"rate\":0.99996,\"l_run\":8,\"final\":{\"error_max\":1e300}}}",
                "measure=convergence", "impl=fixed_point", "l=8", "seed=2", NULL);
    made_record(JOURNAL, "ok", "{\"convergence\":{\"rate\":1,\"l_run\":8,\"final\":{\"error_max\":0}}}", "measure=convergence",
                "impl=fixed_point", "l=8", "seed=3", NULL);
    made_record(JOURNAL, "diverged", "{\"convergence\":{\"rate\":7}}", "measure=convergence", "impl=fixed_point", "l=8", "seed=4",
                NULL);
    check_block("table: results/made\nresult: ok\nshow: {convergence_rate: rate, convergence_l_run: run, final_error_max: "
                "error}\ndigits: 2\n",
                "| rate | run | error |\n|---:|---:|---:|\n| 0.99997 (0.99996 to 1.0) | 8 | 1.5e-7 (0 to 1.0e300) |\n\n"
                "From");
}
END_TEST

/* Quartiles of which one was not reached; and a point of accuracy beside the training that it depends on. */
START_TEST(what_was_not_reached)
{
    made_record(JOURNAL, "ok", "{\"reach\":{\"to\":{\"1e-6\":{\"median\":5,\"q1\":4,\"q3\":null}}}}", "measure=reach",
                "impl=anderson", "l=9", NULL);
    made_record(JOURNAL, "ok", "{\"reach\":{\"to\":{\"1e-6\":{\"median\":null,\"q1\":8,\"q3\":null}}}}", "measure=reach",
                "impl=gmres", "l=9", NULL);
    made_record(JOURNAL, "ok", "{\"reach\":{\"to\":{\"1e-6\":{\"median\":null,\"q1\":null,\"q3\":null}}}}", "measure=reach",
                "impl=fixed_point", "l=9", NULL);
    check_block("table: results/made\nrows: impl\nshow: {applications_to_error_1e_6_median: applications}\n",
                "| impl | applications |\n|---|---:|\n| `anderson` | 5 (4 to never) |\n| `fixed_point` | never |\n"
                "| `gmres` | never (8 to never) |\n\nFrom");
}
END_TEST

START_TEST(the_training_of_a_test)
{
    made_record(JOURNAL, "target_not_reached", "{\"training\":{\"length\":3}}", "measure=training", "task=A5", "layer=fp_rnn",
                "train_seed=1", NULL);
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=4", "train_seed=1");
    made_accuracy("ok", SHARE("0.25", "0.2", "0.3"), "test_length=4", "train_seed=2");
    check_block("table: results/made\nwhere: {measure: accuracy}\nrows: [train_seed]\n"
                "show: {token_accuracy: right, training_length: length reached}\n",
                "| train_seed | right | length reached |\n|---|---:|---:|\n| 1 | 0.500 (0.400 to 0.600) | 3 |\n"
                "| 2 | 0.250 (0.200 to 0.300) |  |\n\nFrom");
}
END_TEST

START_TEST(counts)
{
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=4", "train_seed=1");
    made_accuracy("untrained", NULL, "test_length=8", "train_seed=1");
    made_accuracy("ok", SHARE("0.5", "0.4", "0.6"), "test_length=8", "train_seed=2");
    check_block(
        "count: results/made\nrows: test_length\n",
        "| test_length | points | `ok` | `untrained` |\n"
        "|---|---:|---:|---:|\n"
        "| 4 | 1 | 1 | 0 |\n"
        "| 8 | 2 | 1 | 1 |\n"
        "\n"
        "From [made](../results/made), 2026-11-23; impl = `structured_sequential`, d = 8, dtype = float32, task = A5, layer =\n"
        "fp_rnn, threads = 1, train_seed = 1, 2, test_seed = 1.\n");
}
END_TEST

START_TEST(where_and_when)
{
    made_record(JOURNAL, "ok",
                "{\"round\":0,\"harness\":\"0123456789ab\",\"load\":{\"others\":0.25},\"throughput\":{\"median\":1}}",
                "measure=throughput", "impl=diagonal_scan", NULL);
    made_record(JOURNAL, "ok",
                "{\"round\":1,\"harness\":\"0123456789ab\",\"started\":\"2026-11-24T01:02:03Z\",\"throughput\":{\"median\":1}}",
                "measure=throughput", "impl=diagonal_scan", NULL);
    check_block(
        "about: results/made\n",
        "Measured 2026-11-23 18:40 to 2026-11-24 01:02 UTC on Abacus, 2 processors, 1 GiB, Linux, a compiler that is not named.\n"
        "[made](../results/made) has 1 points (1 ok), rounds a point: 2, seed 1; commit not recorded, harness 01234567. While it\n"
        "was timed, other processes kept 0.25 processors busy in the median round and 0.25 in the busiest, of 1 rounds that\n"
        "recorded it; 0 rounds are `busy`. 1 rounds did not record it: those are short, or not timed. Warnings: 1 points\n"
        "`few_rounds`.\n");
    check_block("about: [results/made]\n",
                "| folder | rounds started | points | rounds a point | results | harness |\n|---|---|---:|---:|---|---|\n"
                "| [made](../results/made) | 2026-11-23 18:40 to 2026-11-24 01:02 UTC | 1 | 2 | 1 ok | 01234567 |\n");
}
END_TEST

/* ---- Pages ------------------------------------------------------------------------------------------------------------------ */

START_TEST(what_is_left_alone)
{
    static const char page[] = "# A page\n\n```\n<!-- block\ntable: nowhere\n-->\n```\n\nlast line without its newline";
    int stale, n;
    char *text = written(page, &stale, &n);
    ck_assert_msg(text != NULL, "%s", error.text);
    ck_assert_str_eq(text, page);
    ck_assert_int_eq(stale, 0);
    ck_assert_int_eq(n, 0);
    free(text);
}
END_TEST

START_TEST(what_is_refused)
{
    made_times("impl=diagonal_scan", "T=64", "threads=1", (double[]){1}, 1);
    made_times("impl=diagonal_scan", "T=128", "threads=2", (double[]){1}, 1);
    check_refused("show: result\n", "page.md:3:1: not a kind of block; expected table:, count: or about: with the folder of a run");
    check_refused("- a\n", "page.md:3:1: a block is a list; expected table:, count: or about: with the folder of a run");
    check_refused("table: /made\nshow: result\n",
                  "page.md:3:8: table is \"/made\"; expected the folder of a run, such as results/reference/quick");
    check_refused("table: made\n", "page.md:3:1: nothing to show; expected show: with columns of table.csv");
    check_refused("table: made\nshow: result\nrow: T\n", "page.md:5:1: unknown key \"row\" in a block; did you mean rows?");
    check_refused("table: made\nshow: result\nrows: [T, mixxer]\n",
                  "page.md:5:11: rows is \"mixxer\"; expected a field such as mixer");
    check_refused("table: made\nshow: token_acuracy\n",
                  "page.md:4:7: no column is named \"token_acuracy\"; expected a column of table.csv such as token_accuracy");
    check_refused("table: made\nshow: {seconds_per_call_median: \"time [ns/t]\"}\n",
                  "page.md:4:33: the unit of a head is [ns/t]; expected [s], with a prefix or without");
    check_refused("table: made\nshow: result\nwhere: {T: many}\n",
                  "page.md:5:12: T is \"many\"; expected a whole number from 1 to 16777216");
    check_refused("table: made\nshow: result\nwhere: {T: 32}\n",
                  "page.md:3:1: no point of made matches; expected a where: that keeps some");
    check_refused("table: made\nshow: seconds_per_call_median\n",
                  "page.md:3:1: 2 points share a cell but differ in T; expected it in where:, rows: or across:");
    check_refused("table: made\nshow: seconds_per_call_median\nrows: T\nover: {T: 32}\n",
                  "page.md:3:1: 0 points of diagonal_scan (1,64,8) householder r=1 kappa=free threads=1 to compare with; expected "
                  "over: to leave one");
    check_refused("table: made\nshow: result\nresult: good\n",
                  "page.md:5:9: result is \"good\"; expected a result such as ok or diverged");
    check_refused("table: made\nshow: result\ndigits: 0\n", "page.md:5:9: digits is \"0\"; expected a whole number from 1 to 9");
}
END_TEST

START_TEST(pages_that_are_not_whole)
{
    static const struct {
        const char *page, *error;
    } cases[] = {
        {"a\n<!-- block\ntable: made\n", "page.md:2: a block has no end; expected a line \"-->\" after it"},
        {"a\n<!-- block\nabout: made\n-->\nold\n", "page.md:2: a block has no end; expected a line \"<!-- end -->\" after it"},
        {"<!-- block\nabout: made\n-->\n<!-- block\nabout: made\n-->\n<!-- end -->\n",
         "page.md:4: a block begins inside another (line 1); expected a line \"<!-- end -->\" before it"},
        {"a\n<!-- end -->\n", "page.md:2: an end without a block"},
    };
    made_times("impl=diagonal_scan", "T=64", "threads=1", (double[]){1}, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int stale, n;
        char *text = written(cases[i].page, &stale, &n);
        ck_assert_msg(text == NULL, "%s", text);
        ck_assert_str_eq(error.text, cases[i].error);
    }
}
END_TEST

Suite *suite_blocks(void)
{
    Suite *suite = suite_create("blocks");
    TCase *tests = tcase_create("blocks");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, times_with_what_is_known_of_them);
    tcase_add_test(tests, seeds_share_a_row);
    tcase_add_test(tests, quotients);
    tcase_add_test(tests, exponents_and_ranges);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, what_was_not_reached);
    tcase_add_test(tests, the_training_of_a_test);
    tcase_add_test(tests, counts);
    tcase_add_test(tests, where_and_when);
    tcase_add_test(tests, what_is_left_alone);
    tcase_add_test(tests, what_is_refused);
    tcase_add_test(tests, pages_that_are_not_whole);
    suite_add_tcase(suite, tests);
    return suite;
}
