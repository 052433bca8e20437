/* delta_sequential: DeltaNet, Gated DeltaNet and DeltaProduct, one token after the other (head.h), and its exact gradient
 * (gradient.h). Each token changes the state of a head by r rank-1 steps, which are carried out as such: O(r N d) a token. Threads
 * share the heads of all sequences. */
#include "impls/contract/support.h"
#include "impls/delta/gradient.h"
#include "impls/delta/head.h"
#include "impls/math/finite.h"

#include <omp.h>
#include <stdlib.h>

struct plan {
    struct problem problem;
    int threads;
    bool gradient; /* settings ask for one */
    int64_t each;  /* reals of a thread */
    real *scratch; /* states, and what a walk takes beside them; or what the way back takes */
};

extern const struct implementation VARIANT(delta_sequential); /* at the end of this file */

static int64_t state_size(const struct problem *p)
{
    return p->N * delta_width(p);
}

static int64_t thread_reals(const struct problem *p, const struct settings *settings)
{
    int64_t forward = (state_size(p) + delta_scratch(p) + 15) / 16 * 16;
    int64_t backward = settings->gradient != GRADIENT_NONE ? delta_gradient_scratch(p) : 0;
    return forward > backward ? forward : backward;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(delta_sequential)))
        return;
    double reals = (double)thread_reals(p, settings) * environment->threads;
    support_memory(support, p, settings, environment, reals * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, N = (double)p->N, r = (double)p->r, heads = (double)p->heads;
    const bool forgets = p->forget != FORGET_NONE;
    (void)settings, (void)environment, (void)l;
    *work = (struct work){.bytes = problem_bytes(p)};
    /* each step reads and changes the state, the output reads it; errors and drives of the channels */
    work->operations = tokens * (d * N * (4 * r + 2) + d * (3 * r + 1));
    if (forgets)
        work->operations += tokens * (d * (N + 1) + heads);
    work->set = work->bytes; /* everything once */
}

static void destroy(struct plan *plan)
{
    if (plan != NULL)
        free(plan->scratch);
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(delta_sequential), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->threads = environment->threads;
    plan->gradient = settings->gradient != GRADIENT_NONE;
    plan->each = thread_reals(p, settings);
    plan->scratch = memory_allocate(plan->each * plan->threads, sizeof(real));
    if (plan->scratch == NULL) {
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
    const int64_t heads = p->heads, sequence = p->d * p->N;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < p->B * heads; i++) {
        const int64_t b = i / heads, h = i % heads;
        const struct delta_head head = delta_head(p, inputs, b, h);
        real *S = plan->scratch + omp_get_thread_num() * plan->each;
        delta_load(p, h, inputs->H0 != NULL ? (const real *)inputs->H0 + b * sequence : NULL, S);
        delta_walk(&head, 0, p->T, S, outputs->y, NULL, S + state_size(p));
        if (outputs->final != NULL)
            delta_store(p, h, S, (real *)outputs->final + b * sequence);
    }
    return exact_finish(p, outputs, trace, p->B * p->T);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct problem *p = &plan->problem;
    struct status given = backward_check(p, plan->gradient, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    int64_t first = p->B * p->T;
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(min : first)
    for (int64_t i = 0; i < p->B * p->heads; i++) {
        const int64_t failed = delta_gradient_run(p, inputs, grad_outputs->y, grad_outputs->final, i / p->heads, i % p->heads,
                                                  gradients, plan->scratch + omp_get_thread_num() * plan->each);
        first = failed < first ? failed : first;
    }
    return first < p->B * p->T ? status_at(STATUS_DIVERGED, first / p->T, first % p->T, "the adjoint is not finite") : status_ok();
}

const struct implementation VARIANT(delta_sequential) = {
    .name = "delta_sequential",
    .summary = "delta rule (DeltaNet, Gated DeltaNet, DeltaProduct), a token's rank-1 steps one after the other",
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_DELTA,
    .mixers = MIXERS_NONE,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
