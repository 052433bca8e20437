/* See training.h: using what was trained. Every answer is planned for itself: weights are shared, activations are not. */
#include "train/session.h"

#include "impls/contract/support.h"

#include <stdlib.h>

struct status training_evaluate(struct training *training, const struct evaluation_request *request, struct evaluation *evaluation)
{
    int64_t B = request->batch, T = task_width(training->task, request->length, false), blocks = training->model.blocks;
    struct pass *pass = NULL;
    evaluation->score = (struct task_score){0};
    evaluation->loss = evaluation->applications = 0;
    evaluation->n_l = 0;
    if (T < 1 || B < 1 || request->samples < 1)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "%s cannot give %lld examples of length %lld in batches of %lld",
                         training->facts.name, (long long)request->samples, (long long)request->length, (long long)B);
    B = B < request->samples ? B : request->samples;
    struct status status = session_plan(training, &request->recurrence, B, T, false, &pass);
    if (status.code != STATUS_OK)
        return status;
    int32_t *token = memory_allocate(3 * B * T, sizeof *token);
    if (token == NULL) {
        training->arithmetic->destroy(pass);
        return status_no_memory();
    }
    int32_t *target = token + B * T, *answer = target + B * T;
    int64_t positions = 0, looks = 0;
    for (int64_t first = 0; status.code == STATUS_OK && first < request->samples; first += B) {
        int64_t n = request->samples - first < B ? request->samples - first : B;
        struct recurrence_view view;
        double loss = 0;
        /* the last batch is filled with further examples, which nothing is asked of */
        session_fill(training, request->seed, (uint64_t)first, request->length, B, T, false, token, target);
        for (int64_t i = n * T; i < B * T; i++)
            target[i] = TASK_UNSCORED;
        status = training->arithmetic->forward(pass, token, target, answer, &loss);
        for (int64_t b = 0; status.code == STATUS_OK && b < n; b++)
            task_score(training->task, T, target + b * T, answer + b * T, &evaluation->score);
        for (int64_t i = 0; status.code == STATUS_OK && evaluation->answer != NULL && i < n * T; i++)
            evaluation->answer[first * T + i] = task_scored(training->task, target[i]) ? answer[i] : TASK_UNSCORED;
        int64_t scored = 0; /* those that the loss is a mean of: task_score() may pass over some */
        for (int64_t i = 0; i < n * T; i++)
            scored += target[i] >= 0;
        evaluation->loss += loss * (double)scored;
        positions += scored;
        for (int64_t k = 0; status.code == STATUS_OK && k < blocks && training->arithmetic->look(pass, k, &view); k++, looks++) {
            evaluation->applications += view.trace->applications;
            evaluation->n_l = request->samples * blocks;
            for (int64_t b = 0; evaluation->l != NULL && b < n; b++)
                evaluation->l[(first + b) * blocks + k] = view.trace->l[b];
        }
    }
    evaluation->loss = positions > 0 ? evaluation->loss / (double)positions : 0;
    evaluation->applications = looks > 0 ? evaluation->applications / (double)looks : 0;
    training->arithmetic->destroy(pass);
    free(token);
    return status;
}

struct status training_recurrence_inputs(struct training *training, int64_t block, int64_t length, int64_t batch, uint64_t seed,
                                         struct problem *problem, struct inputs *inputs)
{
    int64_t T = task_width(training->task, length, false);
    training->arithmetic->destroy(training->probe);
    training->probe = NULL;
    if (T < 1 || batch < 1 || block < 0 || block >= training->model.blocks)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "there is no block %lld on %lld examples of length %lld", (long long)block,
                         (long long)batch, (long long)length);
    struct status status = session_plan(training, &training->recurrence, batch, T, false, &training->probe);
    if (status.code != STATUS_OK)
        return status;
    int32_t *token = memory_allocate(2 * batch * T, sizeof *token);
    if (token == NULL)
        return status_no_memory();
    session_fill(training, seed, 0, length, batch, T, false, token, token + batch * T);
    status = training->arithmetic->forward(training->probe, token, NULL, NULL, NULL);
    free(token);
    struct recurrence_view view;
    if (status.code == STATUS_OK && !training->arithmetic->look(training->probe, block, &view))
        return status_at(STATUS_UNSUPPORTED, -1, -1, "the model has no recurrence");
    if (status.code == STATUS_OK) {
        *problem = view.problem;
        *inputs = view.inputs;
    }
    return status;
}
