/* fixed_point: the paper's iteration, as it is written there: h^l = f(h^{l-1}), one application of the map (map.h) after the
 * other. This is the readable baseline: it favours no cache and fuses nothing.
 *
 * With a tolerance: l* of a sequence is the first l whose residual max_t max|f(h)-h| / max|f(h)| is below it; all sequences iterate
 * until ceil(quantile B) are below it at the same l. Damping is in iteration.h.
 *
 * The gradient is the n-step one, or the exact one by iteration of the adjoint (iterated_gradient.h). */
#include "impls/contract/support.h"
#include "impls/math/iterated_gradient.h"
#include "impls/math/iteration.h"

#include <stdlib.h>

struct plan {
    struct problem problem;
    struct map map;
    struct iteration iteration;
    struct iterated_gradient gradient;
};

extern const struct implementation VARIANT(fixed_point); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(fixed_point)))
        return;
    support_memory(
        support, p, settings, environment,
        (iteration_reals(p) + map_reals(p, environment->threads) + iterated_gradient_reals(p, settings, environment->threads)) *
            sizeof(real));
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        iterated_gradient_close(&plan->gradient);
        iteration_close(&plan->iteration);
        map_close(&plan->map);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(fixed_point), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    if (!map_open(p, settings_option(settings, "split"), environment->threads, &plan->map) ||
        !iterated_gradient_open(&plan->map, settings, &plan->gradient) || !iteration_open(p, settings, &plan->iteration)) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const struct mapping mapping = map_mapping(&plan->map);
    map_begin(&plan->map, inputs);
    return iteration_run(&plan->iteration, &mapping, inputs, outputs, trace);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return iterated_gradient_run(&plan->gradient, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(fixed_point) = {
    .name = "fixed_point",
    .summary = "the paper's iteration: l times channel mixing, then a parallel scan over time",
    .options = SCAN_OPTIONS,
    .device = DEVICE_CPU,
    .exact = false,
    .further = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = iteration_count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
