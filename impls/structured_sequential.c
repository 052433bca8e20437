/* structured_sequential: the exact dense RNN, one step at a time, in O(r d + r^2 d) a step for low-rank mixers.
 *
 *     normalised:  h_t = Lambda h_{t-1} + G (v + U b)
 *     plain:       h_t = Lambda h_{t-1} + v + U b         with b from low_rank.h
 *
 * Sequences are divided among the threads. In float64 this is the exact answer of the sweeps. The gradient is exact, too, and costs
 * as much a step (exact_gradient.h). */
#include "impls/exact_gradient.h"
#include "impls/feedback.h"
#include "impls/finite.h"
#include "impls/low_rank.h"
#include "impls/mixer.h"
#include "impls/support.h"
#include "impls/vector.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    int threads;
    int64_t scratch; /* reals a thread */
    real *memory;
    struct exact_gradient gradient; /* nothing, unless settings ask for one */
};

enum { GRADIENTS = GRADIENTS_EXACT };

/* Of one thread: theta (m), q, gate (d), y (r), zero state (d), then the scratch of the shared arithmetic. */
static int64_t scratch_size(const struct problem *p)
{
    int64_t arithmetic = mixer_scratch(p) + low_rank_scratch(p);
    return problem_m(p) + mixer_size(p) + 2 * p->d + p->r + arithmetic + 64;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, settings, NULL, GRADIENTS))
        return;
    if (p->mixer == MIXER_KRONECKER)
        support_no(support, "a Kronecker mixer has no low-rank form: its gate G is not scalar");
    else if (p->mixer == MIXER_DENSE)
        support_no(support, "a dense mixer has no low-rank form");
    else
        support_memory(support, p, settings, environment,
                       ((double)scratch_size(p) * environment->threads +
                        (settings->gradient != GRADIENT_NONE ? exact_gradient_reals(p, environment->threads) : 0)) *
                           sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r, m = (double)problem_m(p);
    double grams = 1.5 * r * (r + 1) * d + (p->mixer == MIXER_HOUSEHOLDER ? r * (r - 1) * d : 0);
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    (void)settings, (void)environment, (void)l;
    work->bytes = (tokens * (3 * d + m) + (state_dependent ? m * d : 0)) * sizeof(real);
    work->library = state_dependent;
    work->set = work->bytes; /* everything once */
    work->operations =
        tokens * ((state_dependent ? 2 * m * d : 0) + mixer_activate_operations(p) + grams + 4 * r * d + 7 * d + 2 * r * r * r / 3);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        free(plan->memory);
        exact_gradient_close(&plan->gradient);
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
    *plan = (struct plan){.problem = *p, .threads = environment->threads, .scratch = scratch_size(p)};
    plan->memory = memory_allocate(plan->scratch * plan->threads, sizeof(real));
    if (plan->memory == NULL || (settings->gradient != GRADIENT_NONE && !exact_gradient_open(p, plan->threads, &plan->gradient))) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(plan->threads);
    *out = plan;
    return status_ok();
}

/* One sequence; returns the first time whose step has no answer (its rows from there on are NaN), or T. */
static int64_t sequence(const struct problem *p, int64_t b, const struct inputs *inputs, real *h, real *scratch)
{
    int64_t T = p->T, d = p->d, r = p->r, m = problem_m(p);
    bool normalised = p->form == FORM_NORMALISED;
    const real *v = (const real *)inputs->v + b * T * d, *lambda = (const real *)inputs->lambda + b * T * d;
    const real *theta = m > 0 ? (const real *)inputs->theta + b * T * m : NULL;
    real *mixed = scratch, *q = mixed + m, *gate = q + mixer_size(p), *zero = gate + d, *y = zero + d, *rest = y + r;
    fill(zero, 0, d);
    const real *before = inputs->h0 != NULL ? (const real *)inputs->h0 + b * d : zero;

    for (int64_t t = 0; t < T; t++, v += d, lambda += d, h += d) {
        const real *raw = theta != NULL ? theta + t * m : NULL;
        if (p->feedback != FEEDBACK_NONE) {
            feedback_parameters(p, raw, inputs->W, before, mixed);
            raw = mixed;
        }
        mixer_activate(p, raw, q, rest);
        if (normalised) {
#pragma omp simd
            for (int64_t c = 0; c < d; c++) {
                gate[c] = 1 - lambda[c];
                h[c] = lambda[c] * (before[c] - v[c]);
            }
        } else {
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                h[c] = lambda[c] * before[c];
        }
        for (int64_t i = 0; i < r; i++)
            y[i] = dot(q + i * d, h, d);
        if (r > 0 && !low_rank_solve(p, q, normalised ? gate : NULL, y, rest)) {
            fill(h, (real)NAN, (T - t) * d);
            return t;
        }
        /* h holds Lambda (h_{t-1} - v), or Lambda h_{t-1}: in both forms v is still to be added */
        if (normalised) {
            for (int64_t i = 0; i < r; i++) {
                const real *u = q + i * d;
#pragma omp simd
                for (int64_t c = 0; c < d; c++)
                    h[c] += y[i] * gate[c] * u[c];
            }
        } else {
            for (int64_t i = 0; i < r; i++)
                add_scaled(y[i], q + i * d, h, d);
        }
        add_scaled(1, v, h, d);
        before = h;
    }
    return T;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    int64_t none = p->B * p->T, place = none;
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(min : place)
    for (int64_t b = 0; b < p->B; b++) {
        int64_t t =
            sequence(p, b, inputs, (real *)outputs->h + b * p->T * p->d, plan->memory + omp_get_thread_num() * plan->scratch);
        if (t < p->T && b * p->T + t < place)
            place = b * p->T + t;
    }
    return exact_finish(p, outputs, trace, place);
}

/* M^{-T} a = a + U c, with c from low_rank.h. */
static bool solve_transposed(struct plan *plan, int thread, const real *q, const real *lambda, const real *a, real *s)
{
    const struct problem *p = &plan->problem;
    int64_t d = p->d, r = p->r;
    bool normalised = p->form == FORM_NORMALISED;
    real *gate = plan->memory + thread * plan->scratch, *y = gate + d, *rest = y + r;
    for (int64_t c = 0; c < d; c++)
        gate[c] = normalised ? 1 - lambda[c] : 1;
    for (int64_t i = 0; i < r; i++)
        y[i] = dot_weighted(gate, q + i * d, a, d);
    if (r > 0 && !low_rank_solve_transposed(p, q, normalised ? gate : NULL, y, rest))
        return false;
    memcpy(s, a, (size_t)d * sizeof(real));
    for (int64_t i = 0; i < r; i++)
        add_scaled(y[i], q + i * d, s, d);
    return true;
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return exact_gradient_run(&plan->gradient, plan, solve_transposed, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(structured_sequential) = {
    .name = "structured_sequential",
    .summary = "exact dense RNN, diagonal-plus-low-rank steps, O(r d + r^2 d) each",
    .device = DEVICE_CPU,
    .exact = true,
    .gradients = GRADIENTS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
