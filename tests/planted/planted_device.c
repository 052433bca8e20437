/* planted_device: host memory that pretends to be a device. It computes on copies of its own and has a clock of its own, in which every
 * forward pass takes DEVICE_SECONDS, and answers wrongly when it is not driven as a device must be: what was not uploaded is NaN, what is
 * not downloaded never reaches the caller, and a timed call without a flush before it is internal. The last stands for a whole
 * protocol: forward() may come first without a flush, once after each upload, for that is how answers are had; then every call wants one. */
#include "impls/impl.h"
#include "impls/math/real.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct implementation VARIANT(structured_sequential);

#define DEVICE_SECONDS 0.125 /* no clock of this machine would give it */

struct plan {
    struct problem problem;
    struct plan *inner;
    struct inputs inputs;   /* the device's copies; NULL before the first upload */
    struct outputs outputs; /* likewise */
    bool fresh, flushed;    /* nothing was computed since the upload; nothing since the flush */
    double elapsed;
};

static void supports(const struct problem *problem, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    (void)problem, (void)settings, (void)environment;
    *support = (struct support){.yes = true};
}

static void count(const struct problem *problem, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    (void)problem, (void)settings, (void)environment, (void)l;
    *work = (struct work){.bytes = 1, .operations = 1, .set = 1};
}

/* A copy of n reals, or of NaN where there is nothing to copy. */
static void *copy(const void *from, int64_t n)
{
    real *to = malloc(((size_t)n + 1) * sizeof(real));
    for (int64_t i = 0; i < n && to != NULL; i++)
        to[i] = from != NULL ? ((const real *)from)[i] : (real)NAN;
    return to;
}

/* Comes back when the machine's clock shows that time has passed: on a fast machine it need not, after a copy of so little. */
static void take_time(void)
{
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec == began.tv_sec && now.tv_nsec < began.tv_nsec + 1000);
}

static void release(struct plan *plan)
{
    const void *const inputs[] = {plan->inputs.v, plan->inputs.lambda, plan->inputs.theta, plan->inputs.W, plan->inputs.h0};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        free((void *)inputs[i]);
    plan->inputs = (struct inputs){0};
}

static void destroy(struct plan *plan)
{
    if (plan == NULL)
        return;
    VARIANT(structured_sequential).destroy(plan->inner);
    release(plan);
    free(plan->outputs.h);
    free(plan->outputs.final);
    free(plan);
}

static struct status make(const struct problem *problem, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct plan *plan = calloc(1, sizeof *plan);
    *out = NULL;
    if (plan == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory for the plan");
    plan->problem = *problem;
    plan->elapsed = NAN;
    plan->outputs.h = copy(NULL, problem->B * problem->T * problem->d);
    plan->outputs.final = copy(NULL, problem->B * problem->d);
    struct status status = VARIANT(structured_sequential).plan(problem, settings, environment, &plan->inner);
    if (status.code == STATUS_OK)
        *out = plan;
    else
        destroy(plan);
    return status;
}

static struct status upload(struct plan *plan, const struct inputs *inputs)
{
    const struct problem *p = &plan->problem;
    int64_t tokens = p->B * p->T, m = problem_m(p);
    release(plan);
    plan->inputs.v = copy(inputs->v, tokens * p->d);
    plan->inputs.lambda = copy(inputs->lambda, tokens * p->d);
    plan->inputs.theta = inputs->theta != NULL ? copy(inputs->theta, tokens * m) : NULL;
    plan->inputs.W = inputs->W != NULL ? copy(inputs->W, m * p->d) : NULL;
    plan->inputs.h0 = inputs->h0 != NULL ? copy(inputs->h0, p->B * p->d) : NULL;
    plan->fresh = true;
    plan->flushed = false;
    take_time();
    return status_ok();
}

static struct status flush(struct plan *plan)
{
    plan->flushed = true;
    return status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    (void)inputs, (void)outputs; /* the host's, which a device cannot see */
    if (plan->inputs.v == NULL)
        return status_at(STATUS_INTERNAL, -1, -1, "forward before anything was uploaded");
    if (!plan->fresh && !plan->flushed)
        return status_at(STATUS_INTERNAL, -1, -1, "a call without a flush before it");
    plan->fresh = plan->flushed = false;
    plan->elapsed = DEVICE_SECONDS;
    return VARIANT(structured_sequential).forward(plan->inner, &plan->inputs, &plan->outputs, trace);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    (void)inputs, (void)outputs;
    plan->elapsed = 2 * DEVICE_SECONDS;
    return VARIANT(structured_sequential).backward(plan->inner, &plan->inputs, &plan->outputs, grad_outputs, gradients);
}

static struct status download(struct plan *plan, const struct outputs *outputs)
{
    const struct problem *p = &plan->problem;
    memcpy(outputs->h, plan->outputs.h, (size_t)(p->B * p->T * p->d) * sizeof(real));
    if (outputs->final != NULL)
        memcpy(outputs->final, plan->outputs.final, (size_t)(p->B * p->d) * sizeof(real));
    take_time();
    return status_ok();
}

static double elapsed(struct plan *plan)
{
    return plan->elapsed;
}

const struct implementation VARIANT(planted_device) = {
    .name = "planted_device",
    .summary = "test only: host memory that pretends to be a device",
    .device = DEVICE_CUDA,
    .exact = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = make,
    .upload = upload,
    .forward = forward,
    .backward = backward,
    .download = download,
    .flush = flush,
    .elapsed = elapsed,
    .destroy = destroy,
};
