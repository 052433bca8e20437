/* measure: accuracy. Evaluates the weights of a training on fresh examples of some length, with the recurrence computed as this
 * point says: accuracy, and iterations needed. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/statistics.h"
#include "bench/measure/checkpoint.h"
#include "bench/measure/difference.h"
#include "bench/sweep/recipe.h"
#include "impls/contract/support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* right of n, with what that says of the probability: Wilson's 95 % interval, and all of it scaled so that guessing is 0. */
static json_t *share_to_json(int64_t right, int64_t n, double chance)
{
    double low = NAN, high = NAN;
    statistics_share_interval(right, n, &low, &high);
    double share = n > 0 ? (double)right / (double)n : NAN, scale = 1 - chance;
    return json_pack("{sI sI so so so so so so}", "right", (json_int_t)right, "of", (json_int_t)n, "share", json_number(share),
                     "low", json_number(low), "high", json_number(high), "scaled", json_number((share - chance) / scale),
                     "scaled_low", json_number((low - chance) / scale), "scaled_high", json_number((high - chance) / scale));
}

static int order(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Over sequences and blocks; one that never got below the tolerance counts as infinitely many, so a quantile may not be there. */
static json_t *l_star_to_json(int64_t *l, int64_t n)
{
    int64_t never = 0;
    if (n == 0)
        return json_null();
    for (int64_t i = 0; i < n; i++)
        if (l[i] <= 0) {
            l[i] = INT64_MAX;
            never++;
        }
    qsort(l, (size_t)n, sizeof *l, order);
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"least", 0}, {"q1", 0.25}, {"median", 0.5}, {"q3", 0.75}, {"most", 1}};
    json_t *object = json_pack("{sI sI}", "of", (json_int_t)n, "never", (json_int_t)never);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        int64_t value = l[(int64_t)(quantiles[i].share * (double)(n - 1))];
        json_object_set_new(object, quantiles[i].name, value == INT64_MAX ? json_null() : json_integer((json_int_t)value));
    }
    return object;
}

struct trained {
    const struct point *point;
    struct task *task;
    struct training *training;
    struct standing standing;
    struct checkpoint *checkpoint;
};

/* The weights of the training, if it has come to a good end. */
static bool take_weights(struct trained *trained, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct error reason = {.text = ""};
    struct recipe recipe = point_recipe(trained->point);
    enum checkpoint_found found = checkpoint_open_in(limits->trained, &trained->checkpoint, &reason);
    const struct standing *standing = &trained->standing;
    if (found == CHECKPOINT_NONE) {
        finding_say(finding, RESULT_UNTRAINED, "its training left no weights; see the record of that training");
        return true;
    }
    if (found == CHECKPOINT_BAD || !checkpoint_standing(trained->checkpoint, recipe.steps, &trained->standing, &reason)) {
        if (reason.outside) {
            *error = reason;
            return false;
        }
        finding_say(finding, RESULT_UNTRAINED, "its weights cannot be used: %.400s", reason.text);
        return true;
    }
    if (!standing->done) {
        finding_say(finding, RESULT_UNTRAINED, "its training is unfinished: step %" PRId64 " of %" PRId64, standing->state.step,
                    recipe.steps);
        return true;
    }
    if (standing->result != RESULT_OK && standing->result != RESULT_TARGET_NOT_REACHED) {
        finding_say(finding, RESULT_UNTRAINED, "its training: %s %.180s", result_name(standing->result), standing->message);
        return true;
    }
    struct model_spec model = point_model(trained->point, point_problem(trained->point).dtype);
    struct recurrence recurrence = point_train_recurrence(trained->point);
    const struct environment environment = {.threads = point_threads(trained->point), .memory_limit = limits->memory_limit};
    struct status status = training_open(&model, &recipe, &recurrence, trained->task, &environment, NULL, &trained->training);
    finding_status(finding, &status);
    return status.code != STATUS_OK || checkpoint_restore(trained->checkpoint, false, trained->training, error);
}

static bool evaluate(struct trained *trained, struct finding *finding, struct error *error)
{
    const struct point *point = trained->point;
    const struct evaluation_request request = {.recurrence = point_test_recurrence(point),
                                               .length = point_integer(point, FIELD_TEST_LENGTH, 1),
                                               .samples = point_integer(point, FIELD_EXAMPLES, 1),
                                               .batch = point_integer(point, FIELD_TEST_BATCH, 1),
                                               .seed = point_test_seed(point)};
    size_t most = (size_t)request.samples * (size_t)point_integer(point, FIELD_BLOCKS, 1);
    struct evaluation evaluation = {.l = calloc(most, sizeof *evaluation.l)};
    int64_t T = task_width(trained->task, request.length, false);
    bool compared = point->value[FIELD_AGAINST].kind == VALUE_TEXT, good = evaluation.l != NULL;
    if (compared)
        evaluation.answer = memory_allocate(request.samples * T, sizeof *evaluation.answer);
    if (!good || (compared && evaluation.answer == NULL)) {
        free(evaluation.l);
        free(evaluation.answer);
        return fail_memory(error);
    }
    double began = clock_seconds();
    struct status status = training_evaluate(trained->training, &request, &evaluation);
    double seconds = clock_seconds() - began;
    finding_status(finding, &status);
    if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED) {
        const struct task_score *score = &evaluation.score;
        const struct implementation *implementation = point_implementation(point);
        bool iterates = implementation != NULL && !implementation->exact;
        bool judged =
            iterates && point_real(point, FIELD_TOLERANCE, 0) > 0; /* without a tolerance nothing converges, by definition */
        double chance = task_facts(trained->task)->chance;
        finding->data =
            json_pack("{so so sf so so so sI sI ss so}", "token", share_to_json(score->positions_right, score->positions, chance),
                      "sequence", share_to_json(score->sequences_right, score->sequences, 0), "chance", chance, "loss",
                      json_number(evaluation.loss), "l_star", l_star_to_json(evaluation.l, judged ? evaluation.n_l : 0),
                      "applications", json_number(evaluation.applications), "parameters", (json_int_t)trained->standing.parameters,
                      "steps", (json_int_t)trained->standing.state.step, "training", result_name(trained->standing.result),
                      "seconds", json_number(seconds));
        if (status.code == STATUS_NOT_CONVERGED) /* the answers of the last iterate are answers, too: l_star.never says how many */
            finding_say(finding, RESULT_OK, "%s", "");
    }
    if (compared && finding->result == RESULT_OK)
        good = difference_add(point, trained->training, &request, T, evaluation.answer, finding, error);
    free(evaluation.l);
    free(evaluation.answer);
    return good;
}

bool accuracy_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct trained trained = {.point = point};
    double since = clock_seconds();
    if (limits->trained == NULL)
        return fail(error, "the request has no folder of the training");
    bool good = point_task(point, &trained.task, error) && take_weights(&trained, limits, finding, error);
    finding_lap(finding, STAGE_PLAN, &since);
    if (good && finding->result == RESULT_OK)
        good = evaluate(&trained, finding, error);
    finding_lap(finding, STAGE_VALIDATION, &since);
    checkpoint_close(trained.checkpoint);
    training_close(trained.training);
    task_close(trained.task);
    return good;
}
