/* See recipe.h. */
#include "bench/sweep/recipe.h"

#include "train/sequence.h"

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
        .heads = point_integer(point, FIELD_HEADS, 1),
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
        .curriculum = point_integer(point, FIELD_CURRICULUM, 0) != 0,
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

struct recurrence point_train_recurrence(const struct point *point)
{
    struct options options = {.implementation = -1};
    struct recurrence recurrence = {.implementation = -1,
                                    .settings = {
                                        .l_max = point_integer(point, FIELD_TRAIN_L, 0),
                                        .tolerance = point_real(point, FIELD_TRAIN_TOLERANCE, 0),
                                        .quantile = point_real(point, FIELD_TRAIN_QUANTILE, 1),
                                        .damping = 1,
                                        .damping_factor = 1,
                                    }};
    point_gradient(point, &recurrence.settings);
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

/* A length that the task has. */
static bool check_length(const struct point *point, int field, const struct task *task, struct error *error)
{
    const struct task_facts *facts = task_facts(task);
    int64_t length = point_integer(point, field, 0);
    if (point->value[field].kind == VALUE_NONE || task_width(task, length, field == FIELD_TRAIN_LENGTH) > 0)
        return true;
    return fail(error, "%s is %" PRId64 ", which %s does not have; expected %" PRId64 " to %" PRId64, fields[field].name, length,
                facts->name, facts->shortest, facts->longest);
}

static bool check_model(const struct point *point, const struct task *task, struct error *error)
{
    int64_t heads = point_integer(point, FIELD_HEADS, 1), d_model = point_integer(point, FIELD_D_MODEL, 1);
    if (d_model % heads != 0)
        return fail(error, "d_model of %" PRId64 " does not divide among %" PRId64 " heads; expected a multiple", d_model, heads);
    char reason[200], text[200];
    if (point->value[FIELD_TRAIN_IMPL].kind == VALUE_NONE) { /* a layer without a recurrence knows what it can be */
        const struct model_spec model = point_model(point, point_train_dtype(point));
        const struct environment environment = {.threads = 1};
        const struct sequence_setup setup = {.model = &model,
                                             .environment = &environment,
                                             .B = point_integer(point, FIELD_BATCH, 1),
                                             .T = task_width(task, point_integer(point, FIELD_TRAIN_LENGTH, 1), true)};
        const struct sequence_layer *layer = sequence_layer_get(model.layer, model.dtype, level_best());
        return layer->check(&setup, sizeof reason, reason) || fail(error, "%s", reason);
    }
    struct problem problem = point_problem(point);
    problem.B = point_integer(point, FIELD_BATCH, 1);
    problem.T = task_width(task, point_integer(point, FIELD_TRAIN_LENGTH, 1), true);
    if (problem_check(&problem, sizeof reason, reason))
        return true;
    problem_print(&problem, sizeof text, text);
    return fail(error, "%s: %s", text, reason);
}

bool point_recipe_check(const struct point *point, enum section *section, struct error *error)
{
    struct task *task;
    *section = SECTION_TOP;
    if (!point_task(point, &task, error))
        return false;
    *section = SECTION_RECIPE;
    bool good = check_length(point, FIELD_TRAIN_LENGTH, task, error);
    if (good) {
        *section = SECTION_TEST;
        good = check_length(point, FIELD_TEST_LENGTH, task, error);
    }
    if (good) {
        *section = SECTION_MODEL;
        good = check_model(point, task, error);
    }
    task_close(task);
    return good;
}
