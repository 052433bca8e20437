/* fixed_point: the paper's iteration, as it is written there. One application of f mixes the channels of every token, then scans:
 *
 *     w_t = v_t + (I - Q_t) (h^{l-1}_t - v_t)                              [= Q_t v_t + (I - Q_t) h^{l-1}_t]
 *     h^l_t = Lambda_t h^l_{t-1} + G_t w_t        (plain: without G_t)
 *
 * Each of the two is a pass over all tokens, parallel over tokens and then as scan.h divides it. A state-dependent mixer reads the
 * shifted previous iterate h^{l-1}_{t-1} and is activated anew in every iteration. This is the readable baseline: it favours no
 * cache and fuses nothing.
 *
 * With a tolerance: l* of a sequence is the first l whose residual max_t max|f(h)-h| / max|f(h)| is below it; all sequences iterate
 * until ceil(quantile B) are below it at the same l. Damping: h <- delta f(h) + (1 - delta) h, delta per sequence, multiplied by
 * damping_factor when the residual has not improved for `patience` iterations; the best residual then starts anew. */
#include "impls/blas.h"
#include "impls/finite.h"
#include "impls/mixer.h"
#include "impls/scan.h"
#include "impls/support.h"
#include "impls/vector.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 }; /* tokens whose state-dependent parameters come from one matrix product */

struct damping {
    double delta, best;
    int64_t waited; /* iterations since the best residual */
};

struct plan {
    struct problem problem;
    struct settings settings;
    struct scan scan;
    bool residuals;          /* settings that need them even when no trace asks */
    int64_t scratch;         /* reals a thread */
    real *memory;            /* scratch of all threads */
    real *q;                 /* (B,T,mixer_size) activated parameters; NULL when state-dependent */
    real *other;             /* (B,T,d) w, then f(h) */
    real *token;             /* (B,T) residual of each token */
    double *row;             /* (B) residuals of one iteration, when no trace has room for them */
    struct damping *damping; /* (B) */
};

/* Of one thread: theta of a block (BLOCK,m), q of one token, h - v (d), (I - Q)(h - v) (d), then the mixer's. */
static int64_t scratch_size(const struct problem *p)
{
    int64_t block = p->feedback != FEEDBACK_NONE ? BLOCK * problem_m(p) + mixer_size(p) : 0;
    return block + 2 * p->d + mixer_scratch(p) + 64;
}

static bool needs_residuals(const struct settings *settings)
{
    return settings->tolerance > 0 || settings->patience > 0;
}

static bool is_damped(const struct settings *settings)
{
    return settings->damping < 1 || settings->patience > 0;
}

static int64_t kept_parameters(const struct problem *p)
{
    return p->feedback != FEEDBACK_NONE ? 0 : mixer_size(p);
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, settings, SCAN_OPTIONS))
        return;
    double tokens = (double)p->B * (double)p->T;
    support_memory(support, p, environment,
                   (tokens * (double)(kept_parameters(p) + p->d + 1) + (double)scratch_size(p) * environment->threads +
                    (double)scan_carry(p, environment->threads)) *
                       sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = (double)problem_m(p), kept = (double)kept_parameters(p);
    double n = (double)l;
    bool state_dependent = p->feedback != FEEDBACK_NONE, damped = is_damped(settings), residuals = needs_residuals(settings);
    struct work scan;
    scan_count(p, environment->threads, scan_split(p, environment->threads, settings_option(settings, "split")), &scan);

    /* once: activate what is kept, clear h, and copy it home when the last iterate lies in the other buffer */
    double bytes = tokens * ((kept > 0 ? m + kept : 0) + d + (!damped && l % 2 == 1 ? 2 * d : 0));
    double operations = tokens * (kept > 0 ? mixer_activate_operations(p) : 0);
    /* each iteration: mixing reads h, v, parameters and writes w; residuals and damping read both iterates, damping writes one */
    bytes += n * tokens * (3 * d + (state_dependent ? m : kept) + (residuals ? 2 * d : 0) + (damped ? 3 * d : 0));
    bytes += n * (state_dependent ? m * d : 0);
    operations += n * tokens * (mixer_apply_operations(p) + 2 * d + (residuals ? 4 * d : 0) + (damped ? 3 * d : 0));
    operations += n * tokens * (state_dependent ? 2 * m * d + 2 * m + mixer_activate_operations(p) : 0);
    work->bytes = bytes * sizeof(real) + n * scan.bytes;
    work->operations = operations + n * scan.operations;
    /* an iteration comes by v, lambda, both iterates and the parameters; theta that is kept activated is read but once a call */
    work->library = state_dependent;
    work->set = (tokens * (4 * d + (state_dependent ? m : kept)) + (state_dependent ? m * d : 0)) * sizeof(real);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        free(plan->memory);
        free(plan->q);
        free(plan->other);
        free(plan->token);
        free(plan->row);
        free(plan->damping);
        free(plan->scan.carry);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    *out = NULL;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->settings = *settings;
    plan->residuals = needs_residuals(settings);
    plan->scratch = scratch_size(p);
    int threads = environment->threads;
    plan->scan = (struct scan){.B = p->B, .T = p->T, .d = p->d, .gated = p->form == FORM_NORMALISED, .threads = threads};
    plan->scan.split = scan_split(p, threads, settings_option(settings, "split"));
    plan->scan.carry = memory_allocate(scan_carry(p, threads), sizeof(real));
    plan->memory = memory_allocate(plan->scratch * threads, sizeof(real));
    plan->q = memory_allocate(p->B * p->T * kept_parameters(p), sizeof(real));
    plan->other = memory_allocate(p->B * p->T * p->d, sizeof(real));
    plan->token = memory_allocate(p->B * p->T, sizeof(real));
    plan->row = memory_allocate(p->B, sizeof(double));
    plan->damping = memory_allocate(p->B, sizeof *plan->damping);
    if (!plan->scan.carry || !plan->memory || !plan->q || !plan->other || !plan->token || !plan->row || !plan->damping) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(threads);
    *out = plan;
    return status_ok();
}

/* w of one token from its activated parameters; difference and mixed are (d). */
static void mix_token(const struct problem *p, const real *q, const real *v, const real *h, real *w, real *difference,
                      real *scratch)
{
    int64_t d = p->d;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        difference[c] = h[c] - v[c];
    mixer_apply(p, q, difference, w, scratch);
    add_scaled(1, v, w, d);
}

static void mix(const struct plan *plan, const struct inputs *inputs, const real *h, real *w)
{
    const struct problem *p = &plan->problem;
    int64_t d = p->d, size = mixer_size(p), tokens = p->B * p->T;
#pragma omp parallel for num_threads(plan->scan.threads) schedule(static)
    for (int64_t i = 0; i < tokens; i++) {
        real *scratch = plan->memory + omp_get_thread_num() * plan->scratch;
        mix_token(p, plan->q + i * size, (const real *)inputs->v + i * d, h + i * d, w + i * d, scratch, scratch + d);
    }
}

/* The same with parameters theta_t + W k(h_{t-1}): the products of a block of tokens of one sequence are one matrix product. */
static void mix_state_dependent(const struct plan *plan, const struct inputs *inputs, const real *h, real *w)
{
    const struct problem *p = &plan->problem;
    int64_t T = p->T, d = p->d, m = problem_m(p), blocks = (T + BLOCK - 1) / BLOCK;
    const real *v = inputs->v, *theta = inputs->theta, *h0 = inputs->h0;
#pragma omp parallel for num_threads(plan->scan.threads) schedule(static)
    for (int64_t i = 0; i < p->B * blocks; i++) {
        real *raw = plan->memory + omp_get_thread_num() * plan->scratch, *q = raw + BLOCK * m, *scratch = q + mixer_size(p);
        int64_t b = i / blocks, from = i % blocks * BLOCK, to = from + BLOCK < T ? from + BLOCK : T;
        int64_t first = from > 0 ? from : 1; /* the token before the first one is the initial state */
        fill(raw, 0, m);
        if (from == 0 && h0 != NULL)
            blas_gemv(CblasRowMajor, CblasNoTrans, (int)m, (int)d, 1, inputs->W, (int)d, h0 + b * d, 1, 0, raw, 1);
        if (first < to)
            blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(to - first), (int)m, (int)d, 1, h + (b * T + first - 1) * d,
                      (int)d, inputs->W, (int)d, 0, raw + (first - from) * m, (int)m);
        for (int64_t t = from; t < to; t++) {
            const real *before = t > 0 ? h + (b * T + t - 1) * d : h0 != NULL ? h0 + b * d : NULL;
            real scale = before != NULL ? feedback_scale(p, before) : 1, *row = raw + (t - from) * m;
            int64_t token = b * T + t;
#pragma omp simd
            for (int64_t k = 0; k < m; k++)
                row[k] = theta[token * m + k] + scale * row[k];
            mixer_activate(p, row, q, scratch);
            mix_token(p, q, v + token * d, h + token * d, w + token * d, scratch, scratch + d);
        }
    }
}

static void activate(const struct plan *plan, const struct inputs *inputs)
{
    const struct problem *p = &plan->problem;
    int64_t m = problem_m(p), size = kept_parameters(p), tokens = size > 0 ? p->B * p->T : 0;
#pragma omp parallel for num_threads(plan->scan.threads) schedule(static)
    for (int64_t i = 0; i < tokens; i++)
        mixer_activate(p, (const real *)inputs->theta + i * m, plan->q + i * size,
                       plan->memory + omp_get_thread_num() * plan->scratch);
}

/* residual (B) of h against next = f(h) */
static void measure_residuals(const struct plan *plan, const real *h, const real *next, double *residual)
{
    const struct problem *p = &plan->problem;
    int64_t d = p->d, T = p->T;
#pragma omp parallel for num_threads(plan->scan.threads) schedule(static)
    for (int64_t i = 0; i < p->B * T; i++) {
        const real *a = h + i * d, *b = next + i * d;
        real change = 0, size = max_abs(b, d);
#pragma omp simd reduction(max : change)
        for (int64_t c = 0; c < d; c++) {
            real x = real_abs(b[c] - a[c]);
            change = x > change ? x : change;
        }
        plan->token[i] = change == 0 ? 0 : change / size; /* 0/0 = 0 */
    }
    for (int64_t b = 0; b < p->B; b++)
        residual[b] = max_abs(plan->token + b * T, T);
}

/* h <- delta f(h) + (1 - delta) h, and the patience of each sequence. */
static void damp(const struct plan *plan, const double *residual, real *h, const real *next)
{
    const struct problem *p = &plan->problem;
    int64_t size = p->T * p->d;
    for (int64_t b = 0; b < p->B; b++) {
        struct damping *damping = &plan->damping[b];
        real delta = (real)damping->delta, *to = h + b * size;
        const real *from = next + b * size;
#pragma omp parallel for simd num_threads(plan->scan.threads) schedule(static)
        for (int64_t i = 0; i < size; i++)
            to[i] = delta * from[i] + (1 - delta) * to[i];
        if (plan->settings.patience == 0)
            continue;
        if (residual[b] < damping->best) {
            damping->best = residual[b];
            damping->waited = 0;
        } else if (++damping->waited >= plan->settings.patience) {
            *damping = (struct damping){.delta = damping->delta * plan->settings.damping_factor, .best = INFINITY};
        }
    }
}

/* Copies the iterates that the caller asked for. */
static void keep(const struct problem *p, struct trace *trace, int64_t l, const real *h)
{
    if (trace == NULL || trace->n_kept == trace->n_keep || trace->keep[trace->n_kept] != l)
        return;
    int64_t size = p->T * p->d;
    for (int64_t i = 0; i < trace->n_sequences; i++)
        memcpy((real *)trace->iterates + (trace->n_kept * trace->n_sequences + i) * size, h + trace->sequences[i] * size,
               (size_t)size * sizeof(real));
    trace->n_kept++;
}

/* ceil(quantile B), where 0.55 * 100 is 55 although the product is a little more. */
static int64_t converged_wanted(double quantile, int64_t B)
{
    return (int64_t)ceil(quantile * (double)B * (1 - 4 * DBL_EPSILON));
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    const struct settings *settings = &plan->settings;
    int64_t B = p->B, size = B * p->T * p->d, l = 0;
    int64_t wanted = settings->tolerance > 0 ? converged_wanted(settings->quantile, B) : B + 1, converged = 0;
    bool residuals = plan->residuals || (trace != NULL && trace->residual != NULL);
    bool damped = is_damped(settings);
    double *residual = trace != NULL && trace->residual != NULL ? trace->residual : plan->row;
    real *h = outputs->h, *next = plan->other;

    for (int64_t b = 0; b < B; b++) {
        plan->damping[b] = (struct damping){.delta = settings->damping, .best = INFINITY};
        if (trace != NULL && trace->l != NULL)
            trace->l[b] = 0;
    }
    if (trace != NULL)
        trace->n_kept = 0;
    activate(plan, inputs);
    memset(h, 0, (size_t)size * sizeof(real));

    struct status status = status_ok();
    while (l < settings->l_max && converged < wanted && status.code == STATUS_OK) {
        l++;
        (p->feedback == FEEDBACK_NONE ? mix : mix_state_dependent)(plan, inputs, h, next);
        scan_run(&plan->scan, inputs->lambda, next, inputs->h0, next);
        status = finite_status(p, next);
        for (int64_t b = 0; residuals && b < B; b++)
            residual[b] = INFINITY; /* of an iterate that is not finite */
        if (residuals && status.code == STATUS_OK) {
            measure_residuals(plan, h, next, residual);
            converged = 0;
            for (int64_t b = 0; b < B; b++) {
                bool below = residual[b] < settings->tolerance;
                converged += below;
                if (below && trace != NULL && trace->l != NULL && trace->l[b] == 0)
                    trace->l[b] = l;
            }
        }
        if (damped) {
            damp(plan, residual, h, next);
        } else {
            real *swap = h;
            h = next;
            next = swap;
        }
        keep(p, trace, l, h);
        if (trace != NULL && trace->residual != NULL)
            residual += B;
    }
    if (h != outputs->h)
        memcpy(outputs->h, h, (size_t)size * sizeof(real));
    if (trace != NULL) {
        trace->l_run = l;
        trace->applications = (double)l;
    }
    struct status last = outputs_finish(p, outputs);
    if (status.code == STATUS_OK)
        status = last;
    if (status.code == STATUS_OK && settings->tolerance > 0 && converged < wanted)
        return status_at(STATUS_NOT_CONVERGED, -1, -1, "%lld of %lld sequences below the tolerance after %lld iterations",
                         (long long)converged, (long long)B, (long long)l);
    return status;
}

const struct implementation VARIANT(fixed_point) = {
    .name = "fixed_point",
    .summary = "the paper's iteration: l times channel mixing, then a parallel scan over time",
    .options = SCAN_OPTIONS,
    .device = DEVICE_CPU,
    .exact = false,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .destroy = destroy,
};
