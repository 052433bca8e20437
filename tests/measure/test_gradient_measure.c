/* The measure gradient: what it says where the answer is known, and that what has no gradient ends as a result with a name. */
#include "bench/base/safetensors_write.h"
#include "bench/command/vocabulary.h"
#include "bench/journal/journal.h"
#include "bench/journal/records.h"
#include "bench/base/random.h"
#include "bench/measure/backward.h"
#include "bench/measure/measure.h"
#include "bench/sweep/sweep.h"
#include "tests/support/cases.h"
#include "tests/support/program.h"
#include "tests/support/record_json.h"
#include "tests/support/scratch.h"

#include "bench/base/process.h"

#include <math.h>

Suite *suite_gradient_measure(void);

static struct sweep sweep;
static struct finding finding;

static void forget(void)
{
    json_decref(finding.data);
    json_decref(finding.inputs);
    memset(&finding, 0, sizeof finding);
    sweep_free(&sweep);
}

static void teardown(void)
{
    forget();
    scratch_remove();
}

/* Measures the i-th point of a sweep, whose file holds `text` after three lines of its own. */
static void measure(const char *text, size_t i, size_t memory_limit)
{
    const struct limits limits = {.time_limit = 60, .memory_limit = memory_limit};
    const char *path = scratch_path("gradient.yaml");
    char whole[1024];
    struct error error;
    forget();
    snprintf(whole, sizeof whole, "name: t\nmeasure: gradient\n%s", text);
    scratch_write(path, whole, strlen(whole));
    ck_assert_msg(sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error), "%s", error.text);
    ck_assert_uint_lt(i, sweep.n_points);
    ck_assert_msg(gradient_run(&sweep.point[i], &limits, &finding, &error), "%s", error.text);
}

/* A figure of the gradient with respect to one input; NaN where there is none. */
static double figure(const char *input, const char *name)
{
    const json_t *number = json_object_get(json_object_get(finding.data, input), name);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

/* ---- Where the answer is known ------------------------------------------------------------------------------------------- */

#define SMALL "B: 3, T: 9, d: 6, dtype: float64"

/* An exact implementation in double precision, against another one: the same but for rounding, of every input that there is. */
START_TEST(exact_ones_agree)
{
    static const struct {
        const char *text;
        unsigned inputs; /* bits: which of v, lambda, theta, W and h0 there are */
    } rows[] = {
        {"impls: structured_sequential\nproblem: {" SMALL ", r: 2}\nregime: {kappa: 0.8}\n", 7},
        {"impls: dense_sequential\nproblem: {" SMALL ", mixer: dplr, r: 2, initial: drawn}\nregime: {kappa: 0.8}\n", 23},
        {"impls: structured_sequential\nproblem: {" SMALL ", feedback: rms, initial: drawn}\n", 31},
        {"impls: dense_sequential\nproblem: {" SMALL ", feedback: raw, form: plain, s: 0.5}\n", 15},
        {"impls: diagonal_scan\nproblem: {" SMALL ", mixer: none}\n", 3},
        {"impls: fixed_point\nproblem: {" SMALL ", mixer: kronecker}\nsettings: {l: 2000, tolerance: 1e-16}\n", 7},
    };
    static const char *const names[] = {"v", "lambda", "theta", "W", "h0"};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        measure(rows[k].text, 0, 0);
        bool judged = finding.result == RESULT_OK || finding.result == (enum result)STATUS_NOT_CONVERGED; /* to 1e-16, or not */
        ck_assert_msg(judged && finding.data != NULL, "row %zu: %s", k, finding.message);
        for (int i = 0; i < 5; i++) {
            bool there = rows[k].inputs >> i & 1;
            ck_assert_msg(json_is_null(json_object_get(finding.data, names[i])) == !there, "row %zu: %s", k, names[i]);
            if (there)
                ck_assert_msg(figure(names[i], "cosine") > 1 - 1e-12 && figure(names[i], "distance") < 1e-12, "row %zu: %s: %g %g",
                              k, names[i], figure(names[i], "cosine"), figure(names[i], "distance"));
        }
        ck_assert_double_lt(figure("all", "distance"), 1e-12);
        ck_assert_double_gt(figure("all", "norm"), 0);
        ck_assert_double_gt(json_number_value(json_object_get(finding.inputs, "max_h")), 0);
    }
}
END_TEST

START_TEST(rounding_is_seen)
{
    measure("impls: structured_sequential\nproblem: {B: 3, T: 9, d: 6, feedback: raw}\n", 0, 0);
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert_double_gt(figure("all", "distance"), 1e-9);
    ck_assert_double_lt(figure("all", "distance"), 1e-4);
}
END_TEST

/* More steps come nearer, and by a wide margin: with kappa = 0.5 a step is worth a factor of about 2. */
START_TEST(more_steps_come_nearer)
{
    double distance = INFINITY, lack = INFINITY;
    for (size_t i = 0; i < 6; i++) {
        measure("impls: fixed_point\nproblem: {" SMALL "}\nregime: {kappa: 0.5}\nsettings: {l: 300}\n"
                "recipe: {gradient: steps, gradient_steps: [1, 2, 4, 8, 16, 32]}\n",
                i, 0);
        ck_assert_int_eq(finding.result, RESULT_OK);
        ck_assert_double_lt(figure("all", "distance"), 0.8 * distance);
        ck_assert_double_lt(figure("all", "lack"), lack);
        distance = figure("all", "distance");
        lack = figure("all", "lack");
        ck_assert_double_eq_tol(lack, 1 - figure("all", "cosine"), 1e-14);
        ck_assert_double_eq_tol(figure("theta", "lack"), 1 - figure("theta", "cosine"), 1e-14);
        ck_assert(i > 0 || (distance > 1e-2 && lack > 1e-4));
    }
    ck_assert_double_lt(distance, 1e-6);
    ck_assert_double_gt(lack, distance * distance / 10); /* no cancellation */
    ck_assert_double_lt(lack, distance * distance);
    ck_assert_double_eq(json_number_value(json_object_get(finding.data, "l_run")), 300);
}
END_TEST

/* The exact gradient that is iterated: nearer with more iterations; one that a tolerance stopped too early is judged all the same. */
START_TEST(more_iterations_come_nearer)
{
    double distance = INFINITY;
    for (size_t i = 0; i < 3; i++) {
        measure("impls: fixed_point\nproblem: {" SMALL "}\nregime: {kappa: 0.5}\nsettings: {l: [2, 8, 300]}\n", i, 0);
        ck_assert_int_eq(finding.result, RESULT_OK);
        ck_assert_double_lt(figure("all", "distance"), 0.5 * distance);
        distance = figure("all", "distance");
    }
    ck_assert_double_lt(distance, 1e-12);
    measure("impls: fixed_point\nproblem: {" SMALL "}\nregime: {kappa: 0.5}\nsettings: {l: 2, tolerance: 1e-9}\n", 0, 0);
    ck_assert_int_eq(finding.result, STATUS_NOT_CONVERGED);
    ck_assert_double_gt(figure("all", "distance"), 1e-3);
}
END_TEST

/* Runs a sweep through the program; it has one record. */
static void run(const char *text, struct records *records)
{
    char program[PATH_MAX], journal[PATH_MAX];
    const char *file = scratch_path("planted.yaml"), *results = scratch_path("results");
    program_find("bench-planted", program);
    scratch_write(file, text, strlen(text));
    const char *const argv[] = {program, file, "--results", results, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    struct error error;
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(process.exit_status == 0, "%s %s", process.output, process.errors);
    process_result_free(&process);
    snprintf(journal, sizeof journal, "%s/t/run-1/journal.jsonl", results);
    ck_assert_msg(records_read(journal, records, &error), "%s", error.text);
    ck_assert_uint_eq(records->n, 1);
}

/* Of the selective cell with all that reads the output before it: each tensor's own figures come back from the journal and stand in the
 * table, and add up to those of all together. */
START_TEST(every_tensor_has_its_figures)
{
    struct records records;
    run("name: t\nmeasure: gradient\nimpls: fixed_point\nsettings: {l: 40}\nrecipe: {gradient: steps, gradient_steps: 1}\n"
        "problem: {cell: selective, B: 2, T: 5, d: 4, N: 3, s: 0.2, feedback: raw, reads: dt+bc, norm: both, gate: inside, "
        "initial: drawn, dtype: float64}\nrun: {time_limit: 1 h, calibration: none}\n",
        &records);
    const struct record *record = &records.record[0];
    ck_assert_int_eq(record->result, RESULT_OK);
    char *table = scratch_read(scratch_path("results/t/run-1/table.csv"));
    const struct problem selective = {.cell = CELL_SELECTIVE};
    double all = 0;
    for (int i = 0; i < TENSORS_MAX; i++) {
        char path[64], column[64];
        bool of_cell = tensor_row(&selective, (enum tensor_id)i) != NULL;
        snprintf(path, sizeof path, "gradient.%s", tensor_names[i]);
        snprintf(column, sizeof column, ",gradient_%s_cosine,", tensor_names[i]);
        ck_assert_msg((record_at(record, path) != NULL) == of_cell, "%s", path);
        ck_assert_msg((strstr(table, column) != NULL) == of_cell, "%s: %s", column, table);
        if (!of_cell)
            continue;
        snprintf(path, sizeof path, "gradient.%s.norm", tensor_names[i]);
        ck_assert_double_gt(record_number(record, path), 0);
        all += pow(record_number(record, path), 2);
        snprintf(path, sizeof path, "gradient.%s.distance", tensor_names[i]);
        ck_assert_msg(record_number(record, path) > 0 && record_number(record, path) < 2, "%s", path);
    }
    ck_assert_double_eq_tol(sqrt(all) / record_number(record, "gradient.all.norm"), 1, 1e-8);
    free(table);
    records_free(&records);
}
END_TEST

/* A gradient that is off by a hundred-thousandth, in lambda alone. */
START_TEST(a_wrong_gradient_is_seen)
{
    struct records records;
    run("name: t\nmeasure: gradient\nimpls: planted_gradient\nproblem: {B: 2, T: 5, d: 4, dtype: float64}\n"
        "run: {time_limit: 1 h, calibration: none}\n",
        &records);
    const struct record *record = &records.record[0];
    ck_assert_double_eq_tol(record_number(record, "gradient.lambda.distance"), 1e-5, 1e-9);
    ck_assert_double_lt(record_number(record, "gradient.v.distance"), 1e-12);
    ck_assert_double_lt(record_number(record, "gradient.theta.distance"), 1e-12);
    ck_assert_double_gt(record_number(record, "gradient.all.distance"), 1e-8);
    ck_assert_ptr_null(record_at(record, "gradient.W"));
    ck_assert_double_gt(record_number(record, "inputs.kappa"), 0);
    records_free(&records);
}
END_TEST

/* ---- Where there is none -------------------------------------------------------------------------------------------------- */

/* A file of inputs for (2,3,2) and a Householder mixer of rank 1 in which one number of one tensor is replaced. */
static void write_inputs(const char *tensor, int place, double number)
{
    double v[12], lambda[12], theta[18];
    double *of[] = {v, lambda, theta};
    static const char *const names[] = {"v", "lambda", "theta"};
    for (int i = 0; i < 12; i++) {
        v[i] = 10 * (i % 5) - 20;
        lambda[i] = 0.3 + 0.05 * (i % 7);
    }
    for (int i = 0; i < 18; i++)
        theta[i] = 0.2 * (i % 4) + 0.1;
    for (int k = 0; k < 3; k++)
        if (strcmp(names[k], tensor) == 0)
            of[k][place] = number;
    const struct tensor tensors[] = {
        {.name = "v", .dtype = DTYPE_FLOAT64, .rank = 3, .shape = {2, 3, 2}, .data = v, .bytes = sizeof v},
        {.name = "lambda", .dtype = DTYPE_FLOAT64, .rank = 3, .shape = {2, 3, 2}, .data = lambda, .bytes = sizeof lambda},
        {.name = "theta", .dtype = DTYPE_FLOAT64, .rank = 3, .shape = {2, 3, 3}, .data = theta, .bytes = sizeof theta},
    };
    struct error error;
    ck_assert_msg(safetensors_write(scratch_path("inputs.safetensors"), tensors, 3, NULL, &error), "%s", error.text);
}

#define FROM_FILE "inputs: inputs.safetensors\nproblem: {B: 2, T: 3, d: 2, dtype: float64"

static void ends_as(const char *text, size_t memory_limit, int result, int64_t b, int64_t t, const char *message)
{
    measure(text, 0, memory_limit);
    ck_assert_msg(finding.result == (enum result)result, "%s\n%s: %s", text, result_name(finding.result), finding.message);
    ck_assert_msg(strstr(finding.message, message) != NULL, "%s\n%s", text, finding.message);
    ck_assert_ptr_null(finding.data);
    ck_assert(b < 0 || (finding.b == b && finding.t == t));
}

START_TEST(without_an_exact_gradient)
{
    write_inputs("lambda", 1 * 6 + 2 * 2, 1.7e308); /* times a state above 1 */
    ends_as("impls: structured_sequential\n" FROM_FILE ", form: plain}\n", 0, STATUS_DIVERGED, 1, 2, "");
    ends_as("impls: fixed_point\nrecipe: {gradient: steps}\n" FROM_FILE ", form: plain}\n", 0, STATUS_DIVERGED, 1, 2, "");
    write_inputs("theta", 1 * 9 + 2 * 3 + 2, 120); /* a strength of exactly 1 */
    ends_as("impls: fixed_point\nrecipe: {gradient: steps}\n" FROM_FILE ", form: plain}\n", 0, STATUS_SINGULAR, 1, 2, "");
    write_inputs("", 0, 0); /* nothing is wrong with the rest of it */
    measure("impls: structured_sequential\n" FROM_FILE "}\n", 0, 0);
    ck_assert_int_eq(finding.result, RESULT_OK);
    ends_as("impls: fixed_point\nproblem: {" SMALL "}\nregime: {limit: 1e-3}\n", 0, RESULT_EXPLODES, -1, -1, "exceeds the limit");
    ends_as("impls: dense_sequential\nproblem: {" SMALL ", mixer: kronecker}\n", 0, STATUS_UNSUPPORTED, -1, -1,
            "no other implementation gives the exact gradient of this problem");
}
END_TEST

START_TEST(gradients_that_nobody_has)
{
    ends_as("impls: structured_sequential\nproblem: {" SMALL "}\nrecipe: {gradient: steps}\n", 0, STATUS_UNSUPPORTED, -1, -1,
            "has no n-step gradient");
    ends_as("impls: fixed_point\nproblem: {B: 8, T: 512, d: 64}\n", 1 << 20, STATUS_UNSUPPORTED, -1, -1, "the limit is 1.0 MB");
    ends_as("impls: structured_sequential\nproblem: {" SMALL ", mixer: kronecker}\n", 0, STATUS_UNSUPPORTED, -1, -1,
            "mixer kronecker is not supported");
}
END_TEST

/* ---- Fields --------------------------------------------------------------------------------------------------------------- */

/* gradient and gradient_steps tell points of this measure apart, steps only where there are any, and no points of other measures. */
START_TEST(fields_of_the_measure)
{
    static const struct {
        const char *measure;
        size_t points, shared;
    } rows[] = {{"gradient", 3, 1}, {"convergence", 1, 3}, {"throughput", 1, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct error error;
        snprintf(text, sizeof text,
                 "name: t\nmeasure: %s\nimpls: fixed_point\nproblem: {T: 8, d: 4}\n"
                 "recipe: {gradient: [exact, steps], gradient_steps: [1, 2]}\n",
                 rows[i].measure);
        scratch_write(scratch_path("a.yaml"), text, strlen(text));
        ck_assert_msg(sweep_read(&sweep_vocabulary, scratch_path("a.yaml"), NULL, false, &sweep, &error), "%s", error.text);
        ck_assert_uint_eq(sweep.n_points, rows[i].points);
        ck_assert_uint_eq(sweep.n_shared, rows[i].shared);
        for (size_t k = 0; k < sweep.n_points; k++) {
            const struct value *value = sweep.point[k].value;
            ck_assert((value[FIELD_GRADIENT].kind == VALUE_NONE) == (i > 0));
            ck_assert((value[FIELD_GRADIENT_STEPS].kind == VALUE_NONE) == (i > 0 || value[FIELD_GRADIENT].integer == 0));
            ck_assert(value[FIELD_TRAIN_IMPL].kind == VALUE_NONE && value[FIELD_STEPS].kind == VALUE_NONE);
        }
        sweep_free(&sweep);
    }
}
END_TEST

/* The loss is drawn from the seed of the inputs, or from 1 where these come from a file: the same for every implementation. */
START_TEST(the_loss_belongs_to_the_seed)
{
    const struct test_case test = {.problem = {.B = 2, .T = 3, .d = 4, .dtype = DTYPE_FLOAT64}};
    for (uint64_t seed = 5; seed <= 7; seed++) {
        struct subject subject = {.tensors = case_tensors(&test, 1), .regime = {.seed = seed, .file = seed == 7 ? "inputs" : NULL}};
        struct backward backward = {0};
        struct error error;
        ck_assert_msg(backward_open(&subject, &backward, &error), "%s", error.text);
        for (uint64_t i = 0; i < 24; i++)
            ck_assert_double_eq(backward.drawn[i], (double)(float)random_normal(seed == 7 ? 1 : seed, STREAM_LOSS, i));
        backward_close(&backward);
        tensors_free(&subject.tensors);
    }
}
END_TEST

Suite *suite_gradient_measure(void)
{
    Suite *suite = suite_create("gradient_measure");
    TCase *tests = tcase_create("gradient");
    tcase_add_checked_fixture(tests, scratch_make, teardown);
    tcase_add_test(tests, exact_ones_agree);
    tcase_add_test(tests, rounding_is_seen);
    tcase_add_test(tests, more_steps_come_nearer);
    tcase_add_test(tests, more_iterations_come_nearer);
    tcase_add_test(tests, every_tensor_has_its_figures);
    tcase_add_test(tests, a_wrong_gradient_is_seen);
    tcase_add_test(tests, without_an_exact_gradient);
    tcase_add_test(tests, gradients_that_nobody_has);
    tcase_add_test(tests, fields_of_the_measure);
    tcase_add_test(tests, the_loss_belongs_to_the_seed);
    suite_add_tcase(suite, tests);
    return suite;
}
