/* fixed_point_chunked: block Gauss-Seidel in time. The iteration of fixed_point on chunk=N tokens, from zero, until it has converged
 * there or l is reached; then on the next N, whose initial state is the last state of the chunk before. chunk=T is fixed_point itself,
 * bit for bit; chunk=1 the sequential fixed point (docs/explanation/solvers.md): every token sees a converged state before it.
 *
 * An error of the state that a chunk leaves is carried on by those that follow, and where lambda is near 1 such errors add up. So each
 * of the T / N chunks is iterated to a residual of tolerance N / T. What the chunks save is traffic: one that stays in a cache is iterated
 * there. The l-th iterate is that of every chunk, which began where the chunk before had ended: with N < T it is not the map's.
 *
 * The limit is fixed_point's, and so are the gradients, of all T tokens at once (iterated_gradient.h). */
#include "impls/contract/support.h"
#include "impls/math/finite.h"
#include "impls/math/iterated_gradient.h"
#include "impls/math/iteration.h"
#include "impls/math/residual.h"
#include "impls/math/vector.h"

#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    struct settings settings;
    int64_t N;                  /* tokens of a chunk; the last may be shorter */
    struct map map, whole;      /* of a chunk; of all tokens, for the gradient */
    struct iteration iteration; /* of a chunk */
    real *v, *lambda, *theta;   /* (B,N,d), (B,N,d), (B,N,m) of a chunk whose sequences lie apart */
    real *h, *h0;               /* (B,N,d), (B,d) */
    double *residual;           /* (B) */
    int64_t *l_star;            /* (B) */
    struct iterated_gradient gradient;
};

enum { CHUNK = 64 };

/* The problem of one chunk. T = 0: the option is not a number of tokens of this problem. */
static struct problem chunk_problem(const struct problem *p, const struct settings *settings)
{
    struct problem chunk = *p;
    int64_t N = option_count(settings, "chunk", p->T < CHUNK ? p->T : CHUNK);
    chunk.T = N <= p->T ? N : 0;
    return chunk;
}

/* Whether the sequences of a chunk lie apart and are copied together: they are one stretch of memory when there is only one, or when
 * the chunk is all there is. */
static bool is_copied(const struct problem *p, int64_t n)
{
    return p->B > 1 && n < p->T;
}

static double plan_reals(const struct problem *p, const struct settings *settings, int threads)
{
    struct problem chunk = chunk_problem(p, settings);
    double tokens = (double)p->B * (double)chunk.T, d = (double)p->d;
    double copies = is_copied(p, chunk.T) ? tokens * (2 * d + (double)problem_m(p)) : 0;
    double gradient = iterated_gradient_reals(p, settings, threads);
    return copies + tokens * d + (double)p->B * (d + 4) + iteration_reals(&chunk) + map_reals(&chunk, threads) +
           (settings->gradient != GRADIENT_NONE ? gradient + map_reals(p, threads) : 0);
}

extern const struct implementation VARIANT(fixed_point_chunked); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(fixed_point_chunked)))
        return;
    if (chunk_problem(p, settings).T == 0)
        support_no(support, "chunk=%s: must be between 1 and T = %lld", settings_option(settings, "chunk"), (long long)p->T);
    else
        support_memory(support, p, settings, environment, plan_reals(p, settings, environment->threads) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    struct problem chunk = chunk_problem(p, settings);
    double chunks = (double)p->T / (double)chunk.T, tokens = (double)p->B * (double)p->T, d = (double)p->d;
    iteration_count(&chunk, settings, environment, l, work);
    work->bytes *= chunks;
    work->operations *= chunks;
    if (is_copied(p, chunk.T)) /* v, lambda and theta in, and both ways */
        work->bytes += 2 * tokens * (2 * d + (double)problem_m(p)) * sizeof(real);
    if (chunk.T < p->T)
        work->bytes += 2 * tokens * d * sizeof(real); /* h out */
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        iterated_gradient_close(&plan->gradient);
        iteration_close(&plan->iteration);
        map_close(&plan->map);
        map_close(&plan->whole);
        free(plan->v);
        free(plan->lambda);
        free(plan->theta);
        free(plan->h);
        free(plan->h0);
        free(plan->residual);
        free(plan->l_star);
    }
    free(plan);
}

static bool allocate(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    int64_t n = p->B * plan->N, copied = is_copied(p, plan->N) ? n : 0;
    plan->v = memory_allocate(copied * p->d, sizeof(real));
    plan->lambda = memory_allocate(copied * p->d, sizeof(real));
    plan->theta = memory_allocate(copied * problem_m(p), sizeof(real));
    plan->h = memory_allocate(n * p->d, sizeof(real));
    plan->h0 = memory_allocate(p->B * p->d, sizeof(real));
    plan->residual = memory_allocate(p->B, sizeof(double));
    plan->l_star = memory_allocate(p->B, sizeof(int64_t));
    return plan->v != NULL && plan->lambda != NULL && plan->theta != NULL && plan->h != NULL && plan->h0 != NULL &&
           plan->residual != NULL && plan->l_star != NULL;
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(fixed_point_chunked), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    struct problem chunk = chunk_problem(p, settings);
    const char *split = settings_option(settings, "split");
    plan->problem = *p;
    plan->settings = *settings;
    plan->N = chunk.T;
    bool gradient = settings->gradient != GRADIENT_NONE;
    if (!map_open(&chunk, split, environment->threads, &plan->map) || !iteration_open(&chunk, settings, &plan->iteration) ||
        !allocate(plan) ||
        (gradient && (!map_open(p, split, environment->threads, &plan->whole) ||
                      !iterated_gradient_open(&plan->whole, settings, &plan->gradient)))) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

/* The rows from ... from + n - 1 of every sequence of a tensor (B,T,width), one after the other. */
static const real *rows(const struct problem *p, const real *tensor, int64_t width, int64_t from, int64_t n, real *copy)
{
    if (tensor == NULL || !is_copied(p, n))
        return tensor != NULL ? tensor + from * width : NULL; /* of a single sequence, or from 0 */
    for (int64_t b = 0; b < p->B; b++)
        memcpy(copy + b * n * width, tensor + (b * p->T + from) * width, (size_t)(n * width) * sizeof(real));
    return copy;
}

/* Where a chunk's h (B,n,d) goes among h (B,T,d) of the sequences listed (NULL: all, in order). */
static void put_rows(const struct problem *p, const real *chunk, int64_t from, int64_t n, const int64_t *sequences,
                     int64_t n_sequences, real *h)
{
    int64_t d = p->d;
    for (int64_t i = 0; i < n_sequences; i++)
        memcpy(h + (i * p->T + from) * d, chunk + (sequences != NULL ? sequences[i] : i) * n * d, (size_t)(n * d) * sizeof(real));
}

/* The chunk's part of the kept iterates from number *kept on that iteration l has reached; last: and of all that come later. */
static void keep(const struct problem *p, const struct trace *trace, const struct iteration *it, int64_t from, int64_t n, bool last,
                 int64_t *kept)
{
    for (; trace != NULL && *kept < trace->n_keep && (trace->keep[*kept] <= it->l || last); ++*kept)
        put_rows(p, it->h, from, n, trace->sequences, trace->n_sequences,
                 (real *)trace->iterates + *kept * trace->n_sequences * p->T * p->d);
}

/* What the chunks so far add up to. */
struct progress {
    int64_t l_run;        /* iterations of the chunk that took most */
    double applications;  /* of the map to a token, times tokens */
    int64_t behind;       /* chunks that did not converge */
    int64_t converged, l; /* of the first of them, sequences that did, and its iterations */
};

/* One chunk. Of the trace: residuals are the worst of the chunks that made that iteration, l* the most that a chunk took, or 0 when
 * one of them never was below its tolerance. */
static struct status run_chunk(struct plan *plan, const struct inputs *inputs, int64_t from, int64_t n, real *h,
                               struct trace *trace, struct progress *progress)
{
    const struct problem *p = &plan->problem;
    const struct settings *settings = &plan->settings;
    struct iteration *it = &plan->iteration;
    int64_t B = p->B, wanted = residual_wanted(p, settings), kept = 0;
    bool residuals = trace != NULL && trace->residual != NULL;
    double tolerance = settings->tolerance * (double)plan->N / (double)p->T;
    struct map map = plan->map; /* its memory, for so many tokens */
    map.problem.T = map.scan.T = n;
    const struct inputs chunk = {.v = rows(p, inputs->v, p->d, from, n, plan->v),
                                 .lambda = rows(p, inputs->lambda, p->d, from, n, plan->lambda),
                                 .theta = rows(p, inputs->theta, problem_m(p), from, n, plan->theta),
                                 .W = inputs->W,
                                 .h0 = from > 0 ? plan->h0 : inputs->h0};
    memset(plan->l_star, 0, (size_t)B * sizeof *plan->l_star);
    map_begin(&map, &chunk);
    const struct mapping mapping = map_mapping(&map);
    iteration_begin(it, &mapping, plan->h);
    struct status status = status_ok();
    while (it->l < settings->l_max && it->converged < wanted && status.code == STATUS_OK) {
        status = iteration_step(it, &mapping, &chunk, tolerance, residuals ? plan->residual : NULL, plan->l_star);
        keep(p, trace, it, from, n, false, &kept);
        for (int64_t b = 0; residuals && b < B; b++) {
            double *worst = &trace->residual[(it->l - 1) * B + b];
            *worst = it->l > progress->l_run || plan->residual[b] > *worst ? plan->residual[b] : *worst;
        }
        progress->l_run = it->l > progress->l_run ? it->l : progress->l_run;
    }
    keep(p, trace, it, from, n, true, &kept);
    for (int64_t b = 0; trace != NULL && trace->l != NULL && b < B; b++) {
        bool never = plan->l_star[b] == 0 || (from > 0 && trace->l[b] == 0);
        trace->l[b] = never ? 0 : plan->l_star[b] > trace->l[b] ? plan->l_star[b] : trace->l[b];
    }
    progress->applications += (double)it->l * (double)n;
    if (it->converged < wanted && progress->behind++ == 0) {
        progress->converged = it->converged;
        progress->l = it->l;
    }
    for (int64_t b = 0; b < B; b++)
        memcpy(plan->h0 + b * p->d, it->h + ((b + 1) * n - 1) * p->d, (size_t)p->d * sizeof(real));
    put_rows(p, it->h, from, n, NULL, B, h);
    if (status.code != STATUS_OK)
        status.t += from;
    return status;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    struct progress progress = {0};
    struct status status = status_ok();
    int64_t from = 0, N = plan->N, d = p->d;
    real *h = outputs->h;
    trace_begin(p, trace);
    for (; from < p->T && status.code == STATUS_OK; from += N)
        status = run_chunk(plan, inputs, from, from + N < p->T ? N : p->T - from, h, trace, &progress);
    for (int64_t b = 0; from < p->T && b < p->B; b++) /* after what is not finite nothing is */
        fill(h + (b * p->T + from) * d, (real)NAN, (p->T - from) * d);
    if (trace != NULL) {
        trace->l_run = progress.l_run;
        trace->applications = progress.applications / (double)p->T;
        while (trace->n_kept < trace->n_keep && trace->keep[trace->n_kept] <= progress.l_run)
            trace->n_kept++;
    }
    struct status last = outputs_finish(p, outputs);
    if (status.code == STATUS_OK)
        status = last;
    if (status.code == STATUS_OK && plan->settings.tolerance > 0 && progress.behind > 0)
        return status_at(STATUS_NOT_CONVERGED, -1, -1,
                         "%lld chunks did not converge; in the first %lld of %lld sequences below %.3g after %lld iterations",
                         (long long)progress.behind, (long long)progress.converged, (long long)p->B,
                         plan->settings.tolerance * (double)N / (double)p->T, (long long)progress.l);
    return status;
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return iterated_gradient_run(&plan->gradient, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(fixed_point_chunked) = {
    .name = "fixed_point_chunked",
    .summary = "the same on chunk=N tokens at a time (64), each converged before the next: N = 1 is sequential",
    .options = SCAN_OPTIONS " chunk=",
    .device = DEVICE_CPU,
    .solver = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
