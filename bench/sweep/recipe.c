/* See recipe.h. */
#include "bench/sweep/recipe.h"

#include <inttypes.h>
#include <string.h>

#define CHECK_SEEDS ((uint64_t)1 << 61)
#define TEST_SEEDS ((uint64_t)1 << 62)

struct model_spec point_model(const struct point *point, enum dtype dtype)
{
    struct problem problem = point_problem(point);
    return (struct model_spec){
        .layer = (int)point_integer(point, FIELD_LAYER, 0),
        .blocks = point_integer(point, FIELD_BLOCKS, 1),
        .d_model = point_integer(point, FIELD_D_MODEL, 1),
        .d = point_integer(point, FIELD_D, point_integer(point, FIELD_D_MODEL, 1)),
        .dtype = dtype,
        .mixer = problem.mixer,
        .r = problem.r,
        .s = problem.s,
        .form = problem.form,
        .feedback = problem.feedback,
        .readout = (enum readout)point_integer(point, FIELD_READOUT, READOUT_INPUT),
        .N = problem.N,
        .reads = problem.reads,
        .norm = problem.norm,
        .gate = problem.gate,
        .convolution = (enum convolution)point_integer(point, FIELD_CONVOLUTION, CONVOLUTION_NONE),
        .mixing = (enum mixing)point_integer(point, FIELD_MIXING, MIXING_APART),
        .heads = point_integer(point, FIELD_HEADS, 1),
        .forget = problem.forget,
        .eigenvalues = (enum eigenvalues)point_integer(point, FIELD_EIGENVALUES, EIGENVALUES_POSITIVE),
        .output_gate = (enum output_gate)point_integer(point, FIELD_OUTPUT_GATE, OUTPUT_GATE_SILU),
        .feed_forward = (enum feed_forward_kind)point_integer(point, FIELD_FEED_FORWARD, FEED_FORWARD_NONE),
    };
}

struct recipe point_recipe(const struct point *point)
{
    return (struct recipe){
        .steps = point_integer(point, FIELD_STEPS, 1),
        .batch = point_integer(point, FIELD_BATCH, 1),
        .length = point_integer(point, FIELD_TRAIN_LENGTH, 1),
        .learning_rate = point_real(point, FIELD_LEARNING_RATE, 0),
        .warmup = point_integer(point, FIELD_WARMUP, 0),
        .schedule = (enum schedule)point_integer(point, FIELD_SCHEDULE, SCHEDULE_CONSTANT),
        .weight_decay = point_real(point, FIELD_WEIGHT_DECAY, 0),
        .grad_clip = point_real(point, FIELD_GRAD_CLIP, 0),
        .curriculum = point_integer(point, FIELD_CURRICULUM, CURRICULUM_NONE) == CURRICULUM_LENGTHS,
        .curriculum_accuracy = point_real(point, FIELD_CURRICULUM_ACCURACY, 1),
        .curriculum_window = point_integer(point, FIELD_CURRICULUM_WINDOW, 1),
        .gamma = point_real(point, FIELD_GAMMA, 0),
        .target = point_real(point, FIELD_TARGET, 0),
        .check_every = point_integer(point, FIELD_CHECK_EVERY, 1),
        .check_samples = point_integer(point, FIELD_CHECK_EXAMPLES, 1),
        .seed = (uint64_t)point_integer(point, FIELD_TRAIN_SEED, 0),
    };
}

enum dtype point_train_dtype(const struct point *point)
{
    return (enum dtype)point_integer(point, FIELD_TRAIN_DTYPE, DTYPE_FLOAT32);
}

/* Applications of f to what the recurrence has come to, before the layer hands it on: as many as the gradient has steps. */
static int64_t further_of(const struct point *point)
{
    return point_integer(point, FIELD_HANDS_ON, HANDS_ON_ITERATE) == HANDS_ON_APPLIED
               ? point_integer(point, FIELD_GRADIENT_STEPS, 0)
               : 0;
}

struct recurrence point_train_recurrence(const struct point *point)
{
    struct options options = {.implementation = -1};
    struct recurrence recurrence = {.implementation = -1,
                                    .settings = {
                                        .l_max = point_integer(point, FIELD_TRAIN_L, 0),
                                        .tolerance = point_real(point, FIELD_TRAIN_TOLERANCE, 0),
                                        .quantile = point_real(point, FIELD_TRAIN_QUANTILE, 1),
                                        .damping = point_real(point, FIELD_TRAIN_DAMPING, 1),
                                        .damping_factor = point_real(point, FIELD_TRAIN_DAMPING_FACTOR, 1),
                                        .patience = point_integer(point, FIELD_TRAIN_PATIENCE, 0),
                                    }};
    point_gradient(point, &recurrence.settings);
    recurrence.settings.further = further_of(point);
    if (point_options(point, FIELD_TRAIN_IMPL, &options)) {
        recurrence.implementation = options.implementation;
        memcpy(recurrence.settings.option, options.option, sizeof options.option);
        recurrence.settings.n_options = options.n;
    }
    return recurrence;
}

/* By the implementation that a field names, with the settings of the test. */
static struct recurrence tested_by(const struct point *point, int field)
{
    struct options options = {.implementation = -1};
    struct recurrence recurrence = {.implementation = -1, .settings = point_settings(point)};
    recurrence.settings.further = further_of(point);
    if (point_options(point, field, &options)) {
        recurrence.implementation = options.implementation;
        memcpy(recurrence.settings.option, options.option, sizeof options.option);
        recurrence.settings.n_options = options.n;
    }
    return recurrence;
}

struct recurrence point_test_recurrence(const struct point *point)
{
    return tested_by(point, FIELD_IMPLEMENTATION);
}

struct recurrence point_against_recurrence(const struct point *point)
{
    return tested_by(point, FIELD_AGAINST);
}

bool point_task(const struct point *point, struct task **task, struct error *error)
{
    char reason[256];
    const char *text = point->value[FIELD_TASK].kind == VALUE_TEXT ? point->value[FIELD_TASK].text : "";
    return task_open(text, task, sizeof reason, reason) || fail(error, "%s", reason);
}

uint64_t point_check_seed(const struct point *point)
{
    return CHECK_SEEDS + (uint64_t)point_integer(point, FIELD_TRAIN_SEED, 0);
}

uint64_t point_test_seed(const struct point *point)
{
    return TEST_SEEDS + (uint64_t)point_integer(point, FIELD_TEST_SEED, 0);
}
