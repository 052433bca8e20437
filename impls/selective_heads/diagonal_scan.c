/* diagonal_scan of the cell selective_heads: Mamba-2 without a mixer, one scan over time (scan.h). Threads share the sequences;
 * where there are not enough of them, the channels, too. Its exact gradient goes back in time by products of matrices
 * (gradient.h). */
#include "impls/contract/support.h"
#include "impls/math/finite.h"
#include "impls/selective_heads/gradient.h"
#include "impls/selective_heads/scan.h"

#include <omp.h>
#include <stdlib.h>

struct plan {
    struct problem problem;
    int threads;
    bool gradient; /* settings ask for one */
    int64_t parts; /* of the channels of a sequence */
    int64_t each;  /* reals of a thread */
    real *scratch;
    struct heads_gradient of_map;
};

extern const struct implementation VARIANT(selective_heads_diagonal_scan); /* at the end of this file */

/* Groups are by themselves: whoever scans them, the bits are the same. */
static int64_t parts_of(const struct problem *p, int threads)
{
    const int64_t pairs = (heads_groups(p) + 1) / 2;
    if (p->B % threads == 0 || p->B >= 4 * (int64_t)threads)
        return 1;
    return pairs < threads ? pairs : threads;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(selective_heads_diagonal_scan)))
        return;
    double reals = (double)heads_scan_scratch(p) * environment->threads;
    if (settings->gradient != GRADIENT_NONE)
        reals += heads_gradient_reals(p, HEADS_GRADIENT_CHUNK, environment->threads);
    support_memory(support, p, settings, environment, reals * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    const double tokens = (double)p->B * (double)p->T, d = (double)p->d, N = (double)p->N, heads = (double)p->heads;
    (void)settings, (void)environment, (void)l;
    *work =
        (struct work){.bytes = problem_bytes(p), .operations = tokens * (d * (5 * N + 1) + heads), .exponentials = tokens * heads};
    heads_finish_count(p, work);
    work->set = work->bytes; /* everything once */
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        heads_gradient_close(&plan->of_map);
        free(plan->scratch);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(selective_heads_diagonal_scan), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->threads = environment->threads;
    plan->gradient = settings->gradient != GRADIENT_NONE;
    plan->parts = parts_of(p, plan->threads);
    plan->each = heads_scan_scratch(p);
    plan->scratch = memory_allocate(plan->each * plan->threads, sizeof(real));
    if (plan->scratch == NULL || (plan->gradient && !heads_gradient_open(p, HEADS_GRADIENT_CHUNK, plan->threads, &plan->of_map))) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(plan->threads);
    *out = plan;
    return status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const int64_t parts = plan->parts, groups = heads_groups(p), pairs = (groups + 1) / 2;
    int finite = 1;
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(& : finite)
    for (int64_t i = 0; i < p->B * parts; i++) {
        const int64_t from = 2 * (pairs * (i % parts) / parts), to = 2 * (pairs * (i % parts + 1) / parts);
        finite &= heads_scan(p, inputs, i / parts, from, to < groups ? to : groups, outputs->y, outputs->final,
                             plan->scratch + omp_get_thread_num() * plan->each);
    }
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(& : finite)
    for (int64_t i = 0; i < (parts > 1 ? p->B * p->T : 0); i++)
        finite &= heads_finish(p, inputs, i, 1, outputs->y);
    if (trace != NULL)
        trace_exact(p, trace);
    return finite ? status_ok() : finite_status(p, outputs->y);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    struct status given = backward_check(&plan->problem, plan->gradient, inputs, outputs, grad_outputs, gradients);
    return given.code == STATUS_OK ? heads_gradient_run(&plan->of_map, inputs, grad_outputs, gradients) : given;
}

const struct implementation VARIANT(selective_heads_diagonal_scan) = {
    .name = "diagonal_scan",
    .summary = "scan with one decay a head (Mamba-2), states in registers",
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_SELECTIVE_HEADS,
    .mixers = MIXERS_NONE,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
