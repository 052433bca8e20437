/* structured_sequential: the exact dense RNN, one step at a time, in O(r d + r^2 d) a step for low-rank mixers.
 *
 *     normalised:  h_t = Lambda h_{t-1} + G (v + U b)
 *     plain:       h_t = Lambda h_{t-1} + v + U b         with b from low_rank.h
 *
 * Sequences are divided among the threads; those of a state-dependent problem go through time in groups, so that W is multiplied
 * with matrices. In float64 this is the exact answer of the sweeps. The gradient is exact, too, and costs
 * as much a step (exact_gradient.h). */
#include "impls/contract/support.h"
#include "impls/math/activation.h"
#include "impls/math/exact_gradient.h"
#include "impls/math/feedback.h"
#include "impls/math/finite.h"
#include "impls/math/low_rank.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"

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

enum { GROUP = 128 }; /* sequences that go through time together, when each step has a product with W */

static int64_t group_size(const struct problem *p)
{
    return p->feedback == FEEDBACK_NONE ? 1 : p->B < GROUP ? p->B : GROUP;
}

/* Of one thread: theta (m) and a state (d) for each of a group, q, gate (d), zero state (d), y (r), then the scratch of the shared
 * arithmetic. */
static int64_t scratch_size(const struct problem *p)
{
    int64_t arithmetic = mixer_scratch(p) + low_rank_scratch(p);
    return group_size(p) * (problem_m(p) + p->d) + mixer_size(p) + 2 * p->d + p->r + arithmetic + 64;
}

extern const struct implementation VARIANT(structured_sequential); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(structured_sequential)))
        return;
    support_memory(support, p, settings, environment,
                   ((double)scratch_size(p) * environment->threads +
                    (settings->gradient != GRADIENT_NONE ? exact_gradient_reals(p, environment->threads) : 0)) *
                       sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r, m = (double)problem_m(p);
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    (void)settings, (void)environment, (void)l;
    work->bytes = (tokens * (3 * d + m) + (state_dependent ? m * d : 0)) * sizeof(real);
    work->library = state_dependent;
    work->set = work->bytes; /* everything once */
    work->operations = tokens * ((state_dependent ? 2 * m * d : 0) + mixer_activate_operations(p) + grams_operations(p) +
                                 4 * r * d + 7 * d + 2 * r * r * r / 3);
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
    struct status status = plan_begin(&VARIANT(structured_sequential), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
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

/* h = the step from the state before, with raw parameters; scratch is a thread's. False: it has no answer, and h is NaN. */
static bool step(const struct problem *p, const real *raw, const real *v, const real *lambda, const real *before, real *h,
                 real *scratch)
{
    int64_t d = p->d, r = p->r;
    bool normalised = p->form == FORM_NORMALISED;
    real *q = scratch, *gate = q + mixer_size(p), *y = gate + d, *rest = y + r;
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
        fill(h, (real)NAN, d);
        return false;
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
    return true;
}

/* The same for one vector, in two passes over the channels instead of eight: with w = SiLU(raw) and k = max(|w|, NORM_LEAST), all
 * that is summed of u = w / k is known after the first, before u is. */
static bool step_one(const struct problem *p, const real *raw, const real *v, const real *lambda, const real *before, real *h,
                     real *w)
{
    int64_t d = p->d;
    real squares = 0, weighted = 0, y = 0, normalised = p->form == FORM_NORMALISED;
#pragma omp simd reduction(+ : squares, weighted, y)
    for (int64_t c = 0; c < d; c++) {
        real x = silu(raw[c]), state = lambda[c] * (before[c] - normalised * v[c]);
        w[c] = x;
        h[c] = state;
        squares += x * x;
        weighted += (1 - normalised * lambda[c]) * (x * x);
        y += x * state;
    }
    real inverse = norm_inverse(squares), strength = (real)p->s * sigmoid(raw[d]);
    real pivot = 1 - strength * (weighted * inverse * inverse);
    bool regular = !(real_abs(pivot) <= low_rank_tiny(p, real_abs(pivot)));
    real b = regular ? strength * (y * inverse) / pivot * inverse : (real)NAN;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        h[c] += v[c] + b * (1 - normalised * lambda[c]) * w[c];
    return regular;
}

/* The sequences from ... to - 1, which are no more than a group; returns the first token that has no answer, or B T. After it a
 * sequence is NaN. */
static int64_t run_group(const struct problem *p, int64_t from, int64_t to, const struct inputs *inputs, real *h, real *scratch)
{
    int64_t T = p->T, d = p->d, m = problem_m(p), size = group_size(p), place = p->B * T;
    const real *v = inputs->v, *lambda = inputs->lambda, *theta = inputs->theta, *h0 = inputs->h0;
    real *mixed = scratch, *states = mixed + size * m, *zero = states + size * d, *rest = zero + d;
    fill(zero, 0, d);
    for (int64_t t = 0; t < T; t++) {
        for (int64_t b = from; b < to && p->feedback != FEEDBACK_NONE; b++)
            feedback_state(p, t > 0 ? h + (b * T + t - 1) * d : h0 != NULL ? h0 + b * d : NULL, states + (b - from) * d);
        if (p->feedback != FEEDBACK_NONE)
            feedback_rows(p, inputs->W, states, theta + (from * T + t) * m, T * m, to - from, mixed);
        for (int64_t b = from; b < to; b++) {
            int64_t i = b * T + t;
            const real *raw = m == 0 ? NULL : p->feedback != FEEDBACK_NONE ? mixed + (b - from) * m : theta + i * m;
            const real *before = t > 0 ? h + (i - 1) * d : h0 != NULL ? h0 + b * d : zero;
            bool (*const take)(const struct problem *, const real *, const real *, const real *, const real *, real *, real *) =
                p->r == 1 ? step_one : step;
            if (!take(p, raw, v + i * d, lambda + i * d, before, h + i * d, rest) && i < place)
                place = i;
        }
    }
    return place;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    int64_t none = p->B * p->T, place = none;
#pragma omp parallel num_threads(plan->threads) reduction(min : place)
    {
        int64_t thread = omp_get_thread_num(), n = omp_get_num_threads(), end = p->B * (thread + 1) / n, size = group_size(p);
        for (int64_t from = p->B * thread / n; from < end; from += size) {
            int64_t to = from + size < end ? from + size : end;
            int64_t found = run_group(p, from, to, inputs, outputs->h, plan->memory + thread * plan->scratch);
            place = found < place ? found : place;
        }
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
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_LOW_RANK,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
