/* See training.h: what a training owns, from opening to closing. */
#include "train/training.h"

#include "train/session.h"

#include "impls/contract/support.h"

#include <stdio.h>
#include <stdlib.h>

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
    const struct sequence_layer *layer = sequence_layer_get(training->model.layer, training->model.dtype, LEVEL_BASELINE);
    if (layer->around.tied && training->facts.classes > training->facts.vocabulary)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "%s maps to classes by the embedding: %s has %d classes, but only %d tokens",
                         layer->name, training->facts.name, training->facts.classes, training->facts.vocabulary);
    if (training->recipe.gamma > 0 &&
        (!layer->recurrent ||
         registry_get_for(training->recurrence.implementation, layer->cell, training->model.dtype, LEVEL_BASELINE)->exact))
        return status_at(STATUS_UNSUPPORTED, -1, -1, "gamma draws l_max, but this implementation does not iterate");
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
