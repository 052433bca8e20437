/* Accuracy as a measure: what a sweep file may say of trainings, and what is refused; trainings that points share; a training that
 * is killed goes on and ends in the same bits; whole sweeps through the program; what is derived and drawn from their records. */
#include "bench/base/clock.h"
#include "bench/base/process.h"
#include "bench/base/safetensors.h"
#include "bench/base/statistics.h"
#include "bench/command/tally.h"
#include "bench/command/vocabulary.h"
#include "bench/measure/checkpoint.h"
#include "bench/measure/curve.h"
#include "bench/measure/measure.h"
#include "bench/measure/trained.h"
#include "bench/report/longest.h"
#include "bench/sweep/recipe.h"
#include "bench/sweep/sweep.h"
#include "tests/support/made_records.h"
#include "tests/support/program.h"
#include "tests/support/record_json.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL scratch_path("journal.jsonl")

static char program[PATH_MAX];
static struct error error;

static void setup(void)
{
    program_find("bench", program);
    scratch_make();
}

static void teardown(void)
{
    scratch_remove();
}

static const char *sweep_file(const char *text)
{
    const char *path = scratch_path("sweep.yaml");
    scratch_write(path, text, strlen(text));
    return path;
}

static void read_sweep(const char *text, struct sweep *sweep)
{
    ck_assert_msg(sweep_read(&sweep_vocabulary, sweep_file(text), NULL, false, sweep, &error), "%s", error.text);
}

static size_t count_of(const struct sweep *sweep, unsigned of)
{
    size_t n = 0;
    for (size_t i = 0; i < sweep->n_points; i++)
        n += measures[sweep->point[i].value[FIELD_MEASURE].integer].of == of;
    return n;
}

/* ---- Sweep files -------------------------------------------------------------------------------------------------------- */

#define TINY "name: t\nmeasure: accuracy\ntask: Z2\n"

START_TEST(trainings_are_shared)
{
    struct sweep sweep;
    read_sweep(TINY "model: {layer: [fp_rnn, lstm], d_model: 8, d: 8, r: [1, 2]}\nrecipe: {steps: 10, train_seed: [1, 2]}\n"
                    "test: {test_length: [2, 4], test_seed: [1, 2]}\nimpls: [fixed_point, structured_sequential]\n"
                    "settings: {l: [4, 8]}\nproblem: {dtype: [float32, float64]}\nrun: {threads: 1}\n",
               &sweep);
    /* fp_rnn with two ranks, and an lstm that has none, twice each */
    ck_assert_uint_eq(count_of(&sweep, OF_TRAINING), 6);
    /* lengths x seeds x dtypes x train seeds = 16 of each model; fixed_point with both l, structured_sequential with none */
    ck_assert_uint_eq(count_of(&sweep, OF_ACCURACY), 16 * (2 * (2 + 1) + 1));
    for (size_t i = 0; i < sweep.n_points; i++) {
        struct point training;
        bool found = false;
        if (!point_training(&sweep.point[i], &training)) {
            ck_assert(sweep.point[i].value[FIELD_IMPLEMENTATION].kind == VALUE_NONE);
            ck_assert(sweep.point[i].value[FIELD_TEST_LENGTH].kind == VALUE_NONE);
            ck_assert(sweep.point[i].value[FIELD_DTYPE].kind == VALUE_NONE);
            continue;
        }
        for (size_t k = 0; k < i && !found; k++) /* it stands before what depends on it */
            found = point_equal(&training, &sweep.point[k]);
        ck_assert(found);
    }
    sweep_free(&sweep);
}
END_TEST

/* Measures of the recurrence and of what is learnt in one file: neither needs what only the other uses. */
START_TEST(measures_stand_side_by_side)
{
    struct sweep sweep;
    read_sweep("name: t\nproblem: {d: 8}\ngrids:\n  - {measure: convergence, impls: fixed_point, problem: {T: 4}}\n"
               "  - {measure: accuracy, task: Z2, model: {layer: lstm}, test: {test_length: 2}}\n",
               &sweep);
    ck_assert_uint_eq(sweep.n_points, 3);
    ck_assert_uint_eq(count_of(&sweep, OF_RECURRENCE), 1);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (!(fields[f].of & OF_RECURRENCE))
            ck_assert_msg(sweep.point[0].value[f].kind == VALUE_NONE, "%s", fields[f].name);
    sweep_free(&sweep);
}
END_TEST

static const struct {
    const char *text, *message; /* message: what follows the path */
} bad[] = {
    {"model: {layer: lstm}\n", ":1:1: d is missing in model; expected a whole number from 1 to 65536"},
    {"model: {layer: lstm, d: 4}\n", ":1:1: test_length is missing in test; expected a whole number from 1 to 65536"},
    {"test: {test_length: 2}\nproblem: {d: 4}\n",
     ":1:1: layer is missing in model; expected one of fp_rnn, diagonal, fp_mamba, mamba, mamba2, delta, lstm, attention"},
    {"model: {layer: fp_rnn, d: 4}\ntest: {test_length: 2}\n",
     ":1:1: impls is missing; expected the name of an implementation, then its options"},
    {"model: {layer: fp_rnn, d: 4}\ntest: {against: fixed_pint}\n",
     ":5:17: no implementation is called \"fixed_pint\"; did you mean fixed_point?"},
    {"test: {against: [none, {}]}\n",
     ":4:24: against is a mapping; expected the name of an implementation, then its options, or none"},
    {"model: {layer: gru}\n",
     ":4:16: layer is \"gru\"; expected one of fp_rnn, diagonal, fp_mamba, mamba, mamba2, delta, lstm, attention"},
    {"model: {layer: attention, d_model: 8, heads: 3}\ntest: {test_length: 2}\n",
     ":4:1: d_model is 8; expected a multiple of the 3 heads"},
    {"model: {layer: attention, d_model: 12, heads: 4}\ntest: {test_length: 2}\n",
     ":4:1: attention: d = 12 must be a multiple of twice the heads = 4"},
    {"recipe: {learning_rate: -0.003}\n", ":4:25: learning_rate is \"-0.003\"; expected a number above 0, at most 10"},
    {"recipe: {train_lenght: 16}\n", ":4:10: unknown key \"train_lenght\" in recipe; did you mean train_length?"},
    {"recipe: {l: 16}\n", ":4:10: unknown key \"l\" in recipe; expected it in settings"},
    {"model: {T: 16}\n", ":4:9: unknown key \"T\" in model; expected it in problem"},
    {"test: {test_length: 0}\n", ":4:21: test_length is \"0\"; expected a whole number from 1 to 65536"},
    {"run: {training_limit: 2 days}\n", ":4:23: training_limit is \"2 days\"; expected a time above 0"},
};

START_TEST(bad_recipes_are_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        struct sweep sweep;
        snprintf(text, sizeof text, "%s%s", TINY, bad[i].text);
        const char *path = sweep_file(text);
        ck_assert_msg(!sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error), "%s", bad[i].text);
        ck_assert_msg(strncmp(error.text, path, strlen(path)) == 0, "%s", error.text);
        ck_assert_msg(strncmp(error.text + strlen(path), bad[i].message, strlen(bad[i].message)) == 0, "%s instead of %s",
                      error.text + strlen(path), bad[i].message);
    }
}
END_TEST

/* What only the task knows: its name and its lengths, each at its place. */
START_TEST(tasks_refuse)
{
    static const char *const texts[] = {"name: t\nmeasure: accuracy\ntask: A55\n",
                                        "name: t\nmeasure: accuracy\ntask: copying\nmodel: {layer: lstm, d: 4}\n"
                                        "recipe: {train_length: 60000}\ntest: {test_length: 40}\n",
                                        "name: t\nmeasure: accuracy\ntask: modular\nmodel: {layer: lstm, d: 4}\n"
                                        "recipe: {train_length: 40}\ntest: {test_length: [40, 60000]}\n"};
    static const char *const places[] = {":3:7: ", ":5:1: train_length is 60000", ":6:1: test_length is 60000"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sweep sweep;
        const char *path = sweep_file(texts[i]);
        ck_assert(!sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error));
        ck_assert_msg(strncmp(error.text + strlen(path), places[i], strlen(places[i])) == 0, "%s", error.text);
    }
}
END_TEST

START_TEST(a_recipe_says_what_it_says)
{
    struct sweep sweep;
    read_sweep(TINY
               "model: {layer: fp_rnn, d_model: 12, d: 6, mixer: dplr, r: 3, s: 2, feedback: rms, readout: state, hands_on: applied, blocks: 2}\n"
               "recipe: {steps: 70, batch: 5, train_length: 9, learning_rate: 0.01, warmup: 7, schedule: linear, weight_decay: "
               "0.2, grad_clip: none,\n"
               "  curriculum: lengths, target: 0.8, check_every: 11, gradient: steps, gradient_steps: 2, train_impl: fixed_point,\n"
               "  train_l: 12, train_tolerance: 0.05, train_quantile: 0.75, gamma: 4, train_seed: 3, train_dtype: float64,\n"
               "  train_damping: 0.99, train_damping_factor: 0.8, train_patience: 15}\n"
               "test: {test_length: 4, test_seed: 3}\nimpls: structured_sequential\n",
               &sweep);
    const struct point *training = &sweep.point[0], *accuracy = &sweep.point[1];
    struct model_spec model = point_model(training, point_train_dtype(training));
    struct recipe recipe = point_recipe(training);
    struct recurrence train = point_train_recurrence(training), test = point_test_recurrence(accuracy);
    ck_assert(model.d_model == 12 && model.d == 6 && model.mixer == MIXER_DPLR && model.r == 3 && model.s == 2 &&
              model.blocks == 2);
    ck_assert(model.feedback == FEEDBACK_RMS && model.readout == READOUT_STATE && model.dtype == DTYPE_FLOAT64);
    ck_assert(recipe.steps == 70 && recipe.batch == 5 && recipe.length == 9 && recipe.learning_rate == 0.01 && recipe.warmup == 7);
    ck_assert(recipe.schedule == SCHEDULE_LINEAR && recipe.weight_decay == 0.2 && recipe.grad_clip == 0 && recipe.curriculum);
    ck_assert(recipe.curriculum_accuracy == 0.9 && recipe.curriculum_window == 200 && recipe.target == 0.8);
    ck_assert(recipe.check_every == 11 && recipe.check_samples == 1000 && recipe.gamma == 4 && recipe.seed == 3);
    ck_assert(train.settings.l_max == 12 && train.settings.tolerance == 0.05 && train.settings.quantile == 0.75);
    ck_assert(train.settings.further == 2 && test.settings.further == 2);
    ck_assert(train.settings.damping == 0.99 && train.settings.damping_factor == 0.8 && train.settings.patience == 15);
    ck_assert(train.settings.gradient == GRADIENT_STEPS && train.settings.gradient_steps == 2);
    ck_assert_str_eq(registry_get(train.implementation, DTYPE_FLOAT32, LEVEL_BASELINE)->name, "fixed_point");
    ck_assert_str_eq(registry_get(test.implementation, DTYPE_FLOAT32, LEVEL_BASELINE)->name, "structured_sequential");
    /* examples of three purposes, all from seed 3 */
    ck_assert(point_check_seed(training) != recipe.seed && point_test_seed(accuracy) != recipe.seed);
    ck_assert(point_check_seed(training) != point_test_seed(accuracy));
    sweep_free(&sweep);
}
END_TEST

START_TEST(a_model_says_what_it_says)
{
    struct sweep sweep;
    read_sweep(TINY "model: {layer: delta, d_model: 9, d: 12, N: 5, heads: 3, r: 2, forget: head, convolution: short, eigenvalues: "
                    "both, output_gate: none, feed_forward: swiglu}\n"
                    "recipe: {train_length: 9, train_impl: delta_sequential}\ntest: {test_length: 4}\nimpls: delta_sequential\n",
               &sweep);
    struct model_spec model = point_model(&sweep.point[0], DTYPE_FLOAT64);
    ck_assert(model.d_model == 9 && model.d == 12 && model.N == 5 && model.heads == 3 && model.r == 2);
    ck_assert(model.forget == FORGET_HEAD && model.convolution == CONVOLUTION_SHORT && model.mixer == MIXER_NONE && model.s == 0);
    ck_assert(model.eigenvalues == EIGENVALUES_BOTH && model.output_gate == OUTPUT_GATE_NONE);
    ck_assert(model.feed_forward == FEED_FORWARD_SWIGLU);
    sweep_free(&sweep);
    read_sweep(TINY "model: {layer: delta, d: 8}\nrecipe: {train_length: 9, train_impl: delta_sequential}\n"
                    "test: {test_length: 4}\nimpls: delta_sequential\n",
               &sweep);
    model = point_model(&sweep.point[0], DTYPE_FLOAT64);
    ck_assert(model.N == 16 && model.heads == 4 && model.r == 1 && model.forget == FORGET_NONE);
    ck_assert(model.eigenvalues == EIGENVALUES_POSITIVE && model.output_gate == OUTPUT_GATE_SILU);
    ck_assert(model.feed_forward == FEED_FORWARD_NONE && model.convolution == CONVOLUTION_NONE);
    sweep_free(&sweep);
}
END_TEST

/* ---- The course of a training ------------------------------------------------------------------------------------------- */

static struct step made_step(int64_t i)
{
    return (struct step){.step = i,
                         .length = 2 + i / 100,
                         .loss = 1.0 / (double)i,
                         .accuracy = (double)i / 1000,
                         .norm = (double)(i % 7),
                         .iterations = NAN};
}

START_TEST(curves_survive_a_stop)
{
    struct curve whole, half, again;
    curve_begin(&whole, 1000);
    curve_begin(&half, 1000);
    curve_begin(&again, 1000);
    ck_assert_int_eq(whole.every, 4);
    for (int64_t i = 1; i <= 1000; i++) {
        struct step step = made_step(i);
        curve_add(&whole, &step, i % 50 == 0 ? 0.5 : NAN, (double)i);
        curve_add(i <= 501 ? &half : &again, &step, i % 50 == 0 ? 0.5 : NAN, (double)i);
        if (i == 501) { /* in the middle of a row */
            json_t *state = curve_to_state(&half);
            char *text = json_dumps(state, JSON_COMPACT);
            json_t *parsed = json_loads(text, 0, NULL);
            ck_assert(curve_from_state(parsed, &again));
            json_decref(parsed);
            json_decref(state);
            free(text);
        }
    }
    json_t *left = curve_to_json(&whole, true), *right = curve_to_json(&again, true);
    ck_assert(json_equal(left, right));
    ck_assert_uint_eq(json_array_size(json_object_get(left, "step")), 250);
    ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(left, "step"), 249)), 1000);
    ck_assert_double_eq_tol(json_number_value(json_array_get(json_object_get(left, "loss"), 0)), (1 + 0.5 + 1.0 / 3 + 0.25) / 4,
                            1e-12);
    ck_assert_double_eq(json_number_value(json_array_get(json_object_get(left, "norm"), 1)), 6);
    ck_assert(json_is_null(json_array_get(json_object_get(left, "iterations"), 0)));
    json_decref(left);
    json_decref(right);
    struct curve other;
    curve_begin(&other, 5000); /* of another recipe */
    json_t *state = curve_to_state(&whole);
    ck_assert(!curve_from_state(state, &other));
    json_decref(state);
}
END_TEST

/* ---- Through the program ------------------------------------------------------------------------------------------------ */

/* Of the run in a folder of results; good until the next call. */
static const char *journal_of(const char *results)
{
    static char journal[PATH_MAX];
    snprintf(journal, sizeof journal, "%.3000s/t/run-1/journal.jsonl", results);
    return journal;
}

/* Runs a sweep, its processes under a fault of tests/faults/ or NULL, and returns its exit status; the records of its run are read
 * where they are. */
static int run_under(const char *fault, const char *text, const char *results, struct records *records)
{
    struct faulted under = {.word = {NULL}};
    const char *argv[FAULTED_WORDS + 5];
    size_t n = 0;
    if (fault != NULL) {
        program_faulted(fault, "worker", scratch_path("calls"), &under);
        memcpy(argv, under.word, sizeof under.word);
        n = FAULTED_WORDS;
    }
    const char *const plain[] = {program, sweep_file(text), "--results", results, NULL};
    memcpy(argv + n, plain, sizeof plain);
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(!process.timed_out && process.signal == 0, "%s %s", process.output, process.errors);
    int status = process.exit_status;
    if (records != NULL)
        ck_assert_msg(records_read(journal_of(results), records, &error), "%s %s", error.text, process.errors);
    process_result_free(&process);
    return status;
}

static int run(const char *text, const char *results, struct records *records)
{
    return run_under(NULL, text, results, records);
}

static const struct record *find(const struct records *records, const char *measure, int64_t length)
{
    const struct record *found = NULL;
    for (size_t i = 0; i < records->n; i++) {
        const struct point *point = &records->record[i].point;
        if (strcmp(measure_word((int)point->value[FIELD_MEASURE].integer), measure) == 0 &&
            point_integer(point, FIELD_TEST_LENGTH, 0) == length)
            found = &records->record[i]; /* the latest */
    }
    ck_assert_msg(found != NULL, "no record of %s at %lld", measure, (long long)length);
    return found;
}

#define LSTM "model: {layer: lstm, d_model: 16, d: 16}\n"
#define TWENTY TINY LSTM HERE "recipe: {steps: 20, batch: 8, train_length: 4}\n"
#define HERE "run: {threads: 1, calibration: none, time_limit: 1 h, training_limit: 1 h}\n"

/* A tiny LSTM learns the parity of all tokens so far. */
START_TEST(an_lstm_learns)
{
    struct records records;
    ck_assert_int_eq(run(TINY LSTM HERE "recipe: {steps: 300, batch: 32, train_length: 4, learning_rate: 0.01, warmup: 20}\n"
                                        "test: {test_length: [2, 4, 8], examples: 150}\n",
                         scratch_path("results"), &records),
                     0);
    ck_assert_uint_eq(records.n, 4);
    const struct record *training = find(&records, "training", 0), *accuracy = find(&records, "accuracy", 4);
    ck_assert_int_eq(training->result, RESULT_OK);
    ck_assert_int_eq((int)record_number(training, "training.steps"), 300);
    ck_assert_double_gt(record_number(training, "training.accuracy"), 0.99);
    ck_assert_uint_eq(json_array_size(record_at(training, "training.curve.loss")), 300);
    ck_assert_double_gt(json_number_value(json_array_get(record_at(training, "training.curve.loss"), 0)), 0.5);
    double parts = 0;
    static const char *const part[] = {"data", "iterations", "forward", "backward", "optimiser"};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "training.seconds.%s", part[i]);
        ck_assert_double_ge(record_number(training, path), 0);
        parts += record_number(training, path);
    }
    ck_assert_double_gt(parts, 0);
    ck_assert_double_le(parts, record_number(training, "training.seconds.all"));
    ck_assert_int_eq((int)record_number(accuracy, "accuracy.token.of"), 4 * 150);
    ck_assert_int_eq((int)record_number(accuracy, "accuracy.sequence.of"), 150);
    ck_assert_double_gt(record_number(accuracy, "accuracy.token.share"), 0.99);
    ck_assert_double_lt(record_number(accuracy, "accuracy.token.low"), record_number(accuracy, "accuracy.token.share"));
    ck_assert_double_eq(record_number(accuracy, "accuracy.chance"), 0.5);
    ck_assert_double_eq(record_number(accuracy, "accuracy.parameters"), record_number(training, "training.parameters"));
    records_free(&records);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/t/run-1/table.csv", scratch_path("results"));
    char *table = scratch_read(path);
    ck_assert(strstr(table, ",token_accuracy,") != NULL && strstr(table, ",lstm,") != NULL);
    free(table);
    static const char *const pictures[] = {"accuracy-against-test_length.svg", "sequence-accuracy-against-test_length.svg",
                                           "loss.svg"};
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        snprintf(path, sizeof path, "%s/t/run-1/plots/%s", scratch_path("results"), pictures[i]);
        ck_assert_msg(access(path, R_OK) == 0, "%s", path);
    }
}
END_TEST

/* An fp_rnn is trained once, and evaluated exactly, until it has converged, and cut off: the same where it has converged. */
START_TEST(one_training_many_evaluations)
{
    struct records records;
    ck_assert_int_eq(
        run(TINY "model: {layer: fp_rnn, d_model: 8, d: 8, feedback: rms}\n" HERE
                 "recipe: {steps: 20, batch: 8, train_length: 4, warmup: 5}\n"
                 "test: {test_length: 6, examples: 50}\nproblem: {dtype: [float32, float64]}\n"
                 "grids:\n  - impls: structured_sequential\n"
                 "  - {impls: fixed_point, settings: {l: 200, tolerance: 1e-6}}\n  - {impls: fixed_point, settings: {l: 1}}\n",
            scratch_path("results"), &records),
        0);
    ck_assert_uint_eq(records.n, 7);
    double exact = NAN;
    for (size_t i = 0; i < records.n; i++) {
        const struct record *record = &records.record[i];
        ck_assert_msg(record->result == RESULT_OK, "%s", json_string_value(record_at(record, "message")));
        if (record->point.value[FIELD_TEST_LENGTH].kind == VALUE_NONE)
            continue;
        double loss = record_number(record, "accuracy.loss");
        if (strcmp(record->point.value[FIELD_IMPLEMENTATION].text, "structured_sequential") == 0)
            exact = loss;
    }
    ck_assert(isfinite(exact));
    for (size_t i = 0; i < records.n; i++) {
        const struct record *record = &records.record[i];
        if (record->point.value[FIELD_TEST_LENGTH].kind == VALUE_NONE)
            continue;
        double loss = record_number(record, "accuracy.loss");
        bool cut = point_integer(&record->point, FIELD_L, 0) == 1, judged = point_real(&record->point, FIELD_TOLERANCE, 0) > 0;
        ck_assert_msg((fabs(loss - exact) < 1e-4 * exact) == !cut, "loss %g, exact %g", loss, exact);
        ck_assert((record_number(record, "accuracy.l_star.median") >= 1) == judged);
    }
    records_free(&records);
}
END_TEST

#define TRAINED(checkpoint_every)                                                                                                  \
    TINY LSTM "recipe: {steps: 1500, batch: 16, train_length: 4, learning_rate: 0.01, warmup: 20, target: 1, check_every: 500, "   \
              "check_examples: 20}\n"                                                                                              \
              "test: {test_length: 4, examples: 50}\n"                                                                             \
              "run: {threads: 1, calibration: none, time_limit: 1 h, training_limit: 1 h, checkpoint_every: " checkpoint_every     \
              "}\n"
static const char seldom[] = TRAINED("1 h"), stepwise[] = TRAINED("0.000001"); /* the latter: a checkpoint after each step */

/* The one training below a folder of results. */
static void checkpoint_path(const char *results, char path[PATH_MAX])
{
    char folder[PATH_MAX - 300];
    snprintf(folder, sizeof folder, "%.3000s/trained", results);
    path[0] = '\0';
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.')
            snprintf(path, PATH_MAX, "%s/%s/checkpoint.safetensors", folder, entry->d_name);
    if (entries != NULL)
        closedir(entries);
}

/* The training stops by itself while it writes its third checkpoint, at the fifth fsync: each makes two, of the file and of its folder.
 * Then the program is killed, and the training with it. */
static void start_and_kill(const char *results)
{
    const char *sweep = sweep_file(stepwise), *count = scratch_path("calls");
    struct faulted under;
    program_faulted("stop:5", "worker", count, &under);
    const char *argv[FAULTED_WORDS + 5];
    const char *const plain[] = {program, sweep, "--results", results, NULL};
    memcpy(argv, under.word, sizeof under.word);
    memcpy(argv + FAULTED_WORDS, plain, sizeof plain);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        for (int end = 0; end < 3; end++)
            dup2(nowhere, end);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    while (program_fault_counts(count).failed == 0) {
        ck_assert_msg(waitpid(pid, NULL, WNOHANG) == 0, "it ended without a third checkpoint");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void same_tensors(const char *left_path, const char *right_path)
{
    struct safetensors *left, *right;
    ck_assert_msg(safetensors_open(left_path, &left, &error), "%s", error.text);
    ck_assert_msg(safetensors_open(right_path, &right, &error), "%s", error.text);
    ck_assert_uint_eq(safetensors_count(left), safetensors_count(right));
    ck_assert_uint_gt(safetensors_count(left), 6);
    for (size_t i = 0; i < safetensors_count(left); i++) {
        const struct tensor *a = safetensors_get(left, i), *b = safetensors_find(right, a->name);
        ck_assert_msg(b != NULL && a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0, "%s differs", a->name);
    }
    safetensors_close(left);
    safetensors_close(right);
}

START_TEST(killed_trainings_end_in_the_same_bits)
{
    char undisturbed[PATH_MAX], killed[PATH_MAX], first[PATH_MAX], second[PATH_MAX];
    struct records left, right;
    struct checkpoint *checkpoint;
    struct standing standing;
    snprintf(undisturbed, sizeof undisturbed, "%s", scratch_path("undisturbed"));
    snprintf(killed, sizeof killed, "%s", scratch_path("killed"));
    run(seldom, undisturbed, &left);
    start_and_kill(killed);
    checkpoint_path(killed, second);
    ck_assert_msg(access(second, R_OK) == 0, "no checkpoint");
    ck_assert_int_eq(checkpoint_open(second, &checkpoint, &error), CHECKPOINT_THERE);
    ck_assert_msg(checkpoint_standing(checkpoint, 1500, &standing, &error), "%s", error.text);
    ck_assert_msg(standing.state.step >= 2 && standing.state.step < 1500 && !standing.done, "killed at step %lld",
                  (long long)standing.state.step);
    checkpoint_close(checkpoint);
    run(seldom, killed, &right);
    checkpoint_path(undisturbed, first);
    same_tensors(first, second);
    const struct record *a = find(&left, "training", 0), *b = find(&right, "training", 0);
    ck_assert_int_eq(a->result, b->result);
    ck_assert_double_eq(record_number(b, "training.sittings"), 2);
    static const enum column_id same[] = {COLUMN_TRAINING_STEPS, COLUMN_TRAINING_CHECKED, COLUMN_CURVE_LOSS,
                                          COLUMN_CURVE_NORM,     COLUMN_CURVE_STEP,       COLUMN_CURVE_CHECKED};
    json_t *line_a = record_line(a, journal_of(undisturbed)), *line_b = record_line(b, journal_of(killed));
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        ck_assert_msg(json_equal(line_column(line_a, same[i]), line_column(line_b, same[i])), "%s differs", schema[same[i]].path);
    json_decref(line_a);
    json_decref(line_b);
    ck_assert(json_equal(record_at(find(&left, "accuracy", 4), "accuracy.token"),
                         record_at(find(&right, "accuracy", 4), "accuracy.token")));
    records_free(&left);
    records_free(&right);
}
END_TEST

/* ---- Checkpoints that changed ------------------------------------------------------------------------------------------------- */

static char *read_bytes(const char *path, size_t *size)
{
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    *size = (size_t)facts.st_size;
    return scratch_read(path);
}

/* Renames the last moment in a checkpoint: all that is read before it is there. */
static void rename_moment(char *bytes, size_t *size)
{
    static const char name[] = "\"adam.v.";
    size_t last = 0;
    for (size_t i = 0; i + sizeof name <= *size; i++)
        last = memcmp(bytes + i, name, sizeof name - 1) == 0 ? i : last;
    ck_assert_uint_gt(last, 0);
    memcpy(bytes + last + 1, "bdam", 4);
}

static void flip_last_bit_of_a_number(char *bytes, size_t *size)
{
    bytes[*size - 4] ^= 1;
}

/* "step":12 becomes a step 10 ahead, or behind. */
static void change_the_step(char *bytes, size_t *size)
{
    static const char name[] = "\\\"step\\\":";
    char *at = memmem(bytes, *size, name, sizeof name - 1);
    ck_assert_ptr_nonnull(at);
    at[sizeof name - 1] ^= 1;
}

static void cut_short(char *bytes, size_t *size)
{
    (void)bytes;
    *size -= 4;
}

static void empty(char *bytes, size_t *size)
{
    (void)bytes;
    *size = 0;
}

static const struct {
    void (*spoil)(char *bytes, size_t *size);
    const char *said; /* of the file */
} spoilings[] = {
    {rename_moment, "changed since it was written"},
    {flip_last_bit_of_a_number, "changed since it was written"},
    {change_the_step, "changed since it was written"},
    {cut_short, "changed since it was written"},
    {empty, "shorter than"},
};

static void spoil(const char *path, int how)
{
    size_t size;
    char *bytes = read_bytes(path, &size);
    spoilings[how].spoil(bytes, &size);
    scratch_write(path, bytes, size);
    free(bytes);
}

/* From its own first weights, none of which came out of the checkpoint. */
START_TEST(spoilt_checkpoints_begin_anew)
{
    char undisturbed[PATH_MAX], spoilt[PATH_MAX], first[PATH_MAX], second[PATH_MAX], log[PATH_MAX];
    struct records records;
    snprintf(undisturbed, sizeof undisturbed, "%s", scratch_path("undisturbed"));
    snprintf(spoilt, sizeof spoilt, "%s", scratch_path("spoilt"));
    run(seldom, undisturbed, NULL);
    start_and_kill(spoilt);
    checkpoint_path(spoilt, second);
    spoil(second, _i);
    run(seldom, spoilt, &records);
    ck_assert_double_eq(record_number(find(&records, "training", 0), "training.sittings"), 1);
    checkpoint_path(undisturbed, first);
    same_tensors(first, second);
    records_free(&records);
    snprintf(log, sizeof log, "%.3000s/t/run-1/log.txt", spoilt);
    char *said = scratch_read(log), *line = strstr(said, "starting over: ");
    ck_assert_msg(line != NULL && strstr(line, spoilings[_i].said) != NULL, "%s", said);
    free(said);
}
END_TEST

/* Weights of a training that was done: whoever needs them says what is wrong and trains again, to the same bits. */
START_TEST(spoilt_weights_are_trained_again)
{
    struct records first, second;
    struct process_result process;
    const char *results = scratch_path("results");
    char path[PATH_MAX], copy[PATH_MAX];
    size_t size;
    ck_assert_int_eq(run(TWENTY "test: {test_length: [2, 3], examples: 20}\n", results, &first), 0);
    checkpoint_path(results, path);
    char *bytes = read_bytes(path, &size);
    snprintf(copy, sizeof copy, "%s", scratch_path("copy"));
    scratch_write(copy, bytes, size);
    free(bytes);
    spoil(path, _i);
    const char *sweep = sweep_file(TWENTY "test: {test_length: [2, 3, 4], examples: 20}\n");
    const char *const argv[] = {program, sweep, "--results", results, NULL};
    ck_assert_msg(process_run(&(struct process_request){.argv = argv, .time_limit = HANG}, &process, &error), "%s", error.text);
    ck_assert_int_eq(process.exit_status, 0);
    ck_assert_msg(strstr(process.output, spoilings[_i].said) != NULL && strstr(process.output, "; it is trained again") != NULL,
                  "%s", process.output);
    process_result_free(&process);
    same_tensors(copy, path);
    char journal[PATH_MAX];
    snprintf(journal, sizeof journal, "%.3000s/t/run-1/journal.jsonl", results);
    ck_assert_msg(records_read(journal, &second, &error), "%s", error.text);
    ck_assert_uint_eq(second.n, first.n + 2); /* the training, and length 4 */
    ck_assert_int_eq(find(&second, "accuracy", 4)->result, RESULT_OK);
    records_free(&first);
    records_free(&second);
}
END_TEST

/* Weights that change in a run under way, after the training: no accuracy, and words for why. */
START_TEST(spoilt_weights_have_no_accuracy)
{
    struct records records;
    const char *results = scratch_path("results");
    char path[PATH_MAX], folder[PATH_MAX];
    ck_assert_int_eq(run(TWENTY "test: {test_length: 2, examples: 20}\n", results, &records), 0);
    checkpoint_path(results, path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    const struct limits limits = {.samples = 1, .time_limit = HANG, .trained = folder};
    const struct point *point = &find(&records, "accuracy", 2)->point;
    struct finding finding = {.result = RESULT_OK};
    ck_assert_msg(accuracy_run(point, &limits, &finding, &error), "%s", error.text);
    ck_assert_int_eq(finding.result, RESULT_OK);
    json_decref(finding.data);
    finding = (struct finding){.result = RESULT_OK};
    spoil(path, _i);
    ck_assert_msg(accuracy_run(point, &limits, &finding, &error), "%s", error.text);
    ck_assert_int_eq(finding.result, RESULT_UNTRAINED);
    ck_assert_ptr_null(finding.data);
    ck_assert_msg(strncmp(finding.message, "its weights cannot be used: ", 28) == 0 &&
                      strstr(finding.message, spoilings[_i].said) != NULL,
                  "%s", finding.message);
    records_free(&records);
}
END_TEST

/* The folder of another training of the same shapes, copied over. */
START_TEST(weights_of_another_training_are_not_taken)
{
    char here[PATH_MAX], there[PATH_MAX], mine[PATH_MAX], other[PATH_MAX];
    struct records records;
    size_t size;
    const char *const text =
        TINY LSTM HERE "recipe: {steps: 20, batch: 8, train_length: 4, train_seed: %d}\ntest: {test_length: %s, "
                       "examples: 20}\n";
    char sweep[2048];
    snprintf(here, sizeof here, "%s", scratch_path("here"));
    snprintf(there, sizeof there, "%s", scratch_path("there"));
    snprintf(sweep, sizeof sweep, text, 1, "2");
    ck_assert_int_eq(run(sweep, here, NULL), 0);
    snprintf(sweep, sizeof sweep, text, 2, "2");
    ck_assert_int_eq(run(sweep, there, NULL), 0);
    checkpoint_path(here, mine);
    checkpoint_path(there, other);
    char *bytes = read_bytes(other, &size);
    scratch_write(mine, bytes, size);
    free(bytes);
    snprintf(sweep, sizeof sweep, text, 1, "[2, 3]");
    ck_assert_int_eq(run(sweep, here, &records), 0);
    ck_assert_double_eq(record_number(find(&records, "training", 0), "training.sittings"), 1);
    ck_assert_uint_eq(records.n, 4);
    records_free(&records);
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%.3000s/t/run-1/log.txt", here);
    char *said = scratch_read(log);
    ck_assert_msg(strstr(said, "the checkpoint of another training") != NULL, "%s", said);
    free(said);
}
END_TEST

/* A checkpoint by the definition of the format alone: eight bytes that say how long the JSON is, tensors that fill what follows without
 * gaps, metadata of texts; and in it what the program's own reader finds. */
START_TEST(checkpoints_are_what_the_format_says)
{
    const char *results = scratch_path("results");
    char path[PATH_MAX];
    ck_assert_int_eq(
        run(TINY LSTM HERE "recipe: {steps: 5, batch: 8, train_length: 4}\ntest: {test_length: 2, examples: 20}\n", results, NULL),
        0);
    checkpoint_path(results, path);
    struct stat facts;
    FILE *file = fopen(path, "rb");
    ck_assert(file != NULL && stat(path, &facts) == 0);
    unsigned char *bytes = malloc((size_t)facts.st_size);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)facts.st_size, file), (size_t)facts.st_size);
    fclose(file);
    size_t header = 0, covered = 0, data, n = 0;
    for (int i = 7; i >= 0; i--)
        header = header << 8 | bytes[i];
    data = (size_t)facts.st_size - 8 - header;
    json_t *json = json_loadb((const char *)bytes + 8, header, 0, NULL), *entry;
    struct safetensors *own;
    const char *name;
    ck_assert_ptr_nonnull(json);
    ck_assert_msg(safetensors_open(path, &own, &error), "%s", error.text);
    json_object_foreach(json, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) {
            const char *key;
            json_t *text;
            json_object_foreach(entry, key, text)
            {
                ck_assert_msg(json_is_string(text), "%s", key);
            }
            continue;
        }
        const json_t *offsets = json_object_get(entry, "data_offsets"), *shape = json_object_get(entry, "shape");
        const char *dtype = json_string_value(json_object_get(entry, "dtype"));
        size_t from = (size_t)json_integer_value(json_array_get(offsets, 0)),
               to = (size_t)json_integer_value(json_array_get(offsets, 1));
        size_t size = strcmp(dtype, "F32") == 0 ? 4 : 8;
        ck_assert(strcmp(dtype, "F32") == 0 || strcmp(dtype, "F64") == 0);
        for (size_t k = 0; k < json_array_size(shape); k++)
            size *= (size_t)json_integer_value(json_array_get(shape, k));
        ck_assert_msg(from < to && to <= data && to - from == size, "%s", name);
        covered += size;
        const struct tensor *tensor = safetensors_find(own, name);
        ck_assert_msg(tensor != NULL && tensor->bytes == size && memcmp(tensor->data, bytes + 8 + header + from, size) == 0, "%s",
                      name);
        n++;
    }
    ck_assert_uint_eq(covered, data);
    ck_assert_uint_eq(n, safetensors_count(own));
    ck_assert_uint_gt(n, 6);
    safetensors_close(own);
    json_decref(json);
    free(bytes);
}
END_TEST

/* A training that is done is not done again, whichever sweep asks. */
START_TEST(finished_trainings_are_served)
{
    struct records first, second;
    const char *results = scratch_path("results");
    char before[PATH_MAX], after[PATH_MAX];
    ck_assert_int_eq(run(TWENTY "test: {test_length: 2, examples: 20}\n", results, &first), 0);
    checkpoint_path(results, before);
    struct stat old, new;
    ck_assert_int_eq(stat(before, &old), 0);
    ck_assert_int_eq(run(TWENTY "test: {test_length: [2, 3], examples: 20}\n", results, &second), 0);
    checkpoint_path(results, after);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(stat(after, &new), 0);
    ck_assert(old.st_ino == new.st_ino &&old.st_mtim.tv_nsec == new.st_mtim.tv_nsec);
    ck_assert_uint_eq(second.n, first.n + 1);
    records_free(&second);
    ck_assert_int_eq(unlink(after), 0); /* it is the user's to delete, and is made again when it is needed */
    ck_assert_int_eq(run(TWENTY "test: {test_length: [2, 3, 4], examples: 20}\n", results, &second), 0);
    ck_assert_int_eq(access(after, R_OK), 0);
    ck_assert_uint_eq(second.n, first.n + 3);
    ck_assert_int_eq(find(&second, "accuracy", 4)->result, RESULT_OK);
    records_free(&first);
    records_free(&second);
}
END_TEST

/* The time is up: a result, and no accuracy. A longer limit goes on, and what was not measured then is measured now. It is up because
 * the training's clock runs ahead after some steps, each of which looks at it a dozen times. */
START_TEST(a_longer_limit_goes_on)
{
    struct records records;
    const char *results = scratch_path("results");
#define LONG                                                                                                                       \
    TINY LSTM "recipe: {steps: 1500, batch: 16, train_length: 4, learning_rate: 0.01}\ntest: {test_length: 4, examples: 50}\n"
    ck_assert_int_eq(run_under("late:200", LONG "run: {threads: 1, calibration: none, time_limit: 1 h, training_limit: 10 min}\n",
                               results, &records),
                     1);
    const struct record *training = find(&records, "training", 0), *accuracy = find(&records, "accuracy", 4);
    ck_assert_int_eq(training->result, RESULT_TIMED_OUT);
    double steps = record_number(training, "training.steps");
    ck_assert(steps >= 1 && steps < 1500);
    ck_assert_int_eq(accuracy->result, RESULT_UNTRAINED);
    ck_assert_ptr_nonnull(strstr(json_string_value(record_at(accuracy, "message")), "of 1500"));
    records_free(&records);
    ck_assert_int_eq(run(LONG "run: {threads: 1, calibration: none, time_limit: 1 h, training_limit: 2 h}\n", results, &records),
                     0);
    ck_assert_uint_eq(records.n, 4);
    ck_assert_int_eq(find(&records, "training", 0)->result, RESULT_OK);
    ck_assert_double_eq(record_number(find(&records, "training", 0), "training.sittings"), 2);
    ck_assert_int_eq(find(&records, "accuracy", 4)->result, RESULT_OK);
    records_free(&records);
}
END_TEST

/* A target that is missed is a result; one that is reached ends the training. */
START_TEST(targets)
{
    struct records records;
    ck_assert_int_eq(run(TINY LSTM HERE
                         "recipe: {steps: [3, 400], batch: 32, train_length: 3, learning_rate: 0.01, warmup: 10, target: 0.99, "
                         "check_every: 20, check_examples: 100}\ntest: {test_length: 2, examples: 20}\n",
                         scratch_path("results"), &records),
                     0);
    int n = 0;
    for (size_t i = 0; i < records.n; i++) {
        const struct record *record = &records.record[i];
        if (!json_is_object(record_at(record, "training")))
            continue;
        bool brief = point_integer(&record->point, FIELD_STEPS, 0) == 3;
        double steps = record_number(record, "training.steps");
        ck_assert_int_eq(record->result, brief ? RESULT_TARGET_NOT_REACHED : RESULT_OK);
        ck_assert(brief ? steps == 3 : steps < 400 && fmod(steps, 20) == 0);
        ck_assert((record_number(record, "training.checked") >= 0.99) == !brief);
        n++;
    }
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq(find(&records, "accuracy", 2)->result, RESULT_OK);
    records_free(&records);
}
END_TEST

/* States and decisions against those of another implementation: none differ from itself, states little from the exact ones where the
 * iteration has converged, much where it was cut off, and some decisions with them; exact from exact to rounding. */
START_TEST(states_are_compared)
{
    struct records records;
    const char *results = scratch_path("results");
    ck_assert_int_eq(
        run("name: t\nmeasure: accuracy\ntask: S3\nmodel: {layer: fp_rnn, d_model: 8, d: 6, feedback: rms, blocks: 2}\n"
            "recipe: {steps: 5, batch: 8, train_length: 4}\n"
            "test: {test_length: 6, examples: 20, test_batch: 7, against: [none, structured_sequential, "
            "fixed_point_chunked chunk=1, fixed_point]}\n"
            "impls: [fixed_point, dense_sequential]\nproblem: {dtype: float64}\n"
            "settings: {l: [1, 200], tolerance: [none, 1e-12]}\n" HERE,
            results, &records),
        0);
    int seen = 0;
    for (size_t i = 0; i < records.n; i++) {
        const struct record *record = &records.record[i];
        const struct point *point = &record->point;
        if (!json_is_object(record_at(record, "accuracy")))
            continue;
        ck_assert_int_eq(record->result, RESULT_OK);
        const char *impl = point->value[FIELD_IMPLEMENTATION].text;
        if (point->value[FIELD_AGAINST].kind == VALUE_NONE) {
            ck_assert_ptr_null(record_at(record, "accuracy.difference"));
            continue;
        }
        const char *against = point->value[FIELD_AGAINST].text;
        double median = record_number(record, "accuracy.difference.max.median"),
               most = record_number(record, "accuracy.difference.max.most");
        double least = record_number(record, "accuracy.difference.l2.least"),
               never = record_number(record, "accuracy.difference.never");
        bool judged = point->value[FIELD_TOLERANCE].real > 0, brief = point_integer(point, FIELD_L, 0) == 1;
        ck_assert_double_eq(record_number(record, "accuracy.difference.of"), 14);
        ck_assert_msg(median >= 0 && median <= most && least >= 0, "%s against %s: %g, %g", impl, against, median, most);
        bool exact = strcmp(impl, "dense_sequential") == 0, both = exact && strcmp(against, "structured_sequential") == 0;
        double same = record_number(record, "accuracy.difference.decisions.share"),
               low = record_number(record, "accuracy.difference.decisions.low"),
               high = record_number(record, "accuracy.difference.decisions.high"), of = record_number(record, "accuracy.token.of"),
               expected_low, expected_high;
        ck_assert_double_eq(of, 20 * 6);
        ck_assert(statistics_share_interval((int64_t)round(same * of), (int64_t)of, &expected_low, &expected_high));
        ck_assert_msg(fabs(low - expected_low) < 1e-8 && fabs(high - expected_high) < 1e-8, "%g: %g to %g", same, low, high);
        if (strcmp(impl, against) == 0 || both || !brief)
            ck_assert_double_eq(same, 1);
        else
            ck_assert_msg(same < 1 && same > 0, "%s against %s: %g", impl, against, same);
        if (strcmp(impl, against) == 0)
            ck_assert_double_eq(most, 0);
        else if (both || !brief)
            ck_assert_msg(most < 1e-10, "%s against %s: %g", impl, against, most);
        else
            ck_assert_msg(median > 1e-3, "%s against %s: %g", impl, against, median);
        if (exact)
            ck_assert_ptr_null(record_at(record, "accuracy.l_star"));
        if (strcmp(impl, "fixed_point") == 0 && judged && strcmp(against, "structured_sequential") == 0)
            ck_assert_double_eq(never, brief ? 14 : 0);
        seen++;
    }
    ck_assert_int_eq(seen, 3 * 4 + 4 + 4 + 1);
    records_free(&records);
}
END_TEST

/* Of an fp_mamba layer whose reflections turn: the sequential and the parallel mode decide alike at some tokens only, and one that
 * answers zero leaves the decisions to the rest of the model. */
START_TEST(decisions_are_compared)
{
    struct records records;
    int seen = 0;
    program_find("bench-planted", program);
    ck_assert_int_eq(
        run("name: t\nmeasure: accuracy\ntask: A5\n"
            "model: {layer: fp_mamba, d_model: 8, d: 8, N: 4, feedback: raw, reads: bc, s: 2, r: 1}\n"
            "recipe: {steps: 5, batch: 8, train_length: 4}\n"
            "test: {test_length: 16, examples: 40, against: [fixed_point, structured_sequential at_most=1000, planted_zero]}\n"
            "impls: [fixed_point]\nsettings: {l: 8}\n" HERE,
            scratch_path("results"), &records),
        0);
    for (size_t i = 0; i < records.n; i++) {
        const struct record *record = &records.record[i];
        if (!json_is_object(record_at(record, "accuracy")))
            continue;
        ck_assert_int_eq(record->result, RESULT_OK);
        double same = record_number(record, "accuracy.difference.decisions.share");
        const char *against = record->point.value[FIELD_AGAINST].text;
        ck_assert_msg(strcmp(against, "fixed_point") == 0 ? same == 1 : same > 0 && same < 1, "against %s: %g", against, same);
        seen++;
    }
    ck_assert_int_eq(seen, 3);
    records_free(&records);
}
END_TEST

static const struct {
    const char *model, *problem;
} trained_layers[] = {
    {"layer: fp_rnn, d_model: 8, d: 6, feedback: rms",
     "cell: vector, B: 3, T: 5, d: 6, mixer: householder, r: 1, s: 1, form: normalised, feedback: rms, dtype: float32"},
    {"layer: fp_mamba, d_model: 8, d: 6, N: 3, feedback: raw, reads: bc, readout: state, s: 0.5",
     "cell: selective, B: 3, T: 5, d: 6, N: 3, reads: bc, norm: both, gate: outside, mixer: householder, r: 1, s: 0.5, feedback: "
     "raw, "
     "dtype: float32"},
    {"layer: fp_mamba, d_model: 8, d: 6, N: 3, mixer: none, gate: inside, norm: output, reads: dt+bc, convolution: short",
     "cell: selective, B: 3, T: 5, d: 6, N: 3, reads: dt+bc, norm: output, gate: inside, mixer: none, feedback: none, dtype: "
     "float32"},
};

/* What a trained layer feeds its recurrence can be measured like any other problem. */
START_TEST(a_layer_becomes_inputs)
{
    const char *results = scratch_path("results");
    char checkpoint[PATH_MAX], inputs[PATH_MAX], sweep[PATH_MAX + 1024], expected[512];
    snprintf(sweep, sizeof sweep,
             TINY "model: {%s}\nimpls: structured_sequential\n" HERE
                  "recipe: {steps: 5, batch: 8, train_length: 4}\ntest: {test_length: 2, examples: 20}\n",
             trained_layers[_i].model);
    ck_assert_int_eq(run(sweep, results, NULL), 0);
    checkpoint_path(results, checkpoint);
    snprintf(inputs, sizeof inputs, "%s", scratch_path("inputs.safetensors"));
    const char *const argv[] = {program, "dump", checkpoint, "--length", "5", "--batch", "3", "--out", inputs, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(process.exit_status == 0, "%s", process.errors);
    char *problem = strstr(process.output, "problem: ");
    ck_assert_ptr_nonnull(problem);
    snprintf(expected, sizeof expected, "problem: {%s}\n", trained_layers[_i].problem);
    ck_assert_str_eq(problem, expected);
    snprintf(sweep, sizeof sweep, "name: t\nmeasure: convergence\nimpls: fixed_point\nsettings: {l: 40}\n%s", process.output);
    process_result_free(&process);
    struct records records;
    ck_assert_int_eq(run(sweep, scratch_path("measured"), &records), 0);
    ck_assert_uint_eq(records.n, 1);
    ck_assert_int_eq(records.record[0].result, RESULT_OK);
    records_free(&records);
}
END_TEST

/* ---- What is derived ---------------------------------------------------------------------------------------------------- */

static void made_accuracy(int length, double share, const char *more)
{
    char text[128], field[32];
    snprintf(text, sizeof text, "{\"accuracy\":{\"token\":{\"share\":%g},\"sequence\":{\"share\":%g}}}", share, share - 0.5);
    snprintf(field, sizeof field, "test_length=%d", length);
    made_record(JOURNAL, "ok", text, "measure=accuracy", "impl=fixed_point", "task=A5", "layer=fp_rnn", field, more, NULL);
}

/* The longest length up to which all are above: one that is above beyond a gap does not count, nor beyond one that diverged. */
START_TEST(longest_length)
{
    static const struct {
        int length;
        double share;
    } rows[] = {{32, 0.95}, {4, 1}, {24, 0.9}, {16, 0.91}, {8, 0.99}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made_accuracy(rows[i].length, rows[i].share, "l=16");
        made_accuracy(rows[i].length, rows[i].share / 2, "l=8");
        if (rows[i].length != 16)
            made_accuracy(rows[i].length, 1, "l=4");
    }
    made_record(JOURNAL, "diverged", NULL, "measure=accuracy", "impl=fixed_point", "task=A5", "layer=fp_rnn", "test_length=16",
                "l=4", NULL);
    struct records records = made_merged(JOURNAL);
    ck_assert_msg(longest_add(&records, &error), "%s", error.text);
    ck_assert_uint_eq(records.n, 15);
    for (size_t i = 0; i < records.n; i++) {
        int64_t l = point_integer(&records.record[i].point, FIELD_L, 0), expected = l == 16 ? 16 : l == 4 ? 8 : 0;
        const json_t *longest = record_at(&records.record[i], "accuracy.longest_token");
        if (!json_is_object(record_at(&records.record[i], "accuracy")))
            continue;
        ck_assert(expected > 0 ? json_integer_value(longest) == expected : longest == NULL);
        ck_assert_int_eq(column_state(&records.record[i], COLUMN_LONGEST_SEQUENCE), COLUMN_ABSENT);
    }
    records_free(&records);
}
END_TEST

Suite *suite_accuracy(void);
Suite *suite_accuracy(void)
{
    Suite *suite = suite_create("accuracy");
    TCase *tests = tcase_create("accuracy");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, trainings_are_shared);
    tcase_add_test(tests, measures_stand_side_by_side);
    tcase_add_test(tests, bad_recipes_are_refused);
    tcase_add_test(tests, tasks_refuse);
    tcase_add_test(tests, a_recipe_says_what_it_says);
    tcase_add_test(tests, a_model_says_what_it_says);
    tcase_add_test(tests, curves_survive_a_stop);
    tcase_add_test(tests, an_lstm_learns);
    tcase_add_test(tests, one_training_many_evaluations);
    tcase_add_test(tests, killed_trainings_end_in_the_same_bits);
    tcase_add_loop_test(tests, spoilt_checkpoints_begin_anew, 0, sizeof spoilings / sizeof spoilings[0]);
    tcase_add_loop_test(tests, spoilt_weights_are_trained_again, 0, sizeof spoilings / sizeof spoilings[0]);
    tcase_add_loop_test(tests, spoilt_weights_have_no_accuracy, 0, sizeof spoilings / sizeof spoilings[0]);
    tcase_add_test(tests, weights_of_another_training_are_not_taken);
    tcase_add_test(tests, checkpoints_are_what_the_format_says);
    tcase_add_test(tests, finished_trainings_are_served);
    tcase_add_test(tests, a_longer_limit_goes_on);
    tcase_add_test(tests, targets);
    tcase_add_test(tests, states_are_compared);
    tcase_add_test(tests, decisions_are_compared);
    tcase_add_loop_test(tests, a_layer_becomes_inputs, 0, sizeof trained_layers / sizeof trained_layers[0]);
    tcase_add_test(tests, longest_length);
    suite_add_tcase(suite, tests);
    return suite;
}
