/* See training.h: what is trained, and one step of it. */
#include "train/session.h"

#include "impls/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct status session_plan(struct training *training, const struct recurrence *recurrence, int64_t B, int64_t T, bool gradient,
                           struct pass **pass)
{
    char reason[160] = "";
    struct sequence_setup wanted = {.model = &training->model,
                                    .recurrence = recurrence,
                                    .environment = &training->environment,
                                    .B = B,
                                    .T = T,
                                    .gradient = gradient};
    struct pass_setup setup = {.model = &training->model,
                               .parameters = &training->parameters,
                               .recurrence = recurrence,
                               .environment = &training->environment,
                               .vocabulary = training->facts.vocabulary,
                               .classes = training->facts.classes,
                               .B = B,
                               .T = T,
                               .gradient = gradient,
                               .clock = training->clock};
    *pass = NULL;
    if (!model_check(&wanted, sizeof reason, reason))
        return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", reason);
    return training->arithmetic->plan(&setup, pass);
}

void session_fill(const struct training *training, uint64_t seed, uint64_t first, int64_t length, int64_t B, int64_t T,
                  bool as_trained, int32_t *token, int32_t *target)
{
#pragma omp parallel for num_threads(training->environment.threads) schedule(static)
    for (int64_t b = 0; b < B; b++)
        task_fill(training->task, seed, first + (uint64_t)b, length, as_trained, token + b * T, target + b * T);
}

/* The weights, then the moments. */
static bool list_tensors(struct training *training)
{
    static const char *const prefix[] = {"", "adam.m.", "adam.v."};
    const struct parameters *parameters = &training->parameters;
    training->tensors = calloc(3 * (size_t)parameters->n, sizeof *training->tensors);
    if (training->tensors == NULL)
        return false;
    for (int kind = 0; kind < 3; kind++) {
        for (int i = 0; i < parameters->n; i++) {
            const struct parameter *parameter = &parameters->item[i];
            void *const data[] = {parameter->value, parameter->first, parameter->second};
            struct named_tensor *tensor = &training->tensors[kind * parameters->n + i];
            *tensor = (struct named_tensor){.dtype = parameters->dtype,
                                            .rank = parameter->rank,
                                            .shape = {parameter->shape[0], parameter->shape[1]},
                                            .data = data[kind],
                                            .weight = kind == 0};
            snprintf(tensor->name, sizeof tensor->name, "%s%s", prefix[kind], parameter->name);
        }
    }
    return true;
}

/* Widest stage of the curriculum. */
static int64_t longest(const struct training *training)
{
    int64_t most = 0;
    for (int i = 0; i < training->n_lengths; i++) {
        int64_t width = task_width(training->task, training->lengths[i], true);
        most = width > most ? width : most;
    }
    return most;
}

static struct status check(const struct training *training)
{
    char reason[160] = "";
    struct sequence_setup wanted = {.model = &training->model,
                                    .recurrence = &training->recurrence,
                                    .environment = &training->environment,
                                    .B = training->recipe.batch,
                                    .T = longest(training),
                                    .gradient = true};
    if (!model_check(&wanted, sizeof reason, reason))
        return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", reason);
    bool recurrent = sequence_layer_get(training->model.layer, training->model.dtype, LEVEL_BASELINE)->recurrent;
    if (training->recipe.gamma > 0 &&
        (!recurrent || registry_get(training->recurrence.implementation, training->model.dtype, LEVEL_BASELINE)->exact))
        return status_at(STATUS_UNSUPPORTED, -1, -1, "gamma draws l_max, but nothing iterates here");
    return status_ok();
}

static struct status open_rest(struct training *training)
{
    int64_t B = training->recipe.batch, T = longest(training);
    struct status status = check(training);
    if (status.code != STATUS_OK)
        return status;
    training->arithmetic = arithmetic_get(training->model.dtype);
    model_declare(&training->model, training->facts.vocabulary, training->facts.classes, &training->parameters);
    status = parameters_allocate(&training->parameters, training->model.dtype, training->recipe.seed);
    if (status.code == STATUS_OK)
        status = session_plan(training, &training->recurrence, B, T, true, &training->pass);
    if (status.code != STATUS_OK)
        return status;
    training->token = memory_allocate(3 * B * T, sizeof *training->token);
    if (training->token == NULL || !list_tensors(training))
        return status_no_memory();
    training->target = training->token + B * T;
    training->answer = training->target + B * T;
    return status_ok();
}

struct status training_open(const struct model_spec *model, const struct recipe *recipe, const struct recurrence *recurrence,
                            const struct task *task, const struct environment *environment, double (*clock)(void),
                            struct training **out)
{
    char reason[160] = "";
    *out = NULL;
    if (!recipe_check(recipe, task, sizeof reason, reason))
        return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", reason);
    struct training *training = calloc(1, sizeof *training);
    if (training == NULL)
        return status_no_memory();
    *training = (struct training){.model = *model, .recipe = *recipe, .environment = *environment, .task = task, .clock = clock};
    if (recurrence != NULL)
        training->recurrence = *recurrence;
    training->facts = *task_facts(task);
    training->n_lengths = schedule_lengths(recipe, task, training->lengths);
    struct status status = open_rest(training);
    if (status.code != STATUS_OK)
        training_close(training);
    else
        *out = training;
    return status;
}

void training_close(struct training *training)
{
    if (training == NULL)
        return;
    if (training->arithmetic != NULL) {
        training->arithmetic->destroy(training->pass);
        training->arithmetic->destroy(training->probe);
    }
    parameters_free(&training->parameters);
    free(training->token);
    free(training->tensors);
    free(training);
}

/* ---- One step ----------------------------------------------------------------------------------------------------------- */

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
    if (!registry_get(training->recurrence.implementation, training->model.dtype, LEVEL_BASELINE)->exact)
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
    if (state->window_sum / (double)state->window_n >= training->recipe.curriculum_accuracy) {
        state->stage++;
        state->stage_step = state->step + 1;
    }
    state->window_sum = 0;
    state->window_n = 0;
}

static void update(struct training *training, const struct step *step)
{
    const struct recipe *recipe = &training->recipe;
    struct adamw adamw = {.rate = schedule_rate(recipe, step->step), .decay = recipe->decay, .beta = {0.9, 0.999}, .epsilon = 1e-8};
    adamw.scale = recipe->clip > 0 && step->norm > recipe->clip ? recipe->clip / step->norm : 1;
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

struct training_state training_state(const struct training *training)
{
    return training->state;
}

void training_restore(struct training *training, const struct training_state *state)
{
    int64_t last = training->n_lengths - 1; /* a state may come from a file */
    training->state = *state;
    training->state.stage = state->stage < 0 ? 0 : state->stage > last ? last : state->stage;
}

size_t training_tensors(const struct training *training, const struct named_tensor **tensors)
{
    *tensors = training->tensors;
    return 3 * (size_t)training->parameters.n;
}

int64_t training_parameters(const struct training *training)
{
    return training->parameters.total;
}
