/* See iteration.h. */
#include "impls/math/iteration.h"

#include "impls/contract/support.h"
#include "impls/math/finite.h"
#include "impls/math/map.h"
#include "impls/math/mixer.h"
#include "impls/math/residual.h"
#include "impls/math/vector.h"

#include <stdlib.h>
#include <string.h>

static bool needs_residuals(const struct settings *settings)
{
    return settings->tolerance > 0 || settings->patience > 0;
}

static bool is_damped(const struct settings *settings)
{
    return settings->damping < 1 || settings->patience > 0;
}

double iteration_reals(const struct problem *p)
{
    const double of_sequence = sizeof(double) + sizeof(struct damping); /* bytes: what decides when it stops */
    return (double)p->B * ((double)p->T * (double)(p->d + 1) + of_sequence / sizeof(real));
}

void iteration_judge_count(const struct problem *p, const struct settings *settings, int64_t l, double *reals, double *operations)
{
    double elements = (double)p->B * (double)p->T * (double)p->d, n = (double)l;
    bool damped = is_damped(settings), residuals = needs_residuals(settings);
    /* clear h, and copy it home when the last iterate lies in the other buffer; residuals and damping read both iterates, damping
     * writes one */
    *reals = elements * (1 + (!damped && l % 2 == 1 ? 2 : 0) + n * ((residuals ? 2 : 0) + (damped ? 3 : 0)));
    *operations = elements * n * ((residuals ? 4 : 0) + (damped ? 3 : 0));
}

void iteration_count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                     struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = (double)problem_m(p), n = (double)l;
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    double kept = state_dependent ? 0 : (double)mixer_size(p);
    double bytes, operations; /* the first in reals until the end */
    struct work scan;
    scan_count(p, environment->threads, scan_split(p, environment->threads, settings_option(settings, "split")), &scan);

    iteration_judge_count(p, settings, l, &bytes, &operations);
    /* once: activate what is kept */
    bytes += tokens * (kept > 0 ? m + kept : 0);
    operations += tokens * (kept > 0 ? mixer_activate_operations(p) : 0);
    /* each iteration: mixing reads h, v, parameters and writes w */
    bytes += n * tokens * (3 * d + (state_dependent ? m : kept));
    bytes += (n - 1) * (state_dependent ? m * d : 0); /* h^0 = 0 needs no product with W, but for an initial state */
    operations += n * tokens * (mixer_apply_operations(p) + 2 * d);
    operations += n * tokens * (state_dependent ? 2 * m + mixer_activate_operations(p) : 0);
    operations += (n - 1) * tokens * (state_dependent ? 2 * m * d : 0);
    work->bytes = bytes * sizeof(real) + n * scan.bytes;
    work->operations = operations + n * scan.operations;
    /* an iteration comes by v, lambda, both iterates and the parameters; theta that is kept activated is read but once a call */
    work->library = state_dependent;
    work->set = (tokens * (4 * d + (state_dependent ? m : kept)) + (state_dependent ? m * d : 0)) * sizeof(real);
}

bool iteration_open(const struct problem *p, const struct settings *settings, struct iteration *it)
{
    *it = (struct iteration){.settings = *settings, .residuals = needs_residuals(settings)};
    it->other = memory_allocate(p->B * p->T * p->d, sizeof(real));
    it->token = memory_allocate(p->B * p->T, sizeof(real));
    it->row = memory_allocate(p->B, sizeof(double));
    it->damping = memory_allocate(p->B, sizeof *it->damping);
    if (it->other != NULL && it->token != NULL && it->row != NULL && it->damping != NULL)
        return true;
    iteration_close(it);
    return false;
}

void iteration_close(struct iteration *it)
{
    free(it->other);
    free(it->token);
    free(it->row);
    free(it->damping);
    *it = (struct iteration){0};
}

void iteration_begin(struct iteration *it, const struct mapping *mapping, real *h)
{
    const struct problem *p = mapping->problem;
    for (int64_t b = 0; b < p->B; b++)
        it->damping[b] = (struct damping){.delta = it->settings.damping, .best = INFINITY};
    it->h = h;
    it->next = it->other;
    it->l = it->converged = 0;
    fill(h, 0, p->B * p->T * p->d);
}

static void swap(struct iteration *it)
{
    real *h = it->h;
    it->h = it->next;
    it->next = h;
}

/* h <- delta f(h) + (1 - delta) h, and the patience of each sequence. */
static void damp(struct iteration *it, const struct mapping *mapping, const double *residual)
{
    const struct problem *p = mapping->problem;
    int64_t size = p->T * p->d;
    for (int64_t b = 0; b < p->B; b++) {
        struct damping *damping = &it->damping[b];
        real delta = (real)damping->delta, *to = it->h + b * size;
        const real *from = it->next + b * size;
#pragma omp parallel for simd num_threads(mapping->threads) schedule(static)
        for (int64_t i = 0; i < size; i++)
            to[i] = delta * from[i] + (1 - delta) * to[i];
        if (it->settings.patience == 0)
            continue;
        if (residual[b] < damping->best) {
            damping->best = residual[b];
            damping->waited = 0;
        } else if (++damping->waited >= it->settings.patience) {
            *damping = (struct damping){.delta = damping->delta * it->settings.damping_factor, .best = INFINITY};
        }
    }
}

struct status iteration_step(struct iteration *it, const struct mapping *mapping, const struct inputs *inputs, double tolerance,
                             double *residual, int64_t *l_star)
{
    const struct problem *p = mapping->problem;
    bool residuals = it->residuals || residual != NULL;
    if (residual == NULL)
        residual = it->row;
    it->l++;
    struct status status = mapping->apply(mapping->map, inputs, it->h, it->l == 1, it->next);
    for (int64_t b = 0; residuals && b < p->B; b++)
        residual[b] = INFINITY; /* of an iterate that is not finite */
    if (residuals && status.code == STATUS_OK) {
        residual_measure(p, mapping->threads, it->h, it->next, it->token, residual);
        it->converged = residual_count(p, tolerance, residual, it->l, l_star);
    }
    if (is_damped(&it->settings)) {
        damp(it, mapping, residual);
    } else {
        swap(it);
    }
    return status;
}

struct status iteration_run(struct iteration *it, const struct mapping *mapping, const struct inputs *inputs,
                            const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = mapping->problem;
    const struct settings *settings = &it->settings;
    int64_t wanted = residual_wanted(p, settings);
    double *residual = trace != NULL ? trace->residual : NULL;
    trace_begin(p, trace);
    iteration_begin(it, mapping, outputs->h);
    struct status status = status_ok();
    while (it->l < settings->l_max && it->converged < wanted && status.code == STATUS_OK) {
        status = iteration_step(it, mapping, inputs, settings->tolerance, residual, trace != NULL ? trace->l : NULL);
        trace_keep(p, trace, it->l, it->h);
        if (residual != NULL)
            residual += p->B;
    }
    if (settings->further > 0 && outputs->start != NULL)
        memcpy(outputs->start, it->h, (size_t)(p->B * p->T * p->d) * sizeof(real));
    for (int64_t i = 0; i < settings->further && status.code == STATUS_OK; i++) {
        status = mapping->apply(mapping->map, inputs, it->h, false, it->next);
        swap(it);
    }
    if (it->h != outputs->h)
        memcpy(outputs->h, it->h, (size_t)(p->B * p->T * p->d) * sizeof(real));
    status = iterates_finish(p, settings, outputs, trace, status, it->l, it->converged);
    if (trace != NULL)
        trace->applications += (double)settings->further;
    return status;
}
