/* planted_gradient: the right states, and a gradient of which one tensor is off by a hundred-thousandth; or, as its option says, a right
 * one that is not computed again. */
#include "tests/planted/planted.h"

static struct status run(const struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace,
                         const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct implementation *right = &VARIANT(structured_sequential);
    const struct environment environment = {.threads = 1};
    const struct settings settings = {.l_max = 1, .gradient = GRADIENT_EXACT};
    struct plan *inner;
    struct status status = right->plan(&plan->problem, &settings, &environment, &inner);
    if (status.code == STATUS_OK && gradients == NULL)
        status = right->forward(inner, inputs, outputs, trace);
    if (status.code == STATUS_OK && gradients != NULL)
        status = right->backward(inner, inputs, outputs, grad_outputs, gradients);
    right->destroy(inner);
    return status;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    return run(plan, inputs, outputs, trace, NULL, NULL);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    static bool done;
    if (plan->keeps && done)
        return status_ok();
    struct status status = run(plan, inputs, outputs, NULL, grad_outputs, gradients);
    done = true;
    const struct problem *p = &plan->problem;
    for (int64_t i = 0; i < p->B * p->T * p->d && !plan->keeps; i++)
        ((real *)gradients->lambda)[i] *= (real)1.00001;
    return status;
}

const struct implementation VARIANT(planted_gradient) = {
    .name = "planted_gradient",
    .summary = "test only: a gradient that is off by a hundred-thousandth",
    .options = "keeps=yes",
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
