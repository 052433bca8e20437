/* Whole runs through the program itself: what misbehaves becomes a record of the right kind and stops nothing; exit statuses; what
 * a run leaves behind. Uses build/bench-planted, which knows implementations that crash, hang and lie. */
#include "bench/base/process.h"
#include "bench/journal/journal.h"
#include "bench/journal/records.h"
#include "bench/measure/measure.h"
#include "impls/cuda/device.h"
#include "impls/cuda/registry.h"
#include "tests/support/program.h"
#include "tests/support/record_json.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <signal.h>
#include <unistd.h>

static char program[PATH_MAX];

static void setup(void)
{
    program_find("bench-planted", program);
    scratch_make();
}

static void teardown(void)
{
    scratch_remove();
}

static char read_last[PATH_MAX]; /* the journal of the run whose records were read last */

/* Runs the program on a sweep and returns its exit status; the records of its run are read where it says they are. */
static int run(const char *sweep, struct records *records)
{
    const char *file = scratch_path("sweep.yaml"), *results = scratch_path("results");
    const char *const argv[] = {program, file, "--results", results, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    struct error error = {.text = ""};
    scratch_write(file, sweep, strlen(sweep));
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(!process.timed_out && process.signal == 0, "%s %s", process.output, process.errors);
    char *folder = strstr(process.output, results);
    if (records != NULL) {
        ck_assert_msg(folder != NULL, "%s %s", process.output, process.errors);
        snprintf(read_last, sizeof read_last, "%.*s/journal.jsonl", (int)strcspn(folder, "\n"), folder);
        ck_assert_msg(records_read(read_last, records, &error), "%s", error.text);
    }
    int status = process.exit_status;
    process_result_free(&process);
    return status;
}

static const struct record *find(const struct records *records, const char *impl)
{
    for (size_t i = 0; i < records->n; i++)
        if (strcmp(records->record[i].point.value[FIELD_IMPLEMENTATION].text, impl) == 0)
            return &records->record[i];
    ck_abort_msg("no record of %s", impl);
}

/* A reason that is wrong says where, and what is there: the place of the record, a channel, and two numbers that are not the same. */
static void check_place(const struct record *record)
{
    const char *message = json_string_value(record_at(record, "message"));
    long long b, t, c;
    double found, expected;
    ck_assert_ptr_nonnull(message);
    ck_assert_msg(sscanf(message, "sequence %lld, t %lld, channel %lld: %lf for %lf, differs by", &b, &t, &c, &found, &expected) ==
                      5,
                  "%s", message);
    ck_assert_double_ne(found, expected);
    ck_assert_double_eq(record_number(record, "place.b"), (double)b);
    ck_assert_double_eq(record_number(record, "place.t"), (double)t);
}

START_TEST(misbehaviour_is_recorded)
{
    struct records records;
    int status = run("name: planted\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\n"
                     "impls: [planted_crash, planted_wrong, planted_off, planted_lazy, planted_untraced, planted_zero, "
                     "fixed_point, structured_sequential]\n"
                     "run: {samples: 3, rounds: 1, time_limit: 1 h, calibration: none}\n",
                     &records);
    ck_assert_int_eq(status, 1);
    ck_assert_uint_eq(records.n, 8);
    ck_assert_int_eq(find(&records, "planted_crash")->result, RESULT_CRASHED);
    ck_assert_int_eq((int)record_number(find(&records, "planted_crash"), "process.signal"), SIGKILL);
    static const char *const liars[] = {"planted_wrong", "planted_off", "planted_lazy", "planted_untraced", "planted_zero"};
    for (size_t i = 0; i < sizeof liars / sizeof liars[0]; i++) {
        ck_assert_msg(find(&records, liars[i])->result == RESULT_WRONG, "%s passes for %s", liars[i],
                      result_name(find(&records, liars[i])->result));
        ck_assert(isnan(record_number(find(&records, liars[i]), "throughput.median")));
    }
    ck_assert_double_gt(record_number(find(&records, "planted_wrong"), "throughput.error_iterate"), 1e-3);
    check_place(find(&records, "planted_wrong"));
    check_place(find(&records, "planted_off"));
    ck_assert_int_eq(find(&records, "fixed_point")->result, RESULT_OK);
    ck_assert_int_eq(find(&records, "structured_sequential")->result, RESULT_OK);
    ck_assert_double_gt(record_number(find(&records, "fixed_point"), "throughput.median"), 0);
    records_free(&records);
}
END_TEST

/* Of a solver only the outcome can be checked, and that only of a sequence of which it says that it has converged. */
START_TEST(solvers_are_held_to_their_residual)
{
    struct records records;
    int status = run("name: planted\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\n"
                     "settings: {l: 50, tolerance: 1e-4}\nimpls: [planted_solver, anderson]\n"
                     "run: {samples: 3, rounds: 1, time_limit: 1 h, calibration: none}\n",
                     &records);
    ck_assert_int_eq(status, 1);
    ck_assert_int_eq(find(&records, "planted_solver")->result, RESULT_WRONG);
    ck_assert_str_eq(json_string_value(record_at(find(&records, "planted_solver"), "throughput.validated_against")),
                     "its own residual");
    ck_assert_int_eq(find(&records, "anderson")->result, RESULT_OK);
    records_free(&records);
}
END_TEST

/* Whoever stops at a hundred times the tolerance is found out, whether it says so or not. */
START_TEST(who_stops_too_early_is_found_out)
{
    static const char *const names[] = {"planted_early", "planted_early lies=yes", "fixed_point"};
    struct records records;
    int status = run("name: planted\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.9}\n"
                     "settings: {l: 1000, tolerance: [1e-3, 1e-5]}\nimpls: [planted_early, planted_early lies=yes, fixed_point]\n"
                     "run: {samples: 3, rounds: 1, time_limit: 1 h, calibration: none}\n",
                     &records);
    ck_assert_int_eq(status, 1);
    ck_assert_uint_eq(records.n, 6);
    for (size_t i = 0; i < records.n; i++) {
        const char *name = records.record[i].point.value[FIELD_IMPLEMENTATION].text;
        ck_assert_msg(records.record[i].result == (strcmp(name, names[2]) == 0 ? RESULT_OK : RESULT_WRONG), "%s: %s", name,
                      result_name(records.record[i].result));
    }
    records_free(&records);
}
END_TEST

START_TEST(solvers_whose_sequences_may_not_have_converged_are_refused)
{
    struct records records;
    int status = run("name: planted\nmeasure: throughput\nproblem: {B: 4, T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\n"
                     "settings: {l: 50, tolerance: 1e-4, quantile: 0.5}\nimpls: anderson\n"
                     "run: {samples: 3, rounds: 1, time_limit: 1 h, calibration: none}\n",
                     &records);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(find(&records, "anderson")->result, (enum result)STATUS_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(json_string_value(record_at(find(&records, "anderson"), "message")), "use quantile 1"));
    records_free(&records);
}
END_TEST

/* The record of a measure, of a pass where there are two. */
static const struct record *of_measure(const struct records *records, const char *measure, const char *pass)
{
    for (size_t i = 0; i < records->n; i++) {
        const char *given = json_string_value(record_at(&records->record[i], "point.pass"));
        if (strcmp(json_string_value(record_at(&records->record[i], "point.measure")), measure) == 0 &&
            (pass == NULL || (given != NULL && strcmp(given, pass) == 0)))
            return &records->record[i];
    }
    ck_abort_msg("no record of %s", measure);
}

/* A device that answers only those who upload, flush and download (tests/planted/planted_device.c), timed by its own clock; it has
 * neither threads nor levels, and its records say what its like have been run on. */
START_TEST(devices_are_driven_as_the_contract_has_it)
{
    struct records records;
    int status = run("name: device\nmeasure: [throughput, convergence, gradient]\nproblem: {B: 2, T: 8, d: 4, mixer: dplr, "
                     "initial: drawn}\nregime: {kappa: 0.5}\nimpls: planted_device\n"
                     "run: {threads: [1, 2], samples: 3, rounds: 1, time_limit: 1 h, calibration: none}\n"
                     "grids:\n  - pass: forward\n  - {measure: throughput, pass: backward}\n",
                     &records);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(records.n, 4);
    for (size_t i = 0; i < records.n; i++) {
        ck_assert_msg(records.record[i].result == RESULT_OK, "%s", json_string_value(record_at(&records.record[i], "message")));
        ck_assert(json_is_null(record_at(&records.record[i], "point.threads")));
        ck_assert(json_is_null(record_at(&records.record[i], "point.isa")));
        ck_assert_str_eq(json_string_value(record_at(&records.record[i], "device.proof")), CUDA_PROOF);
    }
    const struct record *forward = of_measure(&records, "throughput", "forward");
    ck_assert_double_eq(record_number(forward, "throughput.median"), 0.125);
    ck_assert_double_gt(record_number(forward, "throughput.transfers.upload_s"), 0);
    ck_assert_double_gt(record_number(forward, "throughput.transfers.download_s"), 0);
    ck_assert_str_eq(json_string_value(record_at(forward, "throughput.transfers.caches")), "flushed before every call");
    ck_assert_double_lt(record_number(forward, "throughput.error_exact"), 1e-5);
    ck_assert_double_eq(record_number(of_measure(&records, "throughput", "backward"), "throughput.median"), 0.25);
    ck_assert_double_lt(record_number(of_measure(&records, "convergence", NULL), "convergence.final.error_max"), 1e-5);
    ck_assert_double_gt(record_number(of_measure(&records, "gradient", NULL), "gradient.all.cosine"), 1 - 1e-9);
    records_free(&records);
}
END_TEST

/* The implementations on a device that ship, where there is none: each a clean record with the reason, and the run a success. Where
 * there is a card, they are measured as all others, and this has nothing to say. */
START_TEST(without_a_device_its_points_are_unsupported)
{
    struct records records;
    char sweep[4096];
    int used = snprintf(sweep, sizeof sweep,
                        "name: none\nmeasure: [throughput, convergence]\nproblem: {T: 8, d: 4, mixer: [none, dplr], "
                        "dtype: [float32, float64]}\nrun: {rounds: 2, samples: 3, time_limit: 1 h}\nimpls: [");
    size_t n = 0;
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT32, LEVEL_BASELINE);
        if (one->device == DEVICE_CUDA)
            used += snprintf(sweep + used, sizeof sweep - (size_t)used, "%s%s", n++ > 0 ? ", " : "", one->name);
    }
    snprintf(sweep + used, sizeof sweep - (size_t)used, "]\n");
    if (n == 0 || device_get()->there)
        return;
    ck_assert_int_eq(run(sweep, &records), 0);
    ck_assert_uint_eq(records.n, 8 * n);
    for (size_t i = 0; i < records.n; i++) {
        const char *message = json_string_value(record_at(&records.record[i], "message"));
        bool narrow = records.record[i].point.value[FIELD_DTYPE].integer == DTYPE_FLOAT32;
        ck_assert_int_eq(records.record[i].result, (enum result)STATUS_UNSUPPORTED);
        ck_assert_msg(strcmp(message, device_get()->reason) == 0 || (!narrow && strstr(message, "float32") != NULL), "%s", message);
        ck_assert(record_at(&records.record[i], "device.name") == NULL);
    }
    records_free(&records);
}
END_TEST

/* By itself: whatever shares its limit could fail on a machine that is slow enough. */
START_TEST(what_hangs_is_stopped)
{
    struct records records;
    int status = run("name: planted\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\n"
                     "impls: planted_hang\nrun: {samples: 3, rounds: 1, time_limit: 1, calibration: none}\n",
                     &records);
    ck_assert_int_eq(status, 1);
    ck_assert_int_eq(find(&records, "planted_hang")->result, RESULT_TIMED_OUT);
    records_free(&records);
}
END_TEST

/* A memory limit is no limit of address space: the process is watched, and what it held is said. */
START_TEST(memory_limit_is_watched)
{
    struct records records;
    int status = run("name: hungry\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\n"
                     "impls: [planted_hungry, fixed_point]\n"
                     "run: {samples: 3, rounds: 1, time_limit: 1 h, memory_limit: 200 MB, calibration: none}\n",
                     &records);
    ck_assert_int_eq(status, 1);
    ck_assert_uint_eq(records.n, 2);
    const struct record *hungry = find(&records, "planted_hungry");
    ck_assert_int_eq(hungry->result, (enum result)STATUS_OUT_OF_MEMORY);
    const char *message = json_string_value(record_at(hungry, "message"));
    ck_assert_msg(strstr(message, "the limit is 200.0 MB") != NULL, "%s", message);
    ck_assert_int_eq(find(&records, "fixed_point")->result, RESULT_OK);
    records_free(&records);
}
END_TEST

/* Named numerical results are results: the run ends with status 0. */
START_TEST(numerical_results)
{
    struct records records;
    int status = run(
        "name: numbers\nmeasure: convergence\nproblem: {T: 40, d: 4, mixer: householder, s: 2, dtype: float64}\n"
        "regime: {kappa: free, limit: 0.001}\nimpls: [fixed_point, structured_sequential, dense_sequential]\n"
        "grids:\n  - settings: {l: 20}\n"
        "  - {regime: {kappa: 0.5, limit: 1000}, problem: {s: 1}, settings: {l: [3, 200], tolerance: 0.001}, impls: fixed_point}\n"
        "  - {problem: {mixer: kronecker}, impls: structured_sequential}\n",
        &records);
    size_t count[RESULT_COUNT] = {0};
    for (size_t i = 0; i < records.n; i++)
        count[records.record[i].result]++;
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(records.n, 6);
    ck_assert_uint_eq(count[RESULT_EXPLODES], 3);
    ck_assert_uint_eq(count[STATUS_UNSUPPORTED], 1);
    ck_assert_uint_eq(count[RESULT_OK], 1);
    ck_assert_uint_eq(count[STATUS_NOT_CONVERGED], 1);
    records_free(&records);
}
END_TEST

/* What the convergence measure says of a problem whose behaviour is known: one token, so that the error shrinks by rho = 0.5 each
 * time. */
START_TEST(convergence_figures)
{
    struct records records;
    ck_assert_int_eq(run("name: figures\nmeasure: convergence\nproblem: {B: 2, T: 1, d: 8, dtype: float64, initial: "
                         "drawn}\nregime: {kappa: 0.5}\n"
                         "settings: {l: 60}\nimpls: fixed_point\n",
                         &records),
                     0);
    ck_assert_uint_eq(records.n, 1);
    const struct record *r = &records.record[0];
    ck_assert_double_eq_tol(record_number(r, "inputs.kappa"), 0.5, 1e-6);
    ck_assert_double_eq_tol(record_number(r, "convergence.rate"), 0.5, 1e-3);
    ck_assert_double_lt(record_number(r, "convergence.final.error_max"), 1e-10);
    ck_assert_double_lt(record_number(r, "inputs.equation_residual"), 1e-13);
    ck_assert(json_is_true(record_at(r, "convergence.bounds_hold")));
    ck_assert_double_lt(record_number(r, "convergence.error_to.1e-1"), record_number(r, "convergence.error_to.1e-3"));
    ck_assert_double_lt(record_number(r, "convergence.error_to.1e-3"), record_number(r, "convergence.error_to.1e-6"));
    ck_assert_double_eq(record_number(r, "convergence.applications"), 60);
    ck_assert_double_eq(record_number(r, "convergence.applications_to.1e-6"), record_number(r, "convergence.error_to.1e-6"));
    /* each error is half the one before: from one kept l to the next while all are kept */
    static const enum column_id errors[] = {COLUMN_CURVE_ERROR_L2, COLUMN_CURVE_ERROR_MAX, COLUMN_CURVE_BOUND_TOKEN};
    json_t *line = record_line(r, read_last);
    for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++) {
        double before = 0;
        for (size_t i = 0; i < 25; i++) {
            double now = json_number_value(json_array_get(line_column(line, errors[k]), i));
            ck_assert(i < 3 || fabs(now / before - 0.5) < 1e-3);
            before = now;
        }
    }
    double h_l2 = json_number_value(json_array_get(line_column(line, COLUMN_CURVE_ERROR_L2), 0));
    json_decref(line);
    ck_assert(h_l2 > 0.01 && h_l2 < 1);
    ck_assert_uint_eq(json_array_size(record_at(r, "convergence.l")), json_array_size(record_at(r, "convergence.error_max")));
    records_free(&records);
}
END_TEST

static const struct record *find_pass(const struct records *records, const char *impl, enum pass pass, const char *gradient)
{
    char text[VALUE_TEXT_MAX];
    for (size_t i = 0; i < records->n; i++) {
        const struct value *value = records->record[i].point.value;
        field_print(FIELD_GRADIENT, &value[FIELD_GRADIENT], sizeof text, text);
        if (strcmp(value[FIELD_IMPLEMENTATION].text, impl) == 0 && value[FIELD_PASS].integer == pass && strcmp(text, gradient) == 0)
            return &records->record[i];
    }
    ck_abort_msg("no record of %s", impl);
}

/* A backward pass is held to the gradient in double precision before and after it is timed: one that is off by a hundred-thousandth
 * and one that is not computed again have no speed. The passes of an implementation are points of their own. */
START_TEST(gradients_are_validated_before_they_are_timed)
{
    struct records records;
    int status =
        run("name: back\nmeasure: throughput\npass: [forward, backward]\nproblem: {B: 3, T: 9, d: 4, dtype: float64, initial: "
            "drawn}\nregime: {kappa: 0.5}\nrecipe: {gradient: [exact, steps], gradient_steps: 2}\nsettings: {l: 20}\n"
            "impls: [planted_gradient, planted_gradient keeps=yes, fixed_point, fixed_point_fused, structured_sequential]\n"
            "run: {samples: 6, rounds: 1, time_limit: 1 h, calibration: none}\nskip: [{impl: planted_gradient, gradient: steps}]\n",
            &records);
    ck_assert_int_eq(status, 1);
    ck_assert_uint_eq(records.n, 4 + 3 + 3 + 3);
    const struct record *off = find_pass(&records, "planted_gradient", PASS_BACKWARD, "exact"),
                        *stale = find_pass(&records, "planted_gradient keeps=yes", PASS_BACKWARD, "exact");
    ck_assert_int_eq(off->result, RESULT_WRONG);
    ck_assert_ptr_nonnull(strstr(json_string_value(record_at(off, "message")), "the gradient of lambda at sequence "));
    ck_assert_ptr_nonnull(strstr(json_string_value(record_at(off, "message")), "differs by 1e-05 from the exact"));
    ck_assert_int_eq(stale->result, RESULT_WRONG);
    ck_assert_ptr_nonnull(strstr(json_string_value(record_at(stale, "message")), "is not finite"));
    ck_assert(isnan(record_number(off, "throughput.median")) && isnan(record_number(stale, "throughput.median")));
    ck_assert_int_eq(find_pass(&records, "planted_gradient", PASS_FORWARD, "none")->result, RESULT_OK);
    ck_assert_int_eq(find_pass(&records, "structured_sequential", PASS_BACKWARD, "steps")->result, (enum result)STATUS_UNSUPPORTED);
    const struct record *alone = find_pass(&records, "fixed_point", PASS_BACKWARD, "exact");
    ck_assert_int_eq(alone->result, (enum result)STATUS_UNSUPPORTED); /* there is nobody else to ask */
    ck_assert_ptr_nonnull(strstr(json_string_value(record_at(alone, "message")), "use a tolerance"));
    const struct record *right[] = {find_pass(&records, "fixed_point_fused", PASS_BACKWARD, "exact"),
                                    find_pass(&records, "fixed_point", PASS_BACKWARD, "steps"),
                                    find_pass(&records, "structured_sequential", PASS_BACKWARD, "exact")};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(right[i]->result, RESULT_OK);
        ck_assert_double_gt(record_number(right[i], "throughput.median"), 0);
        ck_assert_double_lt(record_number(right[i], "throughput.error_iterate"), record_number(right[i], "throughput.tolerance"));
        ck_assert_double_lt(record_number(right[i], "throughput.tolerance"), 1e-9);
        ck_assert(isnan(record_number(right[i], "throughput.bytes")) && record_at(right[i], "throughput.GB_per_s") == NULL);
    }
    ck_assert_str_eq(json_string_value(record_at(right[0], "throughput.validated_against")),
                     "the exact gradient"); /* it is solved */
    ck_assert_str_eq(json_string_value(record_at(right[1], "throughput.validated_against")), "the n-step gradient");
    records_free(&records);
}
END_TEST

/* Figures of throughput that follow from each other, and counts done by hand: B = 2, T = 3, d = 4 in float32, 24 elements a tensor,
 * one thread. diagonal_scan reads v and lambda and writes h, with three operations an element. fixed_point, r = 1, l = 2:
 * activating theta (5 a token) into as many parameters costs 7 x 4 operations; h is cleared; an iteration reads h, v and parameters
 * and writes w, then scans in place; I - Q costs 6 x 4, the difference and the sum 2 x 4, the scan 3 x 4. */
START_TEST(throughput_figures)
{
    struct records records;
    const char *tail = "run: {samples: 7, rounds: 1, threads: 1, time_limit: 1 h}\n";
    char sweep[512];
    snprintf(sweep, sizeof sweep,
             "name: figures\nmeasure: throughput\nproblem: {B: 2, T: 3, d: 4}\nsettings: {l: 2}\n"
             "grids: [{problem: {mixer: none}, impls: diagonal_scan}, {impls: fixed_point}]\n%s",
             tail);
    ck_assert_int_eq(run(sweep, &records), 0);
    const struct record *scan = find(&records, "diagonal_scan"), *fixed = find(&records, "fixed_point");
    ck_assert_double_eq(record_number(scan, "throughput.bytes"), 3 * 24 * 4);
    ck_assert_double_eq(record_number(scan, "throughput.operations"), 3 * 24);
    ck_assert_double_eq(record_number(fixed, "throughput.bytes"), 6 * 4 * (5 + 5 + 4 + 2 * (4 * 3 + 5 + 4 * 3)));
    ck_assert_double_eq(record_number(fixed, "throughput.operations"), 6 * (28 + 2 * (24 + 8 + 12)));
    for (size_t i = 0; i < records.n; i++) {
        const struct record *r = &records.record[i];
        double median = record_number(r, "throughput.median");
        ck_assert_uint_eq(json_array_size(record_at(r, "throughput.seconds")), 7);
        ck_assert_double_eq_tol(record_number(r, "throughput.tokens_per_s") * median, 6, 1e-6);
        ck_assert_double_eq_tol(record_number(r, "throughput.GB_per_s") * median * 1e9, record_number(r, "throughput.bytes"), 1e-3);
        ck_assert_double_eq_tol(record_number(r, "throughput.GFLOP_per_s") * median * 1e9,
                                record_number(r, "throughput.operations"), 1e-3);
        ck_assert_double_le(record_number(r, "throughput.low"), median);
        ck_assert_double_ge(record_number(r, "throughput.high"), median);
        ck_assert_double_le(record_number(r, "throughput.tolerance"), 1e-3);
        ck_assert_double_gt(record_number(r, "throughput.bound.share"), 0);
        ck_assert_double_eq_tol(record_number(r, "throughput.bound.share") * median, record_number(r, "throughput.bound.seconds"),
                                1e-6 * record_number(r, "throughput.bound.seconds"));
        ck_assert_double_ge(record_number(r, "process.harness_s"), 0);
        ck_assert_double_ge(record_number(r, "process.end_s"), 0);
        double parts = 0; /* of a round's process: nothing is counted twice */
        for (int stage = 0; stage < STAGE_COUNT; stage++) {
            char path[40];
            snprintf(path, sizeof path, "process.%s_s", stage_names[stage]);
            parts += record_number(r, path);
        }
        ck_assert_double_le(parts + record_number(r, "process.start_s"), record_number(r, "process.wall_s") + 1e-6);
        ck_assert_double_ge(record_number(r, "throughput.peak_bytes"), 4 * 24 * 3);
    }
    records_free(&records);
}
END_TEST

START_TEST(leaves_everything_behind)
{
    static const char *const left[] = {"journal.jsonl",
                                       "table.csv",
                                       "machine.json",
                                       "sweep.yaml",
                                       "plots/throughput-against-l.svg",
                                       "plots/throughput-against-l.dat",
                                       "plots/curves-log.gp",
                                       "comparison.md",
                                       "table.txt"};
    /* With the byte order mark that some editors begin a text with: the copy has it, too. */
    const char *sweep = "\xef\xbb\xbf"
                        "name: left\nmeasure: throughput\nproblem: {T: 16, d: 8}\nsettings: {l: [1, 2]}\nimpls: fixed_point\n"
                        "run: {samples: 6, rounds: 2, time_limit: 1 h, calibration: none}\nplots: [{kind: throughput, x: l, name: "
                        "throughput-against-l}]\n"
                        "paper: [{figure: a, says: b, differs: c, here: seconds_per_call_median, where: {l: [1, 2]}}]\n";
    const char *const find_run[] = {"/bin/sh", "-c", "ls -d \"$0\"/left/*", scratch_path("results"), NULL};
    const struct process_request request = {.argv = find_run, .time_limit = HANG};
    struct process_result process;
    struct error error;
    ck_assert_int_eq(run(sweep, NULL), 0);
    ck_assert(process_run(&request, &process, &error));
    process.output[strcspn(process.output, "\n")] = '\0';
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        char path[PATH_MAX];
        struct stat about;
        snprintf(path, sizeof path, "%s/%s", process.output, left[i]);
        ck_assert_msg(stat(path, &about) == 0 && about.st_size > 0, "%s is missing or empty", path);
        if (i > 3 || i == 1) /* table, plots and comparison: made again below */
            ck_assert_int_eq(unlink(path), 0);
    }
    char machine[PATH_MAX], copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s/sweep.yaml", process.output);
    char *copied = scratch_read(copy);
    ck_assert_str_eq(copied, sweep);
    free(copied);
    snprintf(machine, sizeof machine, "%s/machine.json", process.output);
    json_t *facts = json_load_file(machine, 0, NULL), *words = json_object_get(facts, "command_line");
    ck_assert_str_eq(json_string_value(json_array_get(words, 0)), "./run.sh");
    ck_assert_str_eq(json_string_value(json_array_get(words, 1)), scratch_path("sweep.yaml"));
    json_decref(facts);
    const char *const draw[] = {program, "draw", process.output, NULL};
    const struct process_request again = {.argv = draw, .time_limit = HANG};
    struct process_result drawn;
    ck_assert(process_run(&again, &drawn, &error));
    ck_assert_msg(drawn.exit_status == 0, "%s", drawn.errors);
    process_result_free(&drawn);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", process.output, left[i]);
        ck_assert_msg(access(path, F_OK) == 0, "%s was not drawn again", path);
    }
    process_result_free(&process);
}
END_TEST

/* Runs the program with arguments; *process is the caller's to free. */
static void call(const char *const *arguments, struct process_result *process)
{
    const char *argv[12] = {program};
    struct error error;
    for (int i = 0; i < 10 && arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    ck_assert_msg(process_run(&request, process, &error), "%s", error.text);
}

/* Results of a scale lie in a folder of their own, which remembers it: what is drawn again is drawn as it was. */
START_TEST(at_a_scale)
{
    const char *sweep = scratch_path("sweep.yaml"), *results = scratch_path("results");
    const char *text = "name: sized\nmeasure: gradient\nproblem: {T: 4, d: 2}\nimpls: structured_sequential\n"
                       "run: {time_limit: 1 h, calibration: none}\nscales: {big: {problem: {T: [8, 9]}}}\n"
                       "paper: [{figure: a, says: b, differs: c, here: gradient_all_cosine, where: {d: 2}}]\n";
    static const struct {
        const char *scale, *folder, *here;
        size_t records;
    } rows[] = {{NULL, "sized/run-1", "# sized: the paper", 1}, {"big", "sized-big/run-1", "# sized-big: the paper", 2}};
    scratch_write(sweep, text, strlen(text));
    for (size_t i = 0; i < 2; i++) {
        struct records records;
        struct process_result process;
        struct error error;
        char folder[PATH_MAX], path[PATH_MAX + 32];
        snprintf(folder, sizeof folder, "%s/%s", results, rows[i].folder);
        call((const char *const[]){sweep, "--results", results, i > 0 ? "--scale" : NULL, rows[i].scale, NULL}, &process);
        ck_assert_msg(process.exit_status == 0, "%s %s", process.output, process.errors);
        process_result_free(&process);
        snprintf(path, sizeof path, "%s/journal.jsonl", folder);
        ck_assert_msg(records_read(path, &records, &error), "%s", error.text);
        ck_assert_uint_eq(records.n, rows[i].records);
        records_free(&records);
        snprintf(path, sizeof path, "%s/scale.txt", folder);
        ck_assert_int_eq(access(path, F_OK) == 0, i > 0);
        snprintf(path, sizeof path, "%s/comparison.md", folder);
        char *first = scratch_read(path);
        ck_assert_msg(strncmp(first, rows[i].here, strlen(rows[i].here)) == 0, "%s", first);
        ck_assert_int_eq(strstr(first, "--scale big") != NULL, i == 0);
        ck_assert_int_eq(unlink(path), 0);
        call((const char *const[]){"draw", folder, NULL}, &process);
        ck_assert_msg(process.exit_status == 0, "%s %s", process.output, process.errors);
        process_result_free(&process);
        char *again = scratch_read(path);
        ck_assert_str_eq(again, first);
        free(again);
        free(first);
    }
}
END_TEST

/* The same command again keeps what was measured; an edited sweep keeps the points that it still has; --fresh and --retry do not. */
START_TEST(goes_on)
{
    struct records records;
    const char *sweep = scratch_path("sweep.yaml"), *results = scratch_path("results");
    const char *first =
        "name: again\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\nsettings: {l: [1, 2]}\n"
        "impls: [fixed_point, planted_crash]\nrun: {samples: 2, rounds: 2, time_limit: 1 h, calibration: none}\n";
    const char *edited =
        "name: again\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\nsettings: {l: [2, 3]}\n"
        "impls: [fixed_point, planted_crash]\nrun: {samples: 2, rounds: 2, time_limit: 1 h, calibration: none}\n";
    ck_assert_int_eq(run(first, &records), 1);
    ck_assert_uint_eq(records.n, 5); /* two points of two rounds, and one that crashed in its first */
    records_free(&records);
    static const struct {
        const char *option, *said, *folder;
        size_t records;
        bool edited;
    } steps[] = {
        {NULL, "5 rounds kept, 0 to measure", "run-1", 5, false},
        {"--retry", "4 rounds kept, 2 to measure", "run-1", 6, false},
        {NULL, "3 rounds kept, 2 to measure", "run-1", 8, true},
        {NULL, "5 rounds kept, 0 to measure", "run-1", 8, true},
        {"--fresh", "", "run-2", 5, true},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const char *text = steps[i].edited ? edited : first;
        char journal[PATH_MAX];
        struct process_result process;
        struct error error;
        scratch_write(sweep, text, strlen(text));
        call((const char *const[]){sweep, "--results", results, steps[i].option, NULL}, &process);
        ck_assert_msg(process.exit_status == 1, "step %zu: %s %s", i, process.output, process.errors);
        ck_assert_msg(strstr(process.output, steps[i].said) != NULL, "step %zu: %s", i, process.output);
        snprintf(journal, sizeof journal, "%s/again/%s/journal.jsonl", results, steps[i].folder);
        ck_assert_msg(records_read(journal, &records, &error), "%s", error.text);
        ck_assert_msg(records.n == steps[i].records, "step %zu: %zu records", i, records.n);
        records_free(&records);
        process_result_free(&process);
    }
}
END_TEST

/* The word of a run's records for the point of an implementation, as table.csv has it; the caller's. */
static char *verdict_in(const char *folder, const char *impl)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/table.csv", folder);
    char *table = scratch_read(path), *header = strtok(table, "\n"), *found = NULL;
    int at = -1, n = 0;
    for (char *cell = strsep(&header, ","); cell != NULL; cell = strsep(&header, ","), n++)
        at = strcmp(cell, "verdict") == 0 ? n : at;
    ck_assert_int_ge(at, 0);
    for (char *row; found == NULL && (row = strtok(NULL, "\n")) != NULL;) {
        size_t length = strlen(impl);
        if (strncmp(row, impl, length) != 0 || row[length] != ',')
            continue;
        char *cell = strsep(&row, ",");
        for (int i = 0; i < at && cell != NULL; i++)
            cell = strsep(&row, ",");
        found = strdup(cell != NULL ? cell : "");
    }
    ck_assert_msg(found != NULL, "no row of %s", impl);
    free(table);
    return found;
}

/* A run with a baseline: every other point in pairs with it, whose processes follow each other, and a verdict at the end; which one, time
 * decides, and so nobody asks. What crashes gets that word, and none a ratio. */
START_TEST(pairs_with_a_baseline)
{
    static const char *const may_be[] = {"faster", "slower", "same", "undecided"};
    const char *sweep = "name: pairs\nmeasure: throughput\nbaseline: fixed_point\nproblem: {T: 8, d: 4, mixer: dplr}\n"
                        "regime: {kappa: 0.5}\nsettings: {l: 2}\nimpls: [fixed_point, structured_sequential, planted_crash]\n"
                        "run: {samples: 2, time_limit: 1 h, calibration: none, margin: 1}\n";
    struct records records;
    char folder[PATH_MAX];
    ck_assert_int_eq(run(sweep, &records), 1);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(read_last, '/') - read_last), read_last);
    const struct record *by_line[400] = {NULL};
    int pairs = 0;
    for (size_t i = 0; i < records.n; i++)
        by_line[records.record[i].line] = &records.record[i];
    for (size_t i = 0; i + 1 < records.n; i++) {
        const struct record *one = by_line[i], *other = by_line[i + 1];
        const char *with = column_text(one, COLUMN_PAIR_WITH);
        if (with == NULL || strcmp(with, column_text(other, COLUMN_KEY)) != 0 ||
            column_number(one, COLUMN_PAIR_NUMBER) != column_number(other, COLUMN_PAIR_NUMBER))
            continue;
        bool even = (int)column_number(one, COLUMN_PAIR_NUMBER) % 2 == 0;
        ck_assert_str_eq(column_text(one, COLUMN_PAIR_SIDE), even ? "new" : "baseline");
        ck_assert_str_eq(column_text(other, COLUMN_PAIR_SIDE), even ? "baseline" : "new");
        pairs++;
    }
    ck_assert_msg(records.n == 2 * (size_t)pairs && pairs >= 11, "%zu records, %d pairs", records.n, pairs);
    records_free(&records);
    char *exact = verdict_in(folder, "structured_sequential"), *crash = verdict_in(folder, "planted_crash");
    bool known = false;
    for (size_t i = 0; i < sizeof may_be / sizeof may_be[0]; i++)
        known = known || strcmp(exact, may_be[i]) == 0;
    ck_assert_msg(known, "%s", exact);
    ck_assert_str_eq(crash, "crashed");
    free(exact), free(crash);
    struct process_result process;
    call((const char *const[]){scratch_path("sweep.yaml"), "--results", scratch_path("results"), NULL}, &process);
    ck_assert_msg(strstr(process.output, " 0 to measure") != NULL, "%s", process.output);
    ck_assert_msg(strstr(process.output, "time over that of fixed_point") != NULL, "%s", process.output);
    ck_assert_msg(strstr(process.output, "\nVerdicts: ") != NULL, "%s", process.output);
    process_result_free(&process);
    /* the other way round; then nothing that is there already belongs to it */
    call((const char *const[]){scratch_path("sweep.yaml"), "--results", scratch_path("results"), "--baseline",
                               "structured_sequential", NULL},
         &process);
    ck_assert_msg(strstr(process.output, "time over that of structured_sequential") != NULL, "%s", process.output);
    process_result_free(&process);
    call((const char *const[]){scratch_path("sweep.yaml"), "--results", scratch_path("results"), "--baseline", "gmres", NULL},
         &process);
    ck_assert_int_eq(process.exit_status, 2);
    ck_assert_msg(strstr(process.errors, "baseline gmres: the sweep has no point") != NULL, "%s", process.errors);
    process_result_free(&process);
}
END_TEST

/* One point again by itself: printed, not kept; under another program if asked. */
START_TEST(a_point_by_itself)
{
    struct records records;
    struct process_result process;
    char key[KEY_SIZE];
    ck_assert_int_eq(
        run("name: one\nmeasure: throughput\nproblem: {T: 8, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\nimpls: [fixed_point, "
            "planted_crash]\nrun: {samples: 2, rounds: 1, time_limit: 1 h, calibration: none}\n",
            &records),
        1);
    const char *results = scratch_path("results");
    snprintf(key, sizeof key, "%s", json_string_value(record_at(find(&records, "fixed_point"), "key")));
    call((const char *const[]){"point", key, "--results", results, NULL}, &process);
    ck_assert_int_eq(process.exit_status, 0);
    json_t *found = json_loads(process.output, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(found, "result")), "ok");
    json_decref(found);
    process_result_free(&process);

    call((const char *const[]){"point", key, "--results", results, "--", "env", "printf", "<%s>", NULL}, &process);
    ck_assert_int_eq(process.exit_status, 0);
    ck_assert_ptr_nonnull(strstr(process.output, "bench-planted><worker></dev/fd/"));
    process_result_free(&process);

    call((const char *const[]){"point", json_string_value(record_at(find(&records, "planted_crash"), "key")), "--results", results,
                               NULL},
         &process);
    ck_assert_int_eq(process.exit_status, 1);
    process_result_free(&process);
    records_free(&records);

    static const char *const bad[][2] = {
        {"0123456789abcdef", "no point below"}, {"012", "is not a key"}, {"xyz12", "is not a key"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        call((const char *const[]){"point", bad[i][0], "--results", results, NULL}, &process);
        ck_assert_int_eq(process.exit_status, 2);
        ck_assert_msg(strstr(process.errors, bad[i][1]) != NULL, "%s", process.errors);
        process_result_free(&process);
    }
}
END_TEST

/* Two runs of one sweep at once: the second is told so and disturbs nothing. */
START_TEST(two_at_once)
{
    struct records records;
    struct journal *journal;
    struct error error;
    char path[PATH_MAX];
    const char *sweep = "name: two\nmeasure: convergence\nproblem: {T: 8, d: 4}\nimpls: fixed_point\n";
    ck_assert_int_eq(run(sweep, &records), 0);
    records_free(&records);
    snprintf(path, sizeof path, "%s/two/run-1/journal.jsonl", scratch_path("results"));
    ck_assert(journal_open(path, &journal, &error));
    char *before = scratch_read(path);
    struct process_result process;
    call((const char *const[]){scratch_path("sweep.yaml"), "--results", scratch_path("results"), NULL}, &process);
    ck_assert_int_eq(process.exit_status, 2);
    ck_assert_msg(strstr(process.errors, "another run is writing it") != NULL, "%s", process.errors);
    process_result_free(&process);
    char *after = scratch_read(path);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    journal_close(journal);
    ck_assert_int_eq(run(sweep, NULL), 0);
}
END_TEST

/* Where nothing can be written, or no more: a message with the file and the reason, and a journal that can be read and gone on in. */
START_TEST(no_room)
{
    struct records records;
    struct process_result process;
    struct error error;
    const char *text =
        "name: full\nmeasure: convergence\nproblem: {T: 8, d: 4}\nsettings: {l: {from: 1, to: 20, step: 1}}\nimpls: fixed_point\n";
    const char *sweep = scratch_path("sweep.yaml"), *results = scratch_path("results");
    char journal[PATH_MAX];
    scratch_write(sweep, text, strlen(text));
    call((const char *const[]){sweep, "--results", "/proc/nowhere", NULL}, &process);
    ck_assert_int_eq(process.exit_status, 2);
    ck_assert_msg(strstr(process.errors, "/proc/nowhere: ") != NULL, "%s", process.errors);
    process_result_free(&process);

    /* a file may not grow beyond 16 blocks of 512 bytes */
    const char *const argv[] = {"/bin/sh", "-c", "ulimit -f 16; exec \"$@\"", "sh", program, sweep, "--results", results, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_int_eq(process.exit_status, 2);
    ck_assert_msg(strstr(process.errors, "journal.jsonl: ") != NULL, "%s", process.errors);
    process_result_free(&process);
    snprintf(journal, sizeof journal, "%s/full/run-1/journal.jsonl", results);
    ck_assert_msg(records_read(journal, &records, &error), "%s", error.text);
    size_t before = records.n;
    ck_assert(before > 0 && before < 20 && records.unread.torn == 0);
    records_free(&records);
    call((const char *const[]){sweep, "--results", results, NULL}, &process);
    ck_assert_int_eq(process.exit_status, 0);
    char said[64];
    snprintf(said, sizeof said, "%zu rounds kept, %zu to measure", before, 20 - before);
    ck_assert_msg(strstr(process.output, said) != NULL, "%s", process.output);
    process_result_free(&process);
}
END_TEST

START_TEST(refusals)
{
    ck_assert_int_eq(run("name: bad\nmeasure: convergence\nproblem: {T: 0, d: 4}\nimpls: fixed_point\n", NULL), 2);
    ck_assert_int_ne(access(scratch_path("results"), F_OK), 0); /* nothing was begun */
    static const char *const bad[][4] = {{NULL},
                                         {"--nonsense", NULL},
                                         {"check", NULL},
                                         {"draw", NULL},
                                         {"draw", "/", NULL},
                                         {"draw", "", NULL},
                                         {"list", "more", NULL},
                                         {"no/such.yaml", NULL},
                                         {"a.yaml", "b.yaml", NULL},
                                         {"worker", NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *argv[5] = {program};
        for (int k = 0; k < 4 && bad[i][k] != NULL; k++)
            argv[k + 1] = bad[i][k];
        const struct process_request request = {.argv = argv, .input = "nonsense", .input_size = 8, .time_limit = HANG};
        struct process_result process;
        struct error error;
        ck_assert(process_run(&request, &process, &error));
        ck_assert_msg(process.exit_status == 2 && process.signal == 0, "case %zu: status %d", i, process.exit_status);
        ck_assert_msg(process.errors[0] != '\0', "case %zu: no message", i);
        process_result_free(&process);
    }
}
END_TEST

Suite *suite_run(void);

Suite *suite_run(void)
{
    Suite *suite = suite_create("run");
    TCase *tests = tcase_create("run");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, misbehaviour_is_recorded);
    tcase_add_test(tests, solvers_are_held_to_their_residual);
    tcase_add_test(tests, who_stops_too_early_is_found_out);
    tcase_add_test(tests, solvers_whose_sequences_may_not_have_converged_are_refused);
    tcase_add_test(tests, without_a_device_its_points_are_unsupported);
    tcase_add_test(tests, devices_are_driven_as_the_contract_has_it);
    tcase_add_test(tests, what_hangs_is_stopped);
    tcase_add_test(tests, memory_limit_is_watched);
    tcase_add_test(tests, numerical_results);
    tcase_add_test(tests, convergence_figures);
    tcase_add_test(tests, gradients_are_validated_before_they_are_timed);
    tcase_add_test(tests, throughput_figures);
    tcase_add_test(tests, leaves_everything_behind);
    tcase_add_test(tests, at_a_scale);
    tcase_add_test(tests, goes_on);
    tcase_add_test(tests, pairs_with_a_baseline);
    tcase_add_test(tests, a_point_by_itself);
    tcase_add_test(tests, two_at_once);
    tcase_add_test(tests, no_room);
    tcase_add_test(tests, refusals);
    suite_add_tcase(suite, tests);
    return suite;
}
