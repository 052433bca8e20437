/* structured_sequential, selective cell: the exact answer token by token (sequential.h), where the equation of a token of a low-rank mixer
 * is one of r numbers (rank.h): O(d N + r d + r^2 d + m d) a token, whatever the iteration takes. It is the paper's sequential mode: where
 * a token has several fixed points it lands on the one that the iteration of that token from y = 0 leads to, as dense_sequential does. */
#include "impls/contract/support.h"
#include "impls/selective/rank.h"
#include "impls/selective/sequential.h"
#include "impls/selective/sequential_gradient.h"

#include <stdlib.h>

struct plan {
    struct sequential sequential;
    struct sequential_gradient gradient; /* nothing, unless settings ask for one */
    int64_t reals, doubles;              /* a thread */
    real *scratch;
    double *numbers;
};

extern const struct implementation VARIANT(selective_structured_sequential); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(selective_structured_sequential)) ||
        !sequential_supports(settings, support))
        return;
    int threads = environment->threads;
    double reals = sequential_reals(p, threads) + (double)rank_scratch(p) * threads;
    if (settings->gradient != GRADIENT_NONE)
        reals += sequential_gradient_reals(p, 0, threads);
    support_memory(support, p, settings, environment, reals * sizeof(real) + (double)rank_numbers(p) * threads * sizeof(double));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r;
    (void)settings, (void)environment, (void)l;
    *work = (struct work){
        .bytes = sequential_bytes(p), .operations = sequential_operations(p), .exponentials = sequential_exponentials(p)};
    /* products of the r vectors; p, pc, Vc, w and y */
    double products = token_norm(p) ? 2 * r * (r + 1) * d + 3 * r * r * d + 9 * r * d + 14 * d : grams_operations(p) + 4 * r * d;
    work->operations += tokens * (products + 4 * r * d + 2 * d);
    work->set = work->bytes; /* everything once */
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        sequential_close(&plan->sequential);
        sequential_gradient_close(&plan->gradient);
        free(plan->scratch);
        free(plan->numbers);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(selective_structured_sequential), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->reals = (rank_scratch(p) + 15) / 16 * 16;
    plan->doubles = (rank_numbers(p) + 7) / 8 * 8;
    plan->scratch = memory_allocate(plan->reals * environment->threads, sizeof(real));
    plan->numbers = memory_allocate(plan->doubles * environment->threads, sizeof(double));
    if (plan->scratch == NULL || plan->numbers == NULL || !sequential_open(p, settings, environment->threads, &plan->sequential) ||
        (settings->gradient != GRADIENT_NONE && !sequential_gradient_open(p, 0, environment->threads, &plan->gradient))) {
        destroy(plan);
        return status_no_memory();
    }
    plan->gradient.at_most = plan->sequential.at_most;
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

static enum answer solve(struct plan *plan, int thread, const struct equation *equation, real *y, real *xt)
{
    return rank_solve(&plan->sequential.problem, equation, y, xt, plan->scratch + thread * plan->reals,
                      plan->numbers + thread * plan->doubles);
}

static enum answer adjoint(struct plan *plan, int thread, const struct equation *equation, const real *w, struct row_norm norm,
                           const real *pull, const real *ybar, real *lambda)
{
    return rank_adjoint(&plan->sequential.problem, equation, w, norm, pull, ybar, lambda, plan->scratch + thread * plan->reals,
                        plan->numbers + thread * plan->doubles);
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    return sequential_forward(&plan->sequential, plan, solve, inputs, outputs, trace);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return sequential_gradient_run(&plan->gradient, plan, adjoint, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(selective_structured_sequential) = {
    .name = "structured_sequential",
    .summary = "exact answer token by token, its equation in r numbers, O(d N + r d + r^2 d) each",
    .options = SEQUENTIAL_OPTIONS,
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_SELECTIVE,
    .mixers = MIXERS_LOW_RANK,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
