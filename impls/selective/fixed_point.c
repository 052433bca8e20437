/* fixed_point of the selective cell: FP-Mamba's parallel iteration, as the paper writes it: y^l = f(y^{l-1}) from y^0 = 0, one application
 * of the map (map.h) after the other. This is the readable baseline: it favours no cache and fuses nothing.
 *
 * Stopping, l* and damping are those of every cell (iteration.h): convergence is judged on y, and only y is damped. The final state is
 * the H_T that the last application came with. The decays exp(-dt A) are the same in all iterations, unless dt reads y, and are computed
 * anew in each all the same: they are N times as many numbers as y, which take longer to read than to compute (matrix_scan.h).
 *
 * The gradient is the n-step one, or the exact one by iteration of the adjoint (iterated_gradient.h). */
#include "impls/contract/support.h"
#include "impls/math/iterated_gradient.h"
#include "impls/math/iteration.h"
#include "impls/selective/map_gradient.h"

#include <stdlib.h>

struct plan {
    struct problem problem;
    struct selective_map map;
    struct iteration iteration;
    struct selective_gradient of_map;
    struct iterated_gradient gradient;
};

extern const struct implementation VARIANT(selective_fixed_point); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    const char *split = settings_option(settings, "split");
    int threads = environment->threads;
    if (!support_begin(support, p, settings, environment, &VARIANT(selective_fixed_point)))
        return;
    double gradient = iterated_gradient_own_reals(p, settings);
    if (settings->gradient != GRADIENT_NONE)
        gradient += selective_gradient_reals(p, split, threads);
    support_memory(support, p, settings, environment,
                   (iteration_reals(p) + selective_map_reals(p, split, threads) + gradient) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double reals, operations;
    selective_map_count(p, environment->threads, settings_option(settings, "split"), l, work);
    iteration_judge_count(p, settings, l, &reals, &operations);
    work->bytes += reals * sizeof(real);
    work->operations += operations;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        iterated_gradient_close(&plan->gradient);
        selective_gradient_close(&plan->of_map);
        iteration_close(&plan->iteration);
        selective_map_close(&plan->map);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(selective_fixed_point), p, settings, environment, out);
    const char *split = settings_option(settings, "split");
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    bool memory = selective_map_open(p, split, environment->threads, &plan->map) && iteration_open(p, settings, &plan->iteration);
    if (memory && settings->gradient != GRADIENT_NONE)
        memory = selective_gradient_open(&plan->map, split, &plan->of_map);
    const struct linear_mapping linear = selective_gradient_mapping(&plan->map, &plan->of_map);
    if (!memory || !iterated_gradient_open_for(&linear, settings, &plan->gradient)) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct status given = forward_check(&plan->problem, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const struct mapping mapping = selective_map_mapping(&plan->map);
    selective_map_begin(&plan->map, inputs, outputs->final);
    return iteration_run(&plan->iteration, &mapping, inputs, outputs, trace);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return iterated_gradient_run(&plan->gradient, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(selective_fixed_point) = {
    .name = "fixed_point",
    .summary = "FP-Mamba's iteration: l times reading, mixing, a parallel scan of the matrix state, normalising",
    .options = SCAN_OPTIONS,
    .device = DEVICE_CPU,
    .exact = false,
    .further = true,
    .cells = CELLS_SELECTIVE,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
