/* diagonal_scan of the selective cell: Mamba, that is without a mixer and with nothing that reads the output before. Then the answer is
 * one scan (matrix_scan.h), with what norm and gate make of its inputs and outputs:
 *
 *     H_t = exp(-dt_t A) . H_{t-1} + (dt_t . x_t) b~_t^T       y_t = LayerNorm( SiLU(z_t) . (H_t c~_t + skip . x_t) )
 *
 * Its gradient, exact and n-step alike, is one scan backwards in time. Option split=batch|channels|time forces what the threads divide. */
#include "impls/contract/support.h"
#include "impls/math/adjoint.h"
#include "impls/selective/map_gradient.h"

#include <stdlib.h>

struct plan {
    struct problem problem;
    bool gradient; /* settings ask for one */
    struct selective_map map;
    struct selective_gradient of_map;
    real *s; /* (B,T,d) adjoints; nothing, unless they do */
};

extern const struct implementation VARIANT(selective_diagonal_scan); /* at the end of this file */
/* What support_begin() cannot know. */
static void supports_exact(const struct problem *p, struct support *support)
{
    if (p->reads != READS_NONE)
        support_no(support, "reads %s: the answer is that of an iteration, not of one scan; supported: none",
                   reads_names[p->reads]);
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    const char *split = settings_option(settings, "split");
    if (!support_begin(support, p, settings, environment, &VARIANT(selective_diagonal_scan)))
        return;
    supports_exact(p, support);
    if (!support->yes)
        return;
    double gradient = settings->gradient != GRADIENT_NONE
                          ? selective_gradient_reals(p, split, environment->threads) + (double)p->B * (double)p->T * (double)p->d
                          : 0;
    support_memory(support, p, settings, environment,
                   (selective_map_reals(p, split, environment->threads) + gradient) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    (void)l;
    selective_map_count(p, environment->threads, settings_option(settings, "split"), 1, work);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        selective_gradient_close(&plan->of_map);
        selective_map_close(&plan->map);
        free(plan->s);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(selective_diagonal_scan), p, settings, environment, out);
    const char *split = settings_option(settings, "split");
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->gradient = settings->gradient != GRADIENT_NONE;
    plan->s = memory_allocate(plan->gradient ? p->B * p->T * p->d : 0, sizeof(real));
    if (plan->s == NULL || !selective_map_open(p, split, environment->threads, &plan->map) ||
        (plan->gradient && !selective_gradient_open(&plan->map, split, &plan->of_map))) {
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
    if (trace != NULL)
        trace_exact(p, trace);
    selective_map_begin(&plan->map, inputs, outputs->final);
    return selective_map_apply(&plan->map, inputs, NULL, true, NULL, outputs->y);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct problem *p = &plan->problem;
    struct status given = backward_check(p, plan->gradient, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    const struct linear_mapping linear = selective_gradient_mapping(&plan->map, &plan->of_map);
    linear.begin(linear.map, inputs);
    linear.at(linear.map, inputs, outputs->y, NULL);
    adjoint_set(p, grad_outputs, linear.threads, plan->s);
    linear.transpose(linear.map, inputs, outputs->y, outputs->y, plan->s, grad_outputs->final, plan->s, gradients, false, NULL);
    return status_ok();
}

const struct implementation VARIANT(selective_diagonal_scan) = {
    .name = "diagonal_scan",
    .summary = "selective scan (Mamba), decays computed in registers",
    .options = SCAN_OPTIONS,
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_SELECTIVE,
    .mixers = MIXERS_NONE,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
