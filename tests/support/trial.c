/* See trial.h. */
#include "tests/support/trial.h"

#include "train/sequence.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct trial trial_of(struct way way, const char *task)
{
    struct trial trial = {
        .model = {.layer = sequence_layer_find(way.layer), .blocks = 1, .d_model = 16, .d = 16, .dtype = DTYPE_FLOAT32},
        .recipe = {.steps = 40, .batch = 8, .length = 6, .learning_rate = 1e-2, .warmup = 4, .schedule = SCHEDULE_COSINE},
        .recurrence = {.settings = {.l_max = 20, .tolerance = way.tolerance, .quantile = 1, .damping = 1}},
        .environment = {.threads = 2},
        .task_name = task,
    };
    trial.model.mixer = MIXER_HOUSEHOLDER, trial.model.r = 1, trial.model.s = 1;
    trial.model.heads = 2;
    bool selective = sequence_layer_get(trial.model.layer, DTYPE_FLOAT32, LEVEL_BASELINE)->cell == CELL_SELECTIVE;
    trial.model.feedback = selective ? FEEDBACK_RAW : FEEDBACK_RMS;
    trial.model.N = 4, trial.model.reads = READS_BC, trial.model.norm = NORM_BOTH;
    if (selective)
        trial.model.readout = READOUT_STATE;
    trial.recipe.weight_decay = 0.01, trial.recipe.grad_clip = 1, trial.recipe.seed = 3;
    if (way.implementation != NULL)
        trial.recurrence.implementation = registry_find(way.implementation);
    trial.recurrence.settings.gradient = way.gradient;
    trial.recurrence.settings.gradient_steps = 2;
    return trial;
}

struct status trial_try(struct trial *trial)
{
    char reason[160] = "";
    ck_assert_msg(trial->task != NULL || task_open(trial->task_name, &trial->task, sizeof reason, reason), "%s", reason);
    return training_open(&trial->model, &trial->recipe, &trial->recurrence, trial->task, &trial->environment, NULL,
                         &trial->training);
}

void trial_open(struct trial *trial)
{
    struct status status = trial_try(trial);
    ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
}

void trial_close(struct trial *trial)
{
    training_close(trial->training);
    task_close(trial->task);
}

struct step trial_steps(struct trial *trial, int64_t n)
{
    struct step step = {0};
    for (int64_t i = 0; i < n; i++) {
        struct status status = training_step(trial->training, &step);
        ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
    }
    return step;
}

size_t tensor_bytes(const struct named_tensor *tensor)
{
    size_t size = dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        size *= (size_t)tensor->shape[i];
    return size;
}

char *tensors_copy(const struct training *training, size_t *bytes)
{
    const struct named_tensor *tensors;
    size_t n = training_tensors(training, &tensors);
    *bytes = 0;
    for (size_t i = 0; i < n; i++)
        *bytes += tensor_bytes(&tensors[i]);
    char *copy = malloc(*bytes + 1), *to = copy;
    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; i < n; to += tensor_bytes(&tensors[i]), i++)
        memcpy(to, tensors[i].data, tensor_bytes(&tensors[i]));
    return copy;
}

void tensors_set(struct training *training, const char *from)
{
    const struct named_tensor *tensors;
    size_t n = training_tensors(training, &tensors);
    for (size_t i = 0; i < n; from += tensor_bytes(&tensors[i]), i++)
        memcpy(tensors[i].data, from, tensor_bytes(&tensors[i]));
}

void tensors_check_equal(const struct training *one, const struct training *other)
{
    size_t bytes, others;
    char *a = tensors_copy(one, &bytes), *b = tensors_copy(other, &others);
    ck_assert_uint_eq(bytes, others);
    ck_assert_int_eq(memcmp(a, b, bytes), 0);
    free(a), free(b);
}
