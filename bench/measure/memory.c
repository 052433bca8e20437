/* measure: memory. Peak memory of a forward pass, a backward pass and a training step, from the peak resident set of the process
 * (bench/machine/memory.h): tensors, plan, and what the calls allocate. Outputs are validated, as for timing. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/machine/memory.h"
#include "bench/measure/backward.h"
#include "bench/measure/place.h"
#include "impls/contract/support.h"
#include "train/sequence.h"
#include "train/training.h"

#include <malloc.h>
#include <math.h>
#include <string.h>

enum {
    MAPPED = 128 << 10
}; /* bytes: what is larger goes back to the system when it is freed, and is counted again when it is taken */

/* Plan and forward pass, and the backward pass where there is one. */
static struct status make_passes(struct subject *subject, struct backward *backward, struct trace *trace, struct plan **plan)
{
    const struct implementation *implementation = subject->implementation;
    const struct inputs *inputs = &subject->tensors.inputs;
    const struct outputs outputs = {.h = subject->h};
    subject_forget(subject);
    struct status status = implementation->plan(&subject->tensors.problem, &subject->settings, &subject->environment, plan);
    if (status.code == STATUS_OK)
        status = implementation_forward(implementation, *plan, inputs, &outputs, trace);
    if (status.code == STATUS_OK && backward != NULL)
        status = implementation->backward(*plan, inputs, &outputs, &backward->adjoints, &backward->gradients);
    return status;
}

/* Their bytes beside the tensors; NaN where they failed. They are made twice: what libraries and threads take once and for all is no
 * part of a pass. */
static double watch_passes(struct subject *subject, struct backward *backward, struct trace *trace, struct status *status)
{
    struct memory_watch watch;
    struct plan *plan;
    *status = make_passes(subject, backward, trace, &plan);
    subject->implementation->destroy(plan);
    if (status->code != STATUS_OK)
        return NAN;
    malloc_trim(0);
    memory_watch_begin(&watch);
    *status = make_passes(subject, backward, trace, &plan);
    double grown = memory_watch_end(&watch);
    subject->implementation->destroy(plan);
    return status->code == STATUS_OK ? grown : NAN;
}

/* Bytes of a validated forward pass; NaN where it failed, and the finding says so. */
static bool forward_bytes(struct subject *subject, const struct answers *answers, int64_t b, double *bytes, struct finding *finding,
                          struct error *error)
{
    struct trace trace = {0};
    struct checks checks;
    struct status status;
    *bytes = watch_passes(subject, NULL, &trace, &status) + problem_bytes(&subject->tensors.problem);
    finding_status(finding, &status);
    place_channel(subject, finding);
    return status.code != STATUS_OK ? validate_failure(subject, finding, error)
                                    : validate(subject, answers, b, &trace, &checks, finding, error);
}

/* The same of a forward and a backward pass, the gradients of all inputs included. NaN also where the implementation has none, or none
 * that can be validated: then the finding says so, and the forward pass keeps its figure. */
static bool backward_bytes(struct subject *subject, int64_t b, double *bytes, struct finding *finding, struct error *error)
{
    const struct implementation *implementation = subject->implementation;
    const struct problem *p = &subject->tensors.problem;
    struct support support;
    *bytes = NAN;
    implementation->supports(p, &subject->settings, &subject->environment, &support);
    if (!support.yes || implementation->backward == NULL)
        return true;
    struct backward backward;
    struct trace trace = {0};
    struct checks checks = {0};
    struct status status;
    bool good = backward_open(subject, &backward, error);
    if (good) {
        *bytes = watch_passes(subject, &backward, &trace, &status) + 2 * problem_bytes(p);
        finding_status(finding, &status);
        place_channel(subject, finding);
        good = status.code != STATUS_OK || backward_validate(subject, b, false, &backward, &checks, finding, error);
        if (good && finding->result != RESULT_OK)
            *bytes = NAN;
        if (good && finding->result == (enum result)STATUS_UNSUPPORTED)
            finding->result = RESULT_OK;
    }
    backward_close(&backward);
    return good;
}

/* The layer around recurrences of this cell, with any mixer that it has; -1: there is none. */
static int layer_around(enum cell cell)
{
    for (int i = 0; i < sequence_layer_count(); i++) {
        const struct sequence_layer *layer = sequence_layer_get(i, DTYPE_FLOAT32, LEVEL_BASELINE);
        if (layer->recurrent && layer->cell == cell &&
            ((layer->takes & TAKES_MIXER) != 0 || cell_facts[cell].mixers == MIXERS_NONE))
            return i;
    }
    return -1;
}

/* One step of training of a model with one layer around this recurrence, d_model = d, on words of Z2: weights, moments,
 * activations, gradients. NaN where the layer cannot be trained so. */
static bool step_bytes(const struct subject *subject, double *bytes, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    const struct model_spec model = {.layer = layer_around(p->cell),
                                     .blocks = 1,
                                     .d_model = p->d,
                                     .d = p->d,
                                     .dtype = p->dtype,
                                     .mixer = p->mixer,
                                     .r = p->r,
                                     .s = p->s,
                                     .form = p->form,
                                     .feedback = p->feedback,
                                     .readout = READOUT_INPUT,
                                     .N = p->N,
                                     .reads = p->reads,
                                     .norm = p->norm,
                                     .gate = p->gate,
                                     .heads = p->heads > 0 ? p->heads : 1,
                                     .forget = p->forget,
                                     .output_gate = OUTPUT_GATE_SILU}; /* as it is by default */
    const struct recipe recipe = {.steps = 1,
                                  .batch = p->B,
                                  .length = p->T,
                                  .learning_rate = 1e-3,
                                  .schedule = SCHEDULE_CONSTANT,
                                  .curriculum_window = 1,
                                  .check_every = 1,
                                  .check_samples = 1,
                                  .seed = 1};
    const struct recurrence recurrence = {.implementation = registry_find(subject->implementation->name),
                                          .settings = subject->settings};
    struct task *task;
    struct training *training = NULL;
    struct memory_watch watch;
    struct step step;
    char reason[200];
    *bytes = NAN;
    if (model.layer < 0) /* no layer is built around this cell */
        return true;
    if (!task_open("Z2", &task, sizeof reason, reason))
        return fail(error, "%s", reason);
    if (task_width(task, p->T, true) == p->T) {
        malloc_trim(0);
        memory_watch_begin(&watch);
        struct status status = training_open(&model, &recipe, &recurrence, task, &subject->environment, NULL, &training);
        if (status.code == STATUS_OK)
            status = training_step(training, &step);
        double grown = memory_watch_end(&watch);
        *bytes = status.code == STATUS_OK ? grown : NAN;
        training_close(training);
    }
    task_close(task);
    return true;
}

bool memory_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    struct answers answers = {.h = NULL};
    struct point forwards = *point;
    double forward = NAN, backward = NAN, step = NAN;
    forwards.value[FIELD_GRADIENT] = (struct value){.kind = VALUE_NONE};
    mallopt(M_MMAP_THRESHOLD, MAPPED);
    bool good = subject_make(&forwards, false, limits, &subject, finding, error);
    double since = clock_seconds();
    if (good && finding->result == RESULT_OK && subject.implementation->device != DEVICE_CPU)
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "the memory of a device is not measured, only that of the process");
    if (good && finding->result == RESULT_OK && validate_possible(&subject, finding)) {
        int64_t b = subject_sequence(&subject, limits);
        good = validate_problem(&subject, b, problem_low_rank(&subject.tensors.problem), &answers, finding, error);
        if (good && finding->result == RESULT_OK)
            good = forward_bytes(&subject, &answers, b, &forward, finding, error);
        subject.settings = point_settings(point);
        if (good && finding->result == RESULT_OK)
            good = backward_bytes(&subject, b, &backward, finding, error);
        if (good && finding->result == RESULT_OK)
            good = step_bytes(&subject, &step, error);
        if (good && finding->result == RESULT_OK)
            finding->data =
                json_pack("{so so so so}", "tensors_bytes", json_number(problem_bytes(&subject.tensors.problem)), "forward_bytes",
                          json_number(forward), "backward_bytes", json_number(backward), "step_bytes", json_number(step));
    }
    finding_lap(finding, STAGE_TIMING, &since);
    subject_end(&subject, &answers, finding);
    return good;
}
