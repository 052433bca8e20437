/* chunked_scan: the recurrence of the cell selective_heads, Mamba-2, chunk by chunk as products of matrices (chunk.h), which
 * OpenBLAS carries out; and its exact gradient likewise (gradient.h). Threads share the sequences, and where there are few the
 * heads, in groups that do not depend on how many threads there are. Option chunk=N: tokens of a chunk. */
#include "impls/contract/support.h"
#include "impls/math/finite.h"
#include "impls/selective_heads/gradient.h"

#include <omp.h>
#include <stdlib.h>

enum { CHUNK = 16, CHUNK_MOST = 1024 };

struct plan {
    struct problem problem;
    int threads;
    bool gradient; /* settings ask for one */
    int64_t chunk;
    int64_t each; /* reals of a thread: a state, and what a chunk takes */
    real *scratch;
    struct heads_gradient of_map;
};

extern const struct implementation VARIANT(chunked_scan); /* at the end of this file */

static int64_t chunk_of(const struct problem *p, const struct settings *settings)
{
    const int64_t chunk = option_count(settings, "chunk", CHUNK);
    return chunk < p->T ? chunk : p->T;
}

/* Of the gradient, which keeps the state before each. */
static int64_t gradient_chunk(const struct problem *p, const struct settings *settings)
{
    const int64_t chunk = option_count(settings, "chunk", HEADS_GRADIENT_CHUNK);
    return chunk < p->T ? chunk : p->T;
}

static int64_t thread_reals(const struct problem *p, int64_t chunk)
{
    return (p->d * p->N + heads_chunk_reals(p, chunk) + 31) / 16 * 16;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(chunked_scan)))
        return;
    const int64_t asked = option_count(settings, "chunk", CHUNK), chunk = chunk_of(p, settings);
    if (asked < 1 || chunk > CHUNK_MOST) {
        support_no(support, "chunk must be between 1 and %d", CHUNK_MOST);
        return;
    }
    double reals = (double)thread_reals(p, chunk) * environment->threads;
    if (settings->gradient != GRADIENT_NONE)
        reals += heads_gradient_reals(p, gradient_chunk(p, settings), environment->threads);
    support_memory(support, p, settings, environment, reals * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    const double tokens = (double)p->B * (double)p->T, d = (double)p->d, N = (double)p->N, heads = (double)p->heads;
    const double C = (double)chunk_of(p, settings), groups = (double)heads_groups_of(p);
    (void)environment, (void)l;
    /* C B^T of each group, with M and U of each head, the two products with states, what is scaled by e and f, decays */
    *work = (struct work){.bytes = problem_bytes(p),
                          .operations = tokens * (2 * C * (N * groups + d + heads) + 4 * N * d + d * (N / C + 3) + heads),
                          .exponentials = tokens * heads,
                          .library = true};
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
    struct status status = plan_begin(&VARIANT(chunked_scan), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->threads = environment->threads;
    plan->gradient = settings->gradient != GRADIENT_NONE;
    plan->chunk = chunk_of(p, settings);
    plan->each = thread_reals(p, plan->chunk);
    plan->scratch = memory_allocate(plan->each * plan->threads, sizeof(real));
    if (plan->scratch == NULL ||
        (plan->gradient && !heads_gradient_open(p, gradient_chunk(p, settings), plan->threads, &plan->of_map))) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(plan->threads);
    *out = plan;
    return status_ok();
}

/* A group of heads of a sequence, in chunks of so many tokens. */
static bool run_group(const struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, int64_t most, int64_t b,
                      int64_t part, real *H)
{
    const struct problem *p = &plan->problem;
    struct heads_chunk chunk;
    bool finite = true;
    heads_chunk_open(p, part, most, H + (p->d * p->N + 15) / 16 * 16, &chunk);
    heads_state_load(p, &chunk.group, b, inputs->H0, H);
    for (int64_t begin = 0; begin < p->T; begin += most) {
        const int64_t n = p->T - begin < most ? p->T - begin : most, i = b * p->T + begin;
        heads_chunk_begin(&chunk, inputs, i, n, true);
        heads_chunk_run(&chunk, outputs->y, H);
        if (heads_groups_of(p) == 1)
            finite = heads_finish(p, inputs, i, n, outputs->y) && finite;
    }
    if (outputs->final != NULL)
        heads_state_store(p, &chunk.group, b, H, outputs->final);
    return finite;
}

static bool run_all(const struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, int64_t most)
{
    const struct problem *p = &plan->problem;
    const int64_t groups = heads_groups_of(p);
    int finite = 1;
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(& : finite)
    for (int64_t k = 0; k < p->B * groups; k++)
        finite &= run_group(plan, inputs, outputs, most, k / groups, k % groups, plan->scratch + omp_get_thread_num() * plan->each);
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(& : finite)
    for (int64_t i = 0; i < (groups > 1 ? p->B * p->T : 0); i++)
        finite &= heads_finish(p, inputs, i, 1, outputs->y);
    return finite;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    if (trace != NULL)
        trace_exact(p, trace);
    /* what is not finite spreads over the whole chunk, as zeros of M do not keep it away: token by token shows where it came
     * from */
    if (run_all(plan, inputs, outputs, plan->chunk) || run_all(plan, inputs, outputs, 1))
        return status_ok();
    return finite_status(p, outputs->y);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    struct status given = backward_check(&plan->problem, plan->gradient, inputs, outputs, grad_outputs, gradients);
    return given.code == STATUS_OK ? heads_gradient_run(&plan->of_map, inputs, grad_outputs, gradients) : given;
}

const struct implementation VARIANT(chunked_scan) = {
    .name = "chunked_scan",
    .summary = "chunks of a scan with one decay a head (Mamba-2) as products of matrices",
    .options = "chunk=",
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
