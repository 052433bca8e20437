/* machine --predict: what is counted, over peaks that a file states; and what is measured beside it, of a device that is planted. */
#include "bench/base/process.h"
#include "bench/machine/cards.h"
#include "impls/cuda/registry.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <limits.h>

static struct error error;

/* Starts the program with planted implementations on a sweep; the caller frees what it printed. */
static struct process_result predict(const char *sweep)
{
    char program[PATH_MAX];
    const char *file = scratch_path("sweep.yaml");
    const char *const argv[] = {program, "machine", "--predict", file, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    program_find("bench-planted", program);
    scratch_write(file, sweep, strlen(sweep));
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    return process;
}

/* What planted_device counts is one byte and one operation; what its clock says of a call is an eighth of a second. */
START_TEST(predicted_and_measured)
{
    struct process_result process = predict("name: paper\nmeasure: [throughput, convergence]\nproblem: {T: 8, d: 4, mixer: dplr}\n"
                                            "regime: {kappa: 0.5}\nimpls: [planted_device, fixed_point]\n");
    const char *row = strstr(process.output, "planted_device ");
    ck_assert_msg(process.exit_status == 0 && row != NULL, "%s %s", process.output, process.errors);
    ck_assert_msg(strstr(process.output, CUDA_PROOF) != NULL, "%s", process.output);
    ck_assert_msg(strstr(row, " bytes ") != NULL && strstr(row, " 125 ms\n") != NULL, "%s", process.output);
    ck_assert_msg(strstr(row, "data sheet") != NULL, "%s", process.output);
    ck_assert_ptr_null(strstr(process.output, "fixed_point")); /* the processor's, which has limits of its own */
    ck_assert_ptr_null(strstr(row + 1, "planted_device"));     /* one measure has a time */
    process_result_free(&process);
}
END_TEST

/* Peaks by hand: 2039 GB/s and 19500 GFLOP/s move 1 GB in 490 us. */
START_TEST(cards_that_ship)
{
    struct cards cards;
    ck_assert_msg(cards_read("bench/machine/cards.yaml", &cards, &error), "%s", error.text);
    ck_assert_int_eq(cards.n, 2);
    ck_assert_str_eq(cards.card[0].name, "A100 SXM 80 GB");
    ck_assert_double_eq(cards.card[0].bandwidth, 2039e9);
    ck_assert_double_eq(cards.card[1].rate, 67e12);
    for (int i = 0; i < cards.n; i++)
        ck_assert_ptr_nonnull(strstr(cards.card[i].source, "data sheet"));
    cards_free(&cards);
}
END_TEST

static const struct {
    const char *text, *complaint;
} wrong[] = {
    {"", "nothing"},
    {"name: x\n", ":1:1: a mapping; expected a list"},
    {"- {name: x, GB_per_s: 1, GFLOP_per_s: 1}\n", ":1:3: an invalid card; expected {name"},
    {"- {name: x, GB_per_s: 1, GFLOP_per_s: 1, sauce: y}\n", "an invalid card; expected {name"},
    {"- {name: x, GB_per_s: 0, GFLOP_per_s: 1, source: y}\n", "GB_per_s: expected a number above 0"},
    {"- {name: x, GB_per_s: 1, GFLOP_per_s: fast, source: y}\n", "GFLOP_per_s: expected a number above 0"},
    {"- {name: [x], GB_per_s: 1, GFLOP_per_s: 1, source: y}\n", "name: expected one line of text"},
};

START_TEST(cards_that_are_none)
{
    struct cards cards;
    const char *file = scratch_path("cards.yaml");
    scratch_write(file, wrong[_i].text, strlen(wrong[_i].text));
    ck_assert(!cards_read(file, &cards, &error));
    ck_assert_msg(strstr(error.text, _i > 0 ? wrong[_i].complaint : file) != NULL, "%s", error.text);
}
END_TEST

Suite *suite_predict(void);

Suite *suite_predict(void)
{
    Suite *suite = suite_create("predict");
    TCase *tests = tcase_create("predict");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, predicted_and_measured);
    tcase_add_test(tests, cards_that_ship);
    tcase_add_loop_test(tests, cards_that_are_none, 0, sizeof wrong / sizeof wrong[0]);
    suite_add_tcase(suite, tests);
    return suite;
}
