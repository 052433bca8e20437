/* delta_chunked: the cell delta, chunks of chunk=N tokens in matrix products (chunk.h), and its exact gradient (chunk_gradient.h).
 * What goes through the state is the sequential form's, in products instead of updates; the pairs of a chunk's steps come on top,
 * so chunks are short (docs/explanation/cells.md says what they cost). Threads share the heads of all sequences. */
#include "impls/contract/support.h"
#include "impls/delta/chunk.h"
#include "impls/delta/chunk_gradient.h"
#include "impls/math/finite.h"

#include <omp.h>
#include <stdlib.h>

struct plan {
    struct problem problem;
    int threads;
    bool gradient;  /* settings ask for one */
    int64_t tokens; /* of a chunk */
    int64_t each;   /* reals of a thread */
    real *scratch;  /* a state and a chunk; or what the way back takes */
};

enum { STEPS = 16 }; /* of a chunk, about: more of them have more pairs than they save */

extern const struct implementation VARIANT(delta_chunked); /* at the end of this file */

/* 0: supports() says no. */
static int64_t chunk_of(const struct problem *p, const struct settings *settings)
{
    const int64_t tokens = option_count(settings, "chunk", p->r < STEPS ? STEPS / p->r : 1);
    return tokens < p->T ? tokens : p->T;
}

static int64_t state_size(const struct problem *p)
{
    return (p->N * delta_width(p) + 15) / 16 * 16;
}

static int64_t thread_reals(const struct problem *p, const struct settings *settings)
{
    const int64_t tokens = chunk_of(p, settings), forward = state_size(p) + delta_chunk_size(p, tokens);
    const int64_t backward = settings->gradient != GRADIENT_NONE ? delta_chunk_gradient_size(p, tokens) : 0;
    return forward > backward ? forward : backward;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(delta_chunked)))
        return;
    if (chunk_of(p, settings) == 0) {
        support_no(support, "chunk=%s: must be a whole number from 1 on", settings_option(settings, "chunk"));
        return;
    }
    double reals = (double)thread_reals(p, settings) * environment->threads;
    support_memory(support, p, settings, environment, reals * sizeof(real));
}

/* Of a chunk of so many tokens of one head. */
static double chunk_operations(const struct problem *p, double tokens)
{
    const double N = (double)p->N, channels = (double)p->d / (double)p->heads, steps = tokens * (double)p->r, rows = steps + tokens;
    double operations = 2 * rows * steps * N             /* k . k and q . k */
                        + 2 * rows * N * channels        /* K S and Q S */
                        + (steps + 1) * steps * channels /* errors: a triangle, and beta */
                        + 2 * steps * channels           /* ... v - D K S */
                        + 2 * tokens * steps * channels  /* P X */
                        + 2 * steps * N * channels       /* K^T X */
                        + tokens * (N + channels);       /* queries and D */
    if (p->forget != FORGET_NONE)
        operations += N * channels + steps * channels + rows * steps + tokens;
    return operations;
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    const int64_t tokens = chunk_of(p, settings), rest = p->T % tokens;
    const double whole = (double)(p->T / tokens) * chunk_operations(p, (double)tokens);
    (void)environment, (void)l;
    *work = (struct work){.bytes = problem_bytes(p), .library = true};
    work->operations = (double)(p->B * p->heads) * (whole + (rest > 0 ? chunk_operations(p, (double)rest) : 0));
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
    struct status status = plan_begin(&VARIANT(delta_chunked), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->threads = environment->threads;
    plan->gradient = settings->gradient != GRADIENT_NONE;
    plan->tokens = chunk_of(p, settings);
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

static void head_forward(const struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, int64_t b, int64_t h,
                         real *scratch)
{
    const struct problem *p = &plan->problem;
    const struct delta_head head = delta_head(p, inputs, b, h);
    const int64_t matrix = p->d * p->N;
    struct delta_chunk chunk = delta_chunk(p, plan->tokens, scratch + state_size(p));
    real *S = scratch;
    delta_load(p, h, inputs->H0 != NULL ? (const real *)inputs->H0 + b * matrix : NULL, S);
    for (int64_t begin = 0; begin < p->T; begin += plan->tokens) {
        const int64_t left = p->T - begin;
        delta_chunk_run(&chunk, &head, begin, left < plan->tokens ? left : plan->tokens, S, outputs->y);
    }
    if (outputs->final != NULL)
        delta_store(p, h, S, (real *)outputs->final + b * matrix);
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < p->B * p->heads; i++)
        head_forward(plan, inputs, outputs, i / p->heads, i % p->heads, plan->scratch + omp_get_thread_num() * plan->each);
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
        const int64_t failed = delta_chunk_gradient(p, plan->tokens, inputs, grad_outputs->y, grad_outputs->final, i / p->heads,
                                                    i % p->heads, gradients, plan->scratch + omp_get_thread_num() * plan->each);
        first = failed < first ? failed : first;
    }
    return first < p->B * p->T ? status_at(STATUS_DIVERGED, first / p->T, first % p->T, "the adjoint is not finite") : status_ok();
}

const struct implementation VARIANT(delta_chunked) = {
    .name = "delta_chunked",
    .summary = "delta rule (DeltaNet, Gated DeltaNet, DeltaProduct), chunk=N tokens (16 / r) at once in matrix products",
    .options = "chunk=",
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
