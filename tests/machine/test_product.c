/* The matrix product of OpenBLAS: its rate, that a wrong one is found and stops a run, and what the environment says of it. */
#include "bench/base/process.h"
#include "bench/command/calibrate.h"
#include "bench/journal/records.h"
#include "bench/journal/warning.h"
#include "bench/machine/product.h"
#include "bench/sweep/measures.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <cblas.h>
#include <math.h>

static char program[PATH_MAX];
static struct error error;

/* The tests' own environment forces nothing. */
static void setup(void)
{
    static const char *const names[] = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OPENBLAS_VERBOSE", "GOTO_NUM_THREADS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    program_find("bench", program);
    scratch_make();
}

static void teardown(void)
{
    scratch_remove();
}

START_TEST(the_rate_of_both_dtypes)
{
    struct product_rates rates;
    ck_assert_msg(product_measure(&rates, &error), "%s", error.text);
    ck_assert_str_eq(rates.core, openblas_get_corename());
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++)
        ck_assert(isfinite(rates.rate[dtype]) && rates.rate[dtype] > 1e6);
}
END_TEST

START_TEST(what_the_environment_says)
{
    char text[PRODUCT_FORCED_SIZE], longest[2 * PRODUCT_FORCED_SIZE];
    product_forced(text);
    ck_assert_str_eq(text, "");
    setenv("OMP_NUM_THREADS", "3", 1); /* nothing that concerns one thread */
    setenv("GOTO_NUM_THREADS_NOT", "3", 1);
    product_forced(text);
    ck_assert_str_eq(text, "");
    setenv("GOTO_NUM_THREADS", "3", 1);
    product_forced(text);
    ck_assert_str_eq(text, "GOTO_NUM_THREADS=3");
    setenv("OPENBLAS_CORETYPE", "a\033[1m\xc3\xa4\n", 1); /* it reaches a terminal */
    product_forced(text);
    ck_assert_ptr_nonnull(strstr(text, "OPENBLAS_CORETYPE=a?[1m???"));
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    setenv("OPENBLAS_VERBOSE", longest, 1);
    product_forced(text);
    ck_assert_uint_lt(strlen(text), sizeof text);
}
END_TEST

/* In a process with the variable and in one without. The sentence has both rates, and so has what is stored. */
START_TEST(both_rates_are_measured)
{
    struct product product;
    char text[400];
    ck_assert_msg(product_run(program, &product, &error), "%s", error.text);
    ck_assert_str_eq(product.forced, "");
    ck_assert_double_eq(product_loss(&product), 0);
    json_t *json = product_to_json(&product);
    ck_assert(json_is_null(json_object_get(json, "forced")));
    product_describe(json, sizeof text, text);
    ck_assert_str_eq(text, "");
    json_decref(json);

    setenv("OPENBLAS_CORETYPE", "Prescott", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    ck_assert_msg(product_run(program, &product, &error), "%s", error.text);
    ck_assert_ptr_nonnull(strstr(product.forced, "OPENBLAS_CORETYPE=Prescott"));
    ck_assert_double_gt(product_loss(&product), 0);
    ck_assert_str_eq(product.free.core, openblas_get_corename()); /* this process began without */
    if (strstr(openblas_get_config(), "DYNAMIC_ARCH") != NULL)
        ck_assert_str_eq(product.here.core, "Prescott");
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++)
        ck_assert(product.here.rate[dtype] > 0 && product.free.rate[dtype] > 0);
    product.here = (struct product_rates){"Slow", {12.3e9, 6.1e9}};
    product.free = (struct product_rates){"Fast", {98.4e9, 61e9}};
    ck_assert_double_eq_tol(product_loss(&product), 10, 1e-9);
    snprintf(product.forced, sizeof product.forced, "OPENBLAS_CORETYPE=Slow");
    json = product_to_json(&product);
    product_describe(json, sizeof text, text);
    json_decref(json);
    ck_assert_str_eq(text, "With OPENBLAS_CORETYPE=Slow OpenBLAS (Slow) multiplies with 12.3 GFLOP/s in float32 and 6.1 in "
                           "float64; by its own choice (Fast) with 98.4 and 61.");
}
END_TEST

/* Runs a command of the program; what it writes is in *process. */
static void start(const char *const *argv, struct process_result *process)
{
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    ck_assert_msg(process_run(&request, process, &error), "%s", error.text);
    ck_assert_msg(!process->timed_out && process->signal == 0, "%s %s", process->output, process->errors);
}

static const char *write_sweep(const char *text)
{
    const char *path = scratch_path("sweep.yaml");
    scratch_write(path, text, strlen(text));
    return path;
}

/* Small products, long sums and several blocks, in each dtype: whichever is wrong is found, and nothing is timed. */
START_TEST(wrong_products_stop_a_run)
{
    static const char *const summands[] = {"WRONG=1", "WRONG=400", "WRONG=33", "WRONG=301"};
    char preload[PATH_MAX];
    const char *results = scratch_path("results");
    const char *sweep = write_sweep("name: wrong\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\n"
                                    "impls: dense_sequential\nrun: {samples: 3, rounds: 1}\n");
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/%s", program_folder(), "product.so");
    ck_assert_int_eq(access(preload + strlen("LD_PRELOAD="), R_OK), 0);
    for (size_t i = 0; i <= sizeof summands / sizeof summands[0]; i++) {
        bool whole = i == sizeof summands / sizeof summands[0];
        struct process_result process;
        const char *const alone[] = {"env",     preload, summands[whole ? 0 : i], "ASAN_OPTIONS=verify_asan_link_order=0", program,
                                     "product", NULL};
        const char *const run[] = {"env",       preload, "WRONG=301", "ASAN_OPTIONS=verify_asan_link_order=0", program, sweep,
                                   "--results", results, NULL};
        start(whole ? run : alone, &process);
        ck_assert_int_eq(process.exit_status, 2);
        ck_assert_msg(strstr(process.errors, "multiplies wrongly") != NULL &&
                          strstr(process.errors, "Nothing that it computes can be timed or trusted") != NULL,
                      "%s", process.errors);
        ck_assert_ptr_null(strstr(process.output, "Results:"));
        process_result_free(&process);
    }
}
END_TEST

/* The same library with nothing wrong: what the test above finds is the product. */
START_TEST(right_products_do_not)
{
    char preload[PATH_MAX];
    struct process_result process;
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/product.so", program_folder());
    const char *const argv[] = {"env", preload, "WRONG=0", "ASAN_OPTIONS=verify_asan_link_order=0", program, "product", NULL};
    start(argv, &process);
    ck_assert_msg(process.exit_status == 0, "%s", process.errors);
    process_result_free(&process);
}
END_TEST

static const struct warned *warning_of(const struct records *records, const char *impl)
{
    for (size_t i = 0; i < records->n; i++)
        if (strcmp(records->record[i].point.value[FIELD_IMPLEMENTATION].text, impl) == 0)
            return record_warned(&records->record[i], WARNING_BLAS_FORCED);
    ck_abort_msg("no record of %s", impl);
}

/* What OpenBLAS computes is warned of, with both rates at the end; what it does not compute is not. Also without calibration. */
START_TEST(a_forced_library_is_a_warning)
{
    const char *sweep = write_sweep("name: forced\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: none}\n"
                                    "impls: [dense_sequential, diagonal_scan]\n"
                                    "run: {samples: 3, rounds: 1, time_limit: 1 h, calibration: none}\n");
    for (int forced = 0; forced < 2; forced++) {
        struct process_result process;
        struct records records;
        char results[PATH_MAX / 2], journal[PATH_MAX], machine[PATH_MAX];
        snprintf(results, sizeof results, "%s", scratch_path(forced ? "forced" : "free"));
        snprintf(journal, sizeof journal, "%s/forced/run-1/journal.jsonl", results);
        snprintf(machine, sizeof machine, "%s/forced/run-1/machine.json", results);
        const char *const argv[] = {program, sweep, "--results", results, NULL};
        if (forced)
            setenv("OPENBLAS_CORETYPE", "Prescott", 1);
        start(argv, &process);
        ck_assert_msg(process.exit_status == 0, "%s %s", process.output, process.errors);
        char *facts = scratch_read(machine);
        ck_assert((strstr(facts, "\"by\": \"OPENBLAS_CORETYPE=Prescott\"") != NULL) == forced);
        ck_assert((strstr(process.output, "blas_forced:") != NULL) == forced);
        ck_assert((strstr(process.output, "OPENBLAS_CORETYPE=Prescott") != NULL) == forced);
        ck_assert_msg(records_read(journal, &records, &error), "%s", error.text);
        const struct warned *warning = warning_of(&records, "dense_sequential");
        ck_assert((warning != NULL) == forced);
        ck_assert(!forced || warning->figure > 0);
        ck_assert_ptr_null(warning_of(&records, "diagonal_scan"));
        records_free(&records);
        free(facts);
        process_result_free(&process);
    }
}
END_TEST

/* Trainings multiply matrices whatever their recurrence is computed by; one that has no step has no time. */
START_TEST(trainings_are_warned_of)
{
    struct calibration calibration = {.loss = 1.33};
    struct point point = {0};
    while (strcmp(measure_word((int)point.value[FIELD_MEASURE].integer), "training") != 0)
        point.value[FIELD_MEASURE].integer++;
    for (int loss = 0; loss < 2; loss++)
        for (int trained = 0; trained < 2; trained++) {
            json_t *record = trained ? json_pack("{s{}sn}", "training", "warnings") : json_pack("{snsn}", "training", "warnings");
            calibration.loss = loss ? 1.33 : 0;
            ck_assert(calibration_warn(&calibration, &point, record));
            const json_t *warning = warning_in(json_object_get(record, "warnings"), WARNING_BLAS_FORCED);
            ck_assert((warning != NULL) == (loss && trained));
            if (warning != NULL)
                ck_assert_double_eq(json_number_value(json_object_get(warning, "figure")), 1.33);
            json_decref(record);
        }
}
END_TEST

Suite *suite_product(void);

Suite *suite_product(void)
{
    Suite *suite = suite_create("product");
    TCase *tests = tcase_create("product");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, HANG);
    tcase_add_test(tests, the_rate_of_both_dtypes);
    tcase_add_test(tests, what_the_environment_says);
    tcase_add_test(tests, both_rates_are_measured);
    tcase_add_test(tests, wrong_products_stop_a_run);
    tcase_add_test(tests, right_products_do_not);
    tcase_add_test(tests, a_forced_library_is_a_warning);
    tcase_add_test(tests, trainings_are_warned_of);
    suite_add_tcase(suite, tests);
    return suite;
}
