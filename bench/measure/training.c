/* measure: training. Trains until the recipe is over, its target is reached, or the time is up; other points read the weights
 * from its folder. A training that is stopped and resumed ends in the same bits: the clock decides when it pauses, never what it
 * computes. */
#include "bench/base/text.h"
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/running.h"
#include "bench/base/shown.h"
#include "bench/measure/checkpoint.h"
#include "bench/measure/trained.h"
#include "bench/sweep/recipe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double SAY_EVERY = 1; /* second between lines of progress */

struct sitting {
    const struct point *point;
    const struct limits *limits;
    struct recipe recipe;
    struct task *task;
    struct training *training;
    struct standing standing;
    double began, before;                /* this sitting, and seconds of the ones before it */
    double next_checkpoint, next_saying; /* all of running_seconds(): what is not running does not train */
    int64_t first_step;                  /* that stood when this sitting began */
    struct status failed;                /* what ended this sitting, and might not end another one */
};

static double spent(const struct sitting *sitting)
{
    return sitting->before + running_seconds() - sitting->began;
}

/* ---- The parts of a sitting ---------------------------------------------------------------------------------------------- */

/* Goes on where a checkpoint stands. What is none is no reason to fail: the training begins anew (*begun: it does not). False where there
 * may be one that cannot be read just now. */
static bool go_on(struct sitting *sitting, bool *begun, struct error *error)
{
    struct checkpoint *checkpoint;
    struct standing standing;
    struct error reason;
    enum checkpoint_found found = checkpoint_open_in(sitting->limits->trained, &checkpoint, &reason);
    bool good = found == CHECKPOINT_THERE && checkpoint_standing(checkpoint, sitting->recipe.steps, &standing, &reason) &&
                (standing.done || checkpoint_restore(checkpoint, true, sitting->training, &reason));
    if (good) {
        sitting->standing = standing;
        if (!standing.done)
            training_restore(sitting->training, &standing.state);
    } else if (found == CHECKPOINT_BAD && reason.outside) {
        *error = reason;
        return false;
    } else if (found != CHECKPOINT_NONE) {
        fputs("starting over: ", stderr);
        shown_line(stderr, reason.text);
        fputc('\n', stderr);
    }
    checkpoint_close(checkpoint);
    *begun = good;
    return true;
}

static bool keep(struct sitting *sitting, struct error *error)
{
    double began = running_seconds();
    sitting->standing.state = training_state(sitting->training);
    sitting->standing.spent[SPENT_ALL] = spent(sitting);
    bool good = checkpoint_write(sitting->limits->trained, sitting->point, sitting->training, &sitting->standing, error);
    sitting->standing.spent[SPENT_CHECKPOINTS] += running_seconds() - began;
    sitting->next_checkpoint = running_seconds() + sitting->limits->checkpoint_every;
    return good;
}

static void say(struct sitting *sitting, const struct step *step)
{
    char left[32], text[160], iterations[32] = "";
    double now = running_seconds();
    if (now < sitting->next_saying)
        return;
    sitting->next_saying = now + SAY_EVERY;
    double a_step = (now - sitting->began) / (double)(step->step - sitting->first_step);
    text_duration(a_step * (double)(sitting->recipe.steps - step->step), sizeof left, left);
    if (step->iterations > 0) /* exact implementations have none */
        snprintf(iterations, sizeof iterations, ", l* %.0f", step->iterations);
    snprintf(text, sizeof text,
             "step %" PRId64 " of %" PRId64 ", length %" PRId64 ", loss %.3f, accuracy %.3f%s, %.0f ms per step, about %s left",
             step->step, sitting->recipe.steps, step->length, step->loss, step->accuracy, iterations, 1e3 * a_step, left);
    trained_say(sitting->limits->trained, text);
}

/* Accuracy on fresh examples of the length that is trained for; NaN where none is due. */
static bool check(struct sitting *sitting, const struct step *step, double *accuracy, struct status *status)
{
    const struct recipe *recipe = &sitting->recipe;
    *accuracy = NAN;
    if (!(recipe->target > 0) || (step->step % recipe->check_every != 0 && step->step < recipe->steps))
        return true;
    const struct evaluation_request request = {.recurrence = point_train_recurrence(sitting->point),
                                               .length = recipe->length,
                                               .samples = recipe->check_samples,
                                               .batch = recipe->batch,
                                               .seed = point_check_seed(sitting->point)};
    struct evaluation evaluation = {.l = NULL};
    double began = running_seconds();
    *status = training_evaluate(sitting->training, &request, &evaluation);
    sitting->standing.spent[SPENT_CHECKS] += running_seconds() - began;
    if (status->code != STATUS_OK && status->code != STATUS_NOT_CONVERGED)
        return false;
    *accuracy = (double)evaluation.score.positions_right / (double)evaluation.score.positions;
    sitting->standing.checked = *accuracy;
    return true;
}

static bool conclude(struct sitting *sitting, enum result result, const char *message, struct error *error)
{
    sitting->standing.done = true;
    sitting->standing.result = result;
    snprintf(sitting->standing.message, sizeof sitting->standing.message, "%s", message);
    return keep(sitting, error);
}

/* What the numbers of a step lead to ends the training, as it would again. What this machine lacks just now only ends this sitting: the
 * last checkpoint stands. */
static bool conclude_status(struct sitting *sitting, int64_t step, const struct status *status, struct error *error)
{
    char message[256];
    snprintf(message, sizeof message, "at step %" PRId64 ": %.200s", step, status->message);
    if (status->code == STATUS_DIVERGED || status->code == STATUS_SINGULAR ||
        status->code == STATUS_NO_STABLE_POINT)
        return conclude(sitting, (enum result)status->code, message, error);
    sitting->failed = status_at(status->code, status->b, status->t, "%s", message);
    return true;
}

/* Steps until the training is done, or the time is up. */
static bool train(struct sitting *sitting, bool *late, struct error *error)
{
    const struct recipe *recipe = &sitting->recipe;
    struct standing *standing = &sitting->standing;
    struct step step = {.step = standing->state.step};
    *late = false;
    while (!standing->done) {
        double accuracy;
        struct status status = status_ok();
        if (step.step >= recipe->steps) {
            char message[256] = "";
            bool missed = recipe->target > 0; /* reached, it would have ended before */
            if (missed)
                snprintf(message, sizeof message, "token accuracy %.3f after %" PRId64 " steps; target %g", standing->checked,
                         recipe->steps, recipe->target);
            return conclude(sitting, missed ? RESULT_TARGET_NOT_REACHED : RESULT_OK, message, error);
        }
        if (spent(sitting) > sitting->limits->time_limit) {
            *late = true;
            return keep(sitting, error);
        }
        status = training_step(sitting->training, &step);
        if (status.code != STATUS_OK)
            return conclude_status(sitting, training_state(sitting->training).step + 1, &status, error);
        for (int i = 0; i < PART_COUNT; i++)
            standing->spent[i] += step.seconds[i];
        if (!check(sitting, &step, &accuracy, &status))
            return conclude_status(sitting, step.step, &status, error);
        curve_add(&standing->curve, &step, accuracy, spent(sitting));
        say(sitting, &step);
        if (accuracy >= recipe->target && recipe->target > 0)
            return conclude(sitting, RESULT_OK, "", error);
        if (running_seconds() >= sitting->next_checkpoint && !keep(sitting, error))
            return false;
    }
    return true;
}

/* ---- The record ---------------------------------------------------------------------------------------------------------- */

static json_t *to_json(const struct sitting *sitting)
{
    const struct standing *standing = &sitting->standing;
    const struct curve *curve = &standing->curve;
    double steps = (double)standing->state.step, all = standing->spent[SPENT_ALL];
    const char *folder = strrchr(sitting->limits->trained, '/');
    json_t *seconds = json_object();
    for (int i = 0; i < SPENT_COUNT; i++)
        json_object_set_new(seconds, spent_name(i), json_number(standing->spent[i]));
    const double *last = curve->n > 0 ? curve->row[curve->n - 1] : NULL;
    return json_pack("{sI sI sI so so so so so sI so so so}", "parameters", (json_int_t)standing->parameters, "steps",
                     (json_int_t)standing->state.step, "stage", (json_int_t)standing->state.stage, "length",
                     last != NULL ? json_integer((json_int_t)last[CURVE_LENGTH]) : json_null(), "loss",
                     json_number(last != NULL ? last[CURVE_LOSS] : NAN), "accuracy",
                     json_number(last != NULL ? last[CURVE_ACCURACY] : NAN), "checked", json_number(standing->checked), "ms_a_step",
                     json_number(1e3 * all / steps), "sittings", (json_int_t)standing->sittings, "seconds", seconds, "folder",
                     json_text(folder != NULL ? folder + 1 : ""), "curve", curve_to_json(curve, true));
}

static bool open_training(struct sitting *sitting, struct finding *finding)
{
    const struct point *point = sitting->point;
    struct model_spec model = point_model(point, point_train_dtype(point));
    struct recurrence recurrence = point_train_recurrence(point);
    const struct environment environment = {.threads = point_threads(point), .memory_limit = sitting->limits->memory_limit};
    struct status status =
        training_open(&model, &sitting->recipe, &recurrence, sitting->task, &environment, running_seconds, &sitting->training);
    finding_status(finding, &status);
    return status.code == STATUS_OK;
}

static bool sit(struct sitting *sitting, struct finding *finding, struct error *error)
{
    bool late = false, begun;
    double since = clock_seconds();
    if (!open_training(sitting, finding))
        return true;
    finding_lap(finding, STAGE_PLAN, &since);
    if (!go_on(sitting, &begun, error))
        return false;
    if (!begun) {
        sitting->standing = (struct standing){.checked = NAN, .parameters = training_parameters(sitting->training)};
        curve_begin(&sitting->standing.curve, sitting->recipe.steps);
    }
    sitting->standing.sittings += !sitting->standing.done;
    sitting->before = sitting->standing.spent[SPENT_ALL];
    sitting->first_step = sitting->standing.state.step;
    sitting->began = running_seconds();
    sitting->next_checkpoint = sitting->began + sitting->limits->checkpoint_every;
    bool good = train(sitting, &late, error);
    finding_lap(finding, STAGE_TIMING, &since);
    if (!good)
        return false;
    if (sitting->failed.code != STATUS_OK)
        finding_status(finding, &sitting->failed);
    else if (late)
        finding_say(finding, RESULT_TIMED_OUT,
                    "training limit reached: %g s, at step %" PRId64 " of %" PRId64 "; raise training_limit to resume",
                    sitting->limits->time_limit, sitting->standing.state.step, sitting->recipe.steps);
    else
        finding_say(finding, sitting->standing.result, "%s", sitting->standing.message);
    finding->data = to_json(sitting);
    return true;
}

bool training_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct sitting sitting = {.point = point, .limits = limits, .recipe = point_recipe(point)};
    if (limits->trained == NULL)
        return fail(error, "the request has no folder for the training");
    int lock = -1;
    bool good = (limits->locked || trained_lock(limits->trained, true, &lock, error) == TRAINED_LOCKED) &&
                point_task(point, &sitting.task, error) && sit(&sitting, finding, error);
    training_close(sitting.training);
    task_close(sitting.task);
    if (lock >= 0)
        close(lock);
    return good;
}
