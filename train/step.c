/* See training.h: one step. */
#include "train/session.h"

#include <math.h>

static double now(const struct training *training)
{
    return training->clock != NULL ? training->clock() : 0;
}

/* Number of sequences of all blocks whose l* is at most `l`; one that never converged counts as l_run. */
static int64_t count_up_to(const struct training *training, int64_t l)
{
    int64_t n = 0;
    struct recurrence_view view;
    for (int64_t k = 0; k < training->model.blocks; k++) {
        training->arithmetic->look(training->pass, k, &view);
        for (int64_t b = 0; b < view.problem.B; b++)
            n += (view.trace->l[b] > 0 ? view.trace->l[b] : view.trace->l_run) <= l;
    }
    return n;
}

/* Iterations of the step's recurrences: the (lower) median by bisection, which needs no memory to sort in. */
static void note_iterations(const struct training *training, int64_t l_max, struct step *step)
{
    struct recurrence_view view;
    int64_t low = 0, high = 0, all = training->model.blocks * training->recipe.batch;
    step->iterations = step->l_max = NAN;
    if (!training->arithmetic->look(training->pass, 0, &view))
        return;
    for (int64_t k = 0; k < training->model.blocks; k++) {
        training->arithmetic->look(training->pass, k, &view);
        high = view.trace->l_run > high ? view.trace->l_run : high;
        step->seconds[PART_ITERATIONS] += view.seconds;
    }
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (2 * count_up_to(training, middle) >= all)
            high = middle;
        else
            low = middle + 1;
    }
    step->iterations = (double)low;
    if (!registry_get_for(training->recurrence.implementation, view.problem.cell, training->model.dtype, LEVEL_BASELINE)->exact)
        step->l_max = (double)l_max;
}

/* Accuracy decides, window by window, whether the next stage begins. */
static void advance(struct training *training, double accuracy)
{
    struct training_state *state = &training->state;
    state->step++;
    if (!training->recipe.curriculum || state->stage + 1 >= training->n_lengths)
        return;
    state->window_sum += accuracy;
    state->window_n++;
    if (state->window_n < training->recipe.curriculum_window)
        return;
    if (state->window_sum / (double)state->window_n >= training->recipe.curriculum_accuracy)
        state->stage++;
    state->window_sum = 0;
    state->window_n = 0;
}

static void update(struct training *training, const struct step *step)
{
    const struct recipe *recipe = &training->recipe;
    struct adamw adamw = {
        .rate = schedule_rate(recipe, step->step), .decay = recipe->weight_decay, .beta = {0.9, 0.999}, .epsilon = 1e-8};
    adamw.scale = recipe->grad_clip > 0 && step->norm > recipe->grad_clip ? recipe->grad_clip / step->norm : 1;
    for (int i = 0; i < 2; i++)
        adamw.correction[i] = 1 / (1 - pow(adamw.beta[i], (double)step->step));
    training->arithmetic->update(&training->parameters, &adamw, training->environment.threads);
}

struct status training_step(struct training *training, struct step *step)
{
    const struct recipe *recipe = &training->recipe;
    const struct arithmetic *arithmetic = training->arithmetic;
    int64_t length = training->lengths[training->state.stage], B = recipe->batch, T = task_width(training->task, length, true);
    *step = (struct step){.step = training->state.step + 1, .length = length, .iterations = NAN, .l_max = NAN};
    if (step->step > recipe->steps)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "all %lld steps are done", (long long)recipe->steps);
    double begin = now(training);
    session_fill(training, recipe->seed, (uint64_t)(training->state.step * B), length, B, T, true, training->token,
                 training->target);
    double filled = now(training);

    int64_t l_max = recipe->gamma > 0 ? schedule_l_max(recipe, step->step) : training->recurrence.settings.l_max;
    struct status status = arithmetic->resize(training->pass, T, l_max);
    if (status.code == STATUS_OK)
        status = arithmetic->forward(training->pass, training->token, training->target, training->answer, &step->loss);
    double forwarded = now(training);
    if (status.code == STATUS_OK && !isfinite(step->loss))
        status = status_at(STATUS_DIVERGED, -1, -1, "the loss of step %lld is %g", (long long)step->step, step->loss);
    if (status.code == STATUS_OK)
        status = arithmetic->backward(training->pass, training->token);
    if (status.code != STATUS_OK)
        return status;
    double backwarded = now(training);

    step->norm = arithmetic->norm(&training->parameters);
    if (!isfinite(step->norm))
        return status_at(STATUS_DIVERGED, -1, -1, "the gradient of step %lld has norm %g", (long long)step->step, step->norm);
    struct task_score score = {0};
    for (int64_t b = 0; b < B; b++)
        task_score(training->task, T, training->target + b * T, training->answer + b * T, &score);
    step->accuracy = score.positions > 0 ? (double)score.positions_right / (double)score.positions : 0;
    note_iterations(training, l_max, step);
    update(training, step);
    advance(training, step->accuracy);
    step->seconds[PART_DATA] = filled - begin;
    step->seconds[PART_FORWARD] = forwarded - filled - step->seconds[PART_ITERATIONS];
    step->seconds[PART_BACKWARD] = backwarded - forwarded;
    step->seconds[PART_OPTIMISER] = now(training) - backwarded;
    return status_ok();
}
