/* See difference.h. */
#include "bench/measure/difference.h"

#include "bench/base/parse.h"
#include "bench/base/statistics.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"
#include "bench/sweep/recipe.h"
#include "impls/contract/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What became of an implementation that has no answer to compare: whose it was goes before it. */
static void say(struct finding *finding, const char *name, const struct status *status)
{
    char when[64];
    snprintf(when, sizeof when, "%.60s: ", name);
    finding_status_when(finding, when, status);
}

/* The states (B,T,d) of a problem by a recurrence, in double precision whatever it computed in, and how many sequences it left
 * unconverged. */
static bool solve(const struct recurrence *recurrence, const struct problem *problem, const struct inputs *inputs,
                  const struct environment *environment, double *h, int64_t *never, struct finding *finding, struct error *error)
{
    const struct implementation *implementation =
        registry_get_for(recurrence->implementation, problem->cell, problem->dtype, level_best());
    struct support support;
    implementation->supports(problem, &recurrence->settings, environment, &support);
    if (!support.yes) {
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "%s: %s", implementation->name, support.reason);
        return true;
    }
    int64_t n = problem->B * problem->T * problem->d;
    void *states = memory_allocate(n, dtype_size(problem->dtype));
    int64_t *l = calloc((size_t)problem->B, sizeof *l);
    struct plan *plan = NULL;
    bool good = states != NULL && l != NULL;
    if (!good) {
        fail_memory(error);
    } else {
        struct trace trace = {.l = l};
        const struct outputs outputs = {.h = states};
        struct status status = implementation->plan(problem, &recurrence->settings, environment, &plan);
        if (status.code == STATUS_OK)
            status = implementation->forward(plan, inputs, &outputs, &trace);
        if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED)
            to_doubles(problem->dtype, states, 0, n, h);
        else
            say(finding, implementation->name, &status);
        bool judged = !implementation->exact && recurrence->settings.tolerance > 0;
        for (int64_t b = 0; b < problem->B; b++)
            *never += judged && l[b] <= 0;
    }
    implementation->destroy(plan);
    free(states);
    free(l);
    return good;
}

/* Sorts the distances. */
static json_t *spread(double *distance, int64_t n)
{
    statistics_sort(distance, (size_t)n);
    return json_pack("{so so so so so}", "least", json_number(distance[0]), "q1",
                     json_number(statistics_quantile(distance, (size_t)n, 0.25)), "median",
                     json_number(statistics_median(distance, (size_t)n)), "q3",
                     json_number(statistics_quantile(distance, (size_t)n, 0.75)), "most", json_number(distance[n - 1]));
}

/* One block: distances of its sequences. */
static bool compare(const struct point *point, const struct problem *problem, const struct inputs *inputs, double *max, double *l2,
                    int64_t *never, struct finding *finding, struct error *error)
{
    const struct environment environment = {.threads = point_threads(point)};
    struct recurrence tested = point_test_recurrence(point), against = point_against_recurrence(point);
    int64_t size = problem->T * problem->d;
    double *h = malloc((size_t)(2 * problem->B * size) * sizeof *h);
    if (h == NULL)
        return fail_memory(error);
    double *other = h + problem->B * size;
    bool good = solve(&tested, problem, inputs, &environment, h, never, finding, error);
    if (good && finding->result == RESULT_OK)
        good = solve(&against, problem, inputs, &environment, other, never, finding, error);
    for (int64_t b = 0; b < problem->B && good && finding->result == RESULT_OK; b++) {
        max[b] = distance_max(h + b * size, other + b * size, size);
        l2[b] = distance_l2(h + b * size, other + b * size, size);
    }
    free(h);
    return good;
}

/* How many of the answers are the same by the recurrence of `against`. Where that has none, the finding says so and *same stays. */
static bool decide(const struct point *point, struct training *training, const struct evaluation_request *request, int64_t T,
                   const int32_t *answer, json_t **same, struct finding *finding, struct error *error)
{
    struct evaluation_request against = *request;
    struct evaluation evaluation = {.answer = memory_allocate(request->samples * T, sizeof *evaluation.answer)};
    if (evaluation.answer == NULL)
        return fail_memory(error);
    against.recurrence = point_against_recurrence(point);
    struct status status = training_evaluate(training, &against, &evaluation);
    if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED) {
        int64_t agree = 0, scored = 0;
        double low = NAN, high = NAN;
        for (int64_t i = 0; i < request->samples * T; i++) {
            scored += answer[i] != TASK_UNSCORED;
            agree += answer[i] != TASK_UNSCORED && answer[i] == evaluation.answer[i];
        }
        statistics_share_interval(agree, scored, &low, &high);
        *same = json_pack("{so so so}", "share", json_number(scored > 0 ? (double)agree / (double)scored : NAN), "low",
                          json_number(low), "high", json_number(high));
    } else {
        say(finding, registry_get(against.recurrence.implementation, DTYPE_FLOAT32, LEVEL_BASELINE)->name, &status);
    }
    free(evaluation.answer);
    return true;
}

bool difference_add(const struct point *point, struct training *training, const struct evaluation_request *request, int64_t T,
                    const int32_t *answer, struct finding *finding, struct error *error)
{
    int64_t blocks = point_integer(point, FIELD_BLOCKS, 1), never = 0;
    int64_t B = request->batch < request->samples ? request->batch : request->samples, n = B * blocks;
    json_t *same = NULL;
    double *max = malloc((size_t)(2 * n) * sizeof *max);
    if (max == NULL)
        return fail_memory(error);
    double *l2 = max + n;
    bool good = true;
    for (int64_t k = 0; k < blocks && good && finding->result == RESULT_OK; k++) {
        struct problem problem;
        struct inputs inputs;
        struct status status = training_recurrence_inputs(training, k, request->length, B, request->seed, &problem, &inputs);
        if (status.code != STATUS_OK && status.code != STATUS_NOT_CONVERGED)
            finding_status(finding, &status);
        else
            good = compare(point, &problem, &inputs, max + k * B, l2 + k * B, &never, finding, error);
    }
    if (good && finding->result == RESULT_OK)
        good = decide(point, training, request, T, answer, &same, finding, error);
    if (good && finding->result == RESULT_OK)
        json_object_set_new(finding->data, "difference",
                            json_pack("{sI sI so so so}", "of", (json_int_t)n, "never", (json_int_t)never, "max", spread(max, n),
                                      "l2", spread(l2, n), "decisions", same));
    free(max);
    return good;
}
