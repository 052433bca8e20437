/* What the harness says of a problem is the same whoever solves it, and true: of inputs at the edge of what a dtype resolves, of
 * answers that are 0, of gates that grow, and of many small problems. */
#include "bench/base/safetensors_write.h"
#include "bench/command/vocabulary.h"
#include "bench/measure/measure.h"
#include "bench/measure/subject.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/inputs.h"
#include "bench/sweep/sweep.h"
#include "tests/support/scratch.h"

#include <math.h>

Suite *suite_verdicts(void);

static struct sweep sweep;
static struct finding finding;

static void forget(void)
{
    json_decref(finding.data);
    json_decref(finding.inputs);
    json_decref(finding.load);
    json_decref(finding.warnings);
    finding = (struct finding){.b = -1, .t = -1};
}

static void teardown(void)
{
    forget();
    sweep_free(&sweep);
    scratch_remove();
}

/* Reads a sweep whose file holds `text` after one line of its own. False, with the reason: it is refused. */
static bool read(const char *text, struct error *error)
{
    const char *path = scratch_path("verdicts.yaml");
    char whole[2048];
    snprintf(whole, sizeof whole, "name: t\n%s", text);
    scratch_write(path, whole, strlen(whole));
    sweep_free(&sweep);
    return sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, error);
}

static void measure(size_t i, int64_t round)
{
    const struct limits limits = {.samples = 1, .round = round, .time_limit = 3600, .memory_limit = (size_t)4 << 30};
    struct error error;
    forget();
    ck_assert_msg(measure_run(&sweep.point[i], &limits, &finding, &error), "%s", error.text);
}

/* Every point of a sweep ends so, in words that hold `message`. */
static void all_end_as(const char *text, int result, const char *message)
{
    struct error error;
    ck_assert_msg(read(text, &error), "%s", error.text);
    for (size_t i = 0; i < sweep.n_points; i++) {
        char label[200];
        measure(i, 0);
        point_label(&sweep.point[i], sizeof label, label);
        ck_assert_msg(finding.result == (enum result)result, "%s: %s %s", label, result_name(finding.result), finding.message);
        ck_assert_msg(strstr(finding.message, message) != NULL, "%s: %s", label, finding.message);
    }
}

static double figure(const char *name)
{
    const json_t *number = json_object_get(finding.data, name);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

/* A file of inputs of one sequence without a mixer: v and lambda of channel c at t are those of (t, c). */
static void write_inputs(int64_t T, int64_t d, double (*v)(int64_t t, int64_t c), double (*lambda)(int64_t t, int64_t c))
{
    double *numbers = malloc((size_t)(2 * T * d) * sizeof *numbers);
    ck_assert_ptr_nonnull(numbers);
    for (int64_t i = 0; i < T * d; i++) {
        numbers[i] = v(i / d, i % d);
        numbers[T * d + i] = lambda(i / d, i % d);
    }
    const struct tensor tensor[] = {{.name = "v", .rank = 3, .shape = {1, T, d}, .data = numbers},
                                    {.name = "lambda", .rank = 3, .shape = {1, T, d}, .data = numbers + T * d}};
    struct tensor both[2];
    for (int i = 0; i < 2; i++) {
        both[i] = tensor[i];
        both[i].dtype = DTYPE_FLOAT64;
        both[i].bytes = (size_t)(T * d) * sizeof *numbers;
    }
    struct error error;
    ck_assert_msg(safetensors_write(scratch_path("inputs.safetensors"), both, 2, NULL, &error), "%s", error.text);
    free(numbers);
}

#define RUN "run: {threads: 2}\n"
#define FROM_FILE "measure: throughput\ninputs: inputs.safetensors\n" RUN

/* ---- Sensitivity is the problem's ------------------------------------------------------------------------------------------ */

/* Rounding moves the gradient of this problem by a tenth: nobody's is right or wrong. */
START_TEST(what_is_too_sensitive_is_so_for_all)
{
    all_end_as(
        "measure: throughput\npass: backward\nimpls: [fixed_point, fixed_point_fused, structured_sequential, dense_sequential]\n"
        "problem: {B: 2, T: 16, d: 4, mixer: dplr, r: 2}\nsettings: {l: 16}\nrecipe: {gradient: exact}\nrun: {threads: 1, "
        "seed: 3}\n",
        STATUS_UNSUPPORTED, "too sensitive for float32");
}
END_TEST

/* A vector of one number, of length 1, is a sign: what it is made from does not matter, and rounding of nothing is no gradient. */
START_TEST(gradients_that_are_nothing)
{
    all_end_as(
        "measure: throughput\npass: backward\nimpls: fixed_point\n"
        "problem: {cell: selective, B: 4, T: 1, d: 16, N: 1, feedback: raw, reads: bc, norm: both, initial: drawn, dtype: "
        "[float32, float64]}\nsettings: {l: 30}\nrecipe: {gradient: steps, gradient_steps: 2}\nrun: {threads: 1, samples: 1}\n",
        STATUS_OK, "");
    all_end_as("measure: throughput\npass: backward\nimpls: [structured_sequential, dense_sequential]\n"
               "problem: {cell: selective, B: 4, T: 1, d: 16, N: 1, feedback: raw, reads: bc, norm: both, initial: drawn, dtype: "
               "[float32, float64]}\nrecipe: {gradient: exact}\nrun: {threads: 1, samples: 1}\n",
               STATUS_OK, "");
}
END_TEST

/* The error to an answer that the iteration leaves for another fixed point tells no rate. */
START_TEST(no_rate_of_what_ended_elsewhere)
{
    static const struct {
        const char *s;
        enum result result;
    } rows[] = {{"2", RESULT_ELSEWHERE}, {"0.2", RESULT_OK}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];
        struct error error;
        snprintf(
            text, sizeof text,
            "measure: convergence\nimpls: fixed_point\nproblem: {cell: selective, B: 4, T: 16, d: 64, s: %s, feedback: raw, reads: "
            "bc, dtype: float64}\nsettings: {l: 600}\nrun: {threads: 1}\n",
            rows[i].s);
        ck_assert_msg(read(text, &error), "%s", error.text);
        measure(0, 0);
        ck_assert_msg(finding.result == rows[i].result, "s %s: %s: %s", rows[i].s, result_name(finding.result), finding.message);
        ck_assert_int_eq(isnan(figure("rate")), rows[i].result == RESULT_ELSEWHERE);
    }
}
END_TEST

/* An answer that grows beyond all bounds need not solve its equation to the last digit. */
START_TEST(explosions_come_first)
{
    all_end_as("measure: convergence\nimpls: [structured_sequential, fixed_point]\n"
               "problem: {cell: selective, T: 32, d: 16, N: 16, mixer: none, reads: dt, norm: none}\nregime: {scale: 2.3}\n"
               "settings: {l: 32}\nrun: {threads: 1}\n",
               (enum status_code)RESULT_EXPLODES, "exceeds the limit");
}
END_TEST

/* Three factors that leave a millionth of v, in one channel: what remains is next to the rounding of each. */
START_TEST(products_that_cancel)
{
    all_end_as("measure: throughput\nproblem: {B: 4, T: 5, d: 1, mixer: householder, r: 3, s: 1.5}\n"
               "regime: {lambda_max: 1, kappa: 0.99}\nsettings: {l: 100}\nrun: {threads: 1, seed: 817894}\n"
               "impls: [dense_sequential, structured_sequential, structured_chunked, fixed_point]\n",
               STATUS_UNSUPPORTED, "too sensitive for float32");
}
END_TEST

static double some(int64_t t, int64_t c)
{
    return sin((double)(3 * t + 7 * c + 1));
}

static double near_one(int64_t t, int64_t c)
{
    return t + c >= 0 ? 1 - 0x1p-24 : 0;
}

static double one(int64_t t, int64_t c)
{
    return t + c >= 0 ? 1 : 0;
}

static double zero(int64_t t, int64_t c)
{
    return t + c >= 0 ? 0 : 1;
}

#define GATED "impls: [diagonal_scan split=batch, diagonal_scan split=time, structured_sequential, dense_sequential, fixed_point]\n"

START_TEST(gates_within_rounding_of_one)
{
    write_inputs(8, 2, some, near_one); /* in all less than float32 rounds v by */
    all_end_as(FROM_FILE GATED "problem: {T: 8, d: 2, mixer: none, form: [normalised, plain], dtype: [float32, float64]}\n",
               STATUS_OK, "");
    write_inputs(64, 2, one, near_one); /* a little more: 64 units */
    all_end_as(FROM_FILE GATED "problem: {T: 64, d: 2, mixer: none, dtype: float32}\n", STATUS_UNSUPPORTED, "too sensitive");
    all_end_as(FROM_FILE GATED "problem: {T: 64, d: 2, mixer: none, dtype: float64}\n", STATUS_OK, "");
}
END_TEST

/* Relative to an answer of 0 everything is infinite: v is what counts then. */
START_TEST(answers_that_are_zero)
{
    write_inputs(8, 2, some, one); /* normalised: nothing of v comes in */
    all_end_as(FROM_FILE GATED "problem: {T: 8, d: 2, mixer: none, dtype: [float32, float64]}\n", STATUS_OK, "");
    write_inputs(8, 2, zero, some);
    all_end_as(FROM_FILE GATED "problem: {T: 8, d: 2, mixer: none, form: [normalised, plain]}\n", STATUS_OK, "");
}
END_TEST

/* A mixer that lets next to nothing of v through gates next to 1: the answer is some units of v's own rounding. */
START_TEST(answers_of_a_few_units_of_rounding)
{
    static const char *const settings[] = {"{l: 1}", "{l: 100, tolerance: 0.001}"};
    struct error error;
    struct tensors tensors;
    const struct problem problem = {.B = 1, .T = 7, .d = 1, .mixer = MIXER_DENSE, .dtype = DTYPE_FLOAT64};
    ck_assert_msg(
        tensors_sample(&problem, &(struct regime){.kappa = 0.9, .lambda_max = 0.9, .limit = 1000, .seed = 1}, &tensors, &error),
        "%s", error.text);
    for (int t = 0; t < 7; t++) {
        ((double *)tensors.owned[0])[t] = some(t, 0);
        ((double *)tensors.owned[1])[t] = 1 - (1 + t % 4) * 0x1p-24;
        ((double *)tensors.owned[2])[t] = 2e-8 * (1 + some(t, 1) / 2);
    }
    struct tensor list[TENSORS_MAX];
    size_t n = tensors_list(&tensors, list);
    ck_assert_msg(safetensors_write(scratch_path("inputs.safetensors"), list, n, NULL, &error), "%s", error.text);
    tensors_free(&tensors);
    for (int i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 FROM_FILE "impls: [dense_sequential, fixed_point, fixed_point_fused%s]\nsettings: %s\n"
                           "problem: {T: 7, d: 1, mixer: dense, dtype: float64}\n",
                 i == 0 ? "" : ", quasi_deer, gmres, anderson", settings[i]);
        all_end_as(text, STATUS_UNSUPPORTED, "too sensitive for float64");
    }
    all_end_as("measure: gradient\ninputs: inputs.safetensors\n" RUN "impls: [fixed_point]\nsettings: {l: 1}\nrecipe: {gradient: "
               "exact}\nproblem: {T: 7, d: 1, mixer: dense, dtype: float64}\n",
               STATUS_OK, "");
}
END_TEST

/* ---- Gates that grow: products overflow where no state does --------------------------------------------------------------- */

static double growing(int64_t t, int64_t c)
{
    return c == 1 ? 2 : fabs(sin((double)t));
}

static double none_there(int64_t t, int64_t c)
{
    return c == 1 ? 0 : some(t, c);
}

static double until_late(int64_t t, int64_t c)
{
    return c == 0 ? some(t, c) : t == 590 ? 1e-3 : 0;
}

START_TEST(every_split_says_the_same)
{
    static double (*const v[])(int64_t, int64_t) = {none_there, until_late};
    for (int i = 0; i < 2; i++) {
        write_inputs(600, 2, v[i], growing);
        all_end_as("measure: throughput\ninputs: inputs.safetensors\nproblem: {T: 600, d: 2, mixer: none, form: plain}\n"
                   "impls: [diagonal_scan split=batch, diagonal_scan split=channels, diagonal_scan split=time, "
                   "structured_chunked chunk=200, structured_chunked split=time, structured_sequential, fixed_point split=time]\n"
                   "run: {threads: [1, 3, 4]}\n",
                   STATUS_OK, "");
    }
}
END_TEST

/* States whose squares float32 does not hold are read by a mixer as any others. */
START_TEST(states_whose_squares_overflow)
{
    struct error error;
    struct tensors tensors;
    ck_assert_msg(
        tensors_sample(
            &(struct problem){
                .B = 1, .T = 8, .d = 4, .mixer = MIXER_DPLR, .r = 1, .s = 1, .feedback = FEEDBACK_RMS, .dtype = DTYPE_FLOAT64},
            &(struct regime){.kappa = 0, .lambda_max = 0.9, .limit = 1e30, .seed = 1}, &tensors, &error),
        "%s", error.text);
    for (int i = 0; i < 32; i++)
        ((double *)tensors.owned[0])[i] *= 1e22;
    struct tensor list[TENSORS_MAX];
    size_t n = tensors_list(&tensors, list);
    ck_assert_msg(safetensors_write(scratch_path("inputs.safetensors"), list, n, NULL, &error), "%s", error.text);
    tensors_free(&tensors);
    all_end_as(FROM_FILE "impls: [structured_sequential, dense_sequential, fixed_point, fixed_point_fused]\n"
                         "problem: {T: 8, d: 4, mixer: dplr, feedback: rms}\nregime: {limit: 1e30}\nsettings: {l: 30}\n",
               STATUS_OK, "");
}
END_TEST

/* ---- Inputs ------------------------------------------------------------------------------------------------------------------ */

static double not_a_number(int64_t t, int64_t c)
{
    return t == 3 && c == 1 ? NAN : some(t, c);
}

static double beyond_float32(int64_t t, int64_t c)
{
    return t == 5 && c == 0 ? 1e300 : some(t, c);
}

START_TEST(inputs_that_are_not_finite_are_refused)
{
    static const char text[] = FROM_FILE GATED "problem: {T: 8, d: 2, mixer: none}\n";
    struct error error;
    write_inputs(8, 2, not_a_number, near_one);
    ck_assert(!read(text, &error));
    ck_assert_msg(strstr(error.text, "tensor v holds nan at sequence 0, t 3, channel 1 (from 0); expected numbers that are finite"),
                  "%s", error.text);
    write_inputs(8, 2, some, beyond_float32);
    ck_assert(!read(text, &error));
    ck_assert_msg(strstr(error.text, "tensor lambda holds 1e+300 at sequence 0, t 5, channel 0"), "%s", error.text);
    ck_assert_msg(read(FROM_FILE GATED "problem: {T: 8, d: 2, mixer: none, dtype: float64}\n", &error), "%s", error.text);
}
END_TEST

/* Answers of several sequences are next to nothing where they are so beside the largest inputs of all, whichever comes last. */
START_TEST(a_batch_has_the_yardstick_of_its_largest_inputs)
{
    const struct problem problem = {.B = 2, .T = 4, .d = 2, .mixer = MIXER_NONE, .dtype = DTYPE_FLOAT32};
    struct error error;
    for (int64_t large = 0; large < 2; large++) {
        struct tensors tensors, sequence;
        struct answers answers;
        ck_assert_msg(tensors_sample(&problem, &(struct regime){.lambda_max = 0.9, .limit = 1e30, .seed = 1}, &tensors, &error),
                      "%s", error.text);
        for (int i = 0; i < 8; i++)
            ((float *)tensors.owned[0])[large * 8 + i] *= 1e6f;
        ck_assert_msg(answers_make(&tensors, NULL, 0, 2, false, &answers, &error) &&
                          tensors_sequence(&tensors, large, &sequence, &error),
                      "%s", error.text);
        struct yardstick own = inputs_yardstick(&sequence.problem, &sequence.inputs, DTYPE_FLOAT32);
        ck_assert_double_eq(answers.yardstick.tiny, own.tiny);
        ck_assert_double_eq(answers.yardstick.scale, own.scale);
        answers_free(&answers);
        tensors_free(&sequence);
        tensors_free(&tensors);
    }
}
END_TEST

/* ---- What was looked at ------------------------------------------------------------------------------------------------------ */

/* As many rounds as sequences see all of them, each once, and the same round the same one; each is compared with its own answer. */
START_TEST(rounds_look_at_all_sequences)
{
    struct error error;
    bool seen[5] = {false};
    ck_assert_msg(read("measure: throughput\nimpls: [fixed_point, dense_sequential]\nproblem: {B: 5, T: 8, d: 4}\n" RUN, &error),
                  "%s", error.text);
    for (int64_t round = 0; round < 5; round++) {
        measure(0, round);
        ck_assert_int_eq(finding.result, RESULT_OK);
        int b = (int)figure("validated_sequence");
        ck_assert(b >= 0 && b < 5 && !seen[b]);
        seen[b] = true;
        measure(0, round + 5);
        ck_assert_int_eq((int)figure("validated_sequence"), b);
        measure(1, round);
        ck_assert_msg(finding.result == RESULT_OK, "%s", finding.message);
        ck_assert_int_eq((int)figure("validated_sequence"), b);
        ck_assert_double_lt(figure("error_exact"), figure("tolerance"));
    }
}
END_TEST

/* One iteration is far from the answer, a thousand are not to be told from it. */
START_TEST(what_validation_cannot_tell_apart_is_said)
{
    struct error error;
    ck_assert_msg(read("measure: throughput\nimpls: fixed_point\nproblem: {T: 8, d: 4}\nregime: {kappa: 0.5}\n"
                       "settings: {l: [1, 1000]}\n" RUN,
                       &error),
                  "%s", error.text);
    for (size_t i = 0; i < 2; i++) {
        measure(i, 0);
        ck_assert_int_eq(finding.result, RESULT_OK);
        ck_assert_int_eq(json_is_true(json_object_get(finding.data, "told_apart")), i == 0);
        ck_assert(json_is_false(json_object_get(finding.data, "inaccurate")));
    }
}
END_TEST

/* Farther from the answer than 0 is: no result of a solver, but the time of an iterate that is right. */
START_TEST(errors_above_one_are_inaccurate)
{
    static const char problem[] = "impls: fixed_point\nproblem: {T: 32, d: 4, form: plain, s: 2, mixer: dplr, dtype: float64}\n"
                                  "regime: {kappa: 1.9, limit: 1e30}\nsettings: {l: 20}\n" RUN;
    static const char *const names[] = {"convergence", "reach", "throughput"};
    char text[512];
    for (int i = 0; i < 3; i++) {
        struct error error;
        snprintf(text, sizeof text, "measure: %s\n%s", names[i], problem);
        ck_assert_msg(read(text, &error), "%s", error.text);
        measure(0, 0);
        ck_assert_msg(finding.result == (i < 2 ? RESULT_INACCURATE : RESULT_OK), "%s: %s %s", names[i], result_name(finding.result),
                      finding.message);
        if (i == 2)
            ck_assert(json_is_true(json_object_get(finding.data, "inaccurate")));
    }
}
END_TEST

/* ---- What was wrongly called wrong ------------------------------------------------------------------------------------------- */

START_TEST(the_only_one_that_solves_a_problem)
{
    all_end_as("measure: throughput\nimpls: dense_sequential\nproblem: {T: 16, d: [2, 8], mixer: dense, feedback: raw, dtype: "
               "float64}\nregime: {limit: 1e30}\nrun: {threads: 1, seed: [1, 2, 3]}\n",
               STATUS_OK, "");
    all_end_as(
        "measure: [throughput, memory]\nimpls: dense_sequential\nproblem: {T: 64, d: 16, mixer: dense, feedback: rms, dtype: "
        "[float32, float64]}\n" RUN,
        RESULT_EXPLODES, "exceeds the limit");
}
END_TEST

START_TEST(other_inputs_after_the_calls_are_as_hard)
{
    all_end_as("measure: throughput\nimpls: [fixed_point, fixed_point_fused]\nproblem: {T: 16, d: 8, mixer: kronecker_rows, s: 2, "
               "feedback: rms, dtype: float64, initial: [zero, drawn]}\nsettings: {l: 100}\nrun: {threads: 1, seed: [1, 2, 3]}\n",
               STATUS_OK, "");
}
END_TEST

/* ---- Many small problems ----------------------------------------------------------------------------------------------------- */

/* Whatever is drawn, nothing is wrong, and nothing goes wrong inside. */
START_TEST(small_problems)
{
    static const char *const mixers[] = {"dplr", "householder", "kronecker", "kronecker_rows", "dense"};
    static const char *const feedbacks[] = {"none", "raw", "rms"};
    static const char *const settings[] = {"l: 7", "l: 60", "l: 300, tolerance: 1e-4", "l: 300, tolerance: 1e-6"};
    char text[1024];
    int d = 1 + _i % 5;
    const char *mixer = mixers[_i % 5];
    bool ranked = _i % 5 < 2;
    struct error error;
    snprintf(text, sizeof text,
             "measure: throughput\npass: %s\n"
             "impls: [dense_sequential, fixed_point split=time, fixed_point_fused, quasi_deer, anderson%s]\n"
             "problem: {B: 2, T: %d, d: %d, mixer: %s, feedback: %s, form: %s, dtype: %s, initial: %s%s%s}\n"
             "regime: {lambda_max: %s}\nsettings: {%s}\nrecipe: {gradient: exact}\nrun: {threads: 2, seed: %d}\n",
             _i % 4 == 3 ? "backward" : "forward", ranked ? ", structured_sequential, structured_chunked" : "", 1 + 13 * (_i % 7),
             d, mixer, feedbacks[_i % 3], _i % 2 ? "plain" : "normalised", _i / 2 % 2 ? "float64" : "float32",
             _i / 4 % 2 ? "drawn" : "zero", ranked ? _i % 3 ? ", r: 2" : ", r: 3" : "",
             _i % 5 < 4 ? _i % 2 ? ", s: 2" : ", s: 1" : "", _i % 3 ? "0.999" : "1", settings[_i / 3 % 4], _i);
    ck_assert_msg(read(text, &error), "%s\n%s", error.text, text);
    for (size_t i = 0; i < sweep.n_points; i++) {
        char label[200];
        measure(i, 0);
        point_label(&sweep.point[i], sizeof label, label);
        ck_assert_msg(!result_failed(finding.result), "%s: %s %s", label, result_name(finding.result), finding.message);
    }
}
END_TEST

Suite *suite_verdicts(void)
{
    Suite *suite = suite_create("verdicts");
    TCase *tests = tcase_create("verdicts");
    tcase_add_checked_fixture(tests, scratch_make, teardown);
    tcase_add_test(tests, what_is_too_sensitive_is_so_for_all);
    tcase_add_test(tests, gradients_that_are_nothing);
    tcase_add_test(tests, explosions_come_first);
    tcase_add_test(tests, no_rate_of_what_ended_elsewhere);
    tcase_add_test(tests, products_that_cancel);
    tcase_add_test(tests, gates_within_rounding_of_one);
    tcase_add_test(tests, answers_that_are_zero);
    tcase_add_test(tests, answers_of_a_few_units_of_rounding);
    tcase_add_test(tests, every_split_says_the_same);
    tcase_add_test(tests, states_whose_squares_overflow);
    tcase_add_test(tests, inputs_that_are_not_finite_are_refused);
    tcase_add_test(tests, a_batch_has_the_yardstick_of_its_largest_inputs);
    tcase_add_test(tests, rounds_look_at_all_sequences);
    tcase_add_test(tests, what_validation_cannot_tell_apart_is_said);
    tcase_add_test(tests, errors_above_one_are_inaccurate);
    tcase_add_test(tests, the_only_one_that_solves_a_problem);
    tcase_add_test(tests, other_inputs_after_the_calls_are_as_hard);
    tcase_add_loop_test(tests, small_problems, 0, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
