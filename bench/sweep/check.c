/* See check.h. */
#include "bench/sweep/check.h"

#include "bench/problems/words.h"
#include "bench/sweep/recipe.h"
#include "impls/contract/support.h"
#include "train/sequence.h"

#include <inttypes.h>

static bool check_problem(const struct point *point, struct error *error)
{
    char reason[200], text[200];
    struct problem problem = point_problem(point);
    if (!problem_check(&problem, sizeof reason, reason)) {
        problem_print(&problem, sizeof text, text);
        return fail(error, "%s: %s", text, reason);
    }
    return !point_regime(point).words || words_check(&problem, error);
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
    if (!cell_facts[point_cell(point)].has_heads && d_model % heads != 0) /* heads of a recurrence divide its own width */
        return fail(error, "d_model is %" PRId64 "; expected a multiple of the %" PRId64 " heads", d_model, heads);
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

static bool check_recipe(const struct point *point, enum section *section, struct error *error)
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

bool point_check(const struct point *point, enum section *section, struct error *error)
{
    *section = SECTION_PROBLEM;
    return point_is_trained(point) ? check_recipe(point, section, error) : check_problem(point, error);
}
