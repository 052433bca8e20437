/* fixed_point: the paper's iteration, as it is written there: h^l = f(h^{l-1}), one application of the map (map.h) after the
 * other. This is the readable baseline: it favours no cache and fuses nothing.
 *
 * With a tolerance: l* of a sequence is the first l whose residual max_t max|f(h)-h| / max|f(h)| is below it; all sequences iterate
 * until ceil(quantile B) are below it at the same l. Damping: h <- delta f(h) + (1 - delta) h, delta per sequence, multiplied by
 * damping_factor when the residual has not improved for `patience` iterations; the best residual then starts anew.
 *
 * The gradient is the n-step one, or the exact one by iteration of the adjoint (iterated_gradient.h). */
#include "impls/finite.h"
#include "impls/iterated_gradient.h"
#include "impls/mixer.h"
#include "impls/residual.h"
#include "impls/support.h"

#include <stdlib.h>
#include <string.h>

struct damping {
    double delta, best;
    int64_t waited; /* iterations since the best residual */
};

struct plan {
    struct problem problem;
    struct settings settings;
    struct map map;
    bool residuals;          /* settings that need them even when no trace asks */
    real *other;             /* (B,T,d) w, then f(h) */
    real *token;             /* (B,T) residual of each token */
    double *row;             /* (B) residuals of one iteration, when no trace has room for them */
    struct damping *damping; /* (B) */
    struct iterated_gradient gradient;
};

enum { GRADIENTS = GRADIENTS_EXACT | GRADIENTS_STEPS };

static bool needs_residuals(const struct settings *settings)
{
    return settings->tolerance > 0 || settings->patience > 0;
}

static bool is_damped(const struct settings *settings)
{
    return settings->damping < 1 || settings->patience > 0;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, settings, SCAN_OPTIONS, GRADIENTS))
        return;
    support_memory(support, p, settings, environment,
                   ((double)p->B * (double)p->T * (double)(p->d + 1) + map_reals(p, environment->threads) +
                    iterated_gradient_reals(p, settings, environment->threads)) *
                       sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = (double)problem_m(p), n = (double)l;
    bool state_dependent = p->feedback != FEEDBACK_NONE, damped = is_damped(settings), residuals = needs_residuals(settings);
    double kept = state_dependent ? 0 : (double)mixer_size(p);
    struct work scan;
    scan_count(p, environment->threads, scan_split(p, environment->threads, settings_option(settings, "split")), &scan);

    /* once: activate what is kept, clear h, and copy it home when the last iterate lies in the other buffer */
    double bytes = tokens * ((kept > 0 ? m + kept : 0) + d + (!damped && l % 2 == 1 ? 2 * d : 0));
    double operations = tokens * (kept > 0 ? mixer_activate_operations(p) : 0);
    /* each iteration: mixing reads h, v, parameters and writes w; residuals and damping read both iterates, damping writes one */
    bytes += n * tokens * (3 * d + (state_dependent ? m : kept) + (residuals ? 2 * d : 0) + (damped ? 3 * d : 0));
    bytes += (n - 1) * (state_dependent ? m * d : 0); /* h^0 = 0 needs no product with W, but for an initial state */
    operations += n * tokens * (mixer_apply_operations(p) + 2 * d + (residuals ? 4 * d : 0) + (damped ? 3 * d : 0));
    operations += n * tokens * (state_dependent ? 2 * m + mixer_activate_operations(p) : 0);
    operations += (n - 1) * tokens * (state_dependent ? 2 * m * d : 0);
    work->bytes = bytes * sizeof(real) + n * scan.bytes;
    work->operations = operations + n * scan.operations;
    /* an iteration comes by v, lambda, both iterates and the parameters; theta that is kept activated is read but once a call */
    work->library = state_dependent;
    work->set = (tokens * (4 * d + (state_dependent ? m : kept)) + (state_dependent ? m * d : 0)) * sizeof(real);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        iterated_gradient_close(&plan->gradient);
        map_close(&plan->map);
        free(plan->other);
        free(plan->token);
        free(plan->row);
        free(plan->damping);
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
    plan->other = memory_allocate(p->B * p->T * p->d, sizeof(real));
    plan->token = memory_allocate(p->B * p->T, sizeof(real));
    plan->row = memory_allocate(p->B, sizeof(double));
    plan->damping = memory_allocate(p->B, sizeof *plan->damping);
    if (!map_open(p, settings_option(settings, "split"), environment->threads, &plan->map) ||
        !iterated_gradient_open(&plan->map, settings, &plan->gradient) || !plan->other || !plan->token || !plan->row ||
        !plan->damping) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
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
#pragma omp parallel for simd num_threads(plan->map.scan.threads) schedule(static)
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

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    const struct settings *settings = &plan->settings;
    int64_t B = p->B, size = B * p->T * p->d, l = 0;
    int64_t wanted = residual_wanted(p, settings), converged = 0;
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
    map_begin(&plan->map, inputs);
    memset(h, 0, (size_t)size * sizeof(real));

    struct status status = status_ok();
    while (l < settings->l_max && converged < wanted && status.code == STATUS_OK) {
        l++;
        map_apply(&plan->map, inputs, h, l == 1, next);
        status = finite_status(p, next);
        for (int64_t b = 0; residuals && b < B; b++)
            residual[b] = INFINITY; /* of an iterate that is not finite */
        if (residuals && status.code == STATUS_OK) {
            residual_measure(p, plan->map.scan.threads, h, next, plan->token, residual);
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
    .gradients = GRADIENTS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
