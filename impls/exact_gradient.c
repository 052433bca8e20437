/* See exact_gradient.h. */
#include "impls/exact_gradient.h"

#include "impls/adjoint.h"
#include "impls/feedback.h"
#include "impls/finite.h"
#include "impls/mixer.h"
#include "impls/support.h"
#include "impls/token_gradient.h"
#include "impls/vector.h"

#include <omp.h>
#include <stdlib.h>

enum { BLOCK = 128 }; /* tokens whose share of W's adjoint is one matrix product */

/* Of one thread: raw (m), theta's adjoint (m), q, seven vectors (d), then the shared arithmetic's. */
static int64_t scratch_size(const struct problem *p)
{
    int64_t token = token_gradient_scratch(p), mixer = mixer_scratch(p);
    return 2 * problem_m(p) + mixer_size(p) + 7 * p->d + (token > mixer ? token : mixer) + 64;
}

/* Reals of theta, sums and states. */
static void sizes(const struct problem *p, int threads, int64_t size[3])
{
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    size[0] = state_dependent ? p->B * p->T * problem_m(p) : 0;
    size[1] = state_dependent ? threads * problem_m(p) * p->d : 0;
    size[2] = state_dependent ? threads * BLOCK * p->d : 0;
}

double exact_gradient_reals(const struct problem *p, int threads)
{
    int64_t size[3];
    sizes(p, threads, size);
    return (double)size[0] + (double)size[1] + (double)size[2] + (double)scratch_size(p) * threads;
}

bool exact_gradient_open(const struct problem *p, int threads, struct exact_gradient *g)
{
    int64_t size[3];
    sizes(p, threads, size);
    *g = (struct exact_gradient){.problem = *p, .threads = threads, .scratch = scratch_size(p)};
    g->memory = memory_allocate(g->scratch * threads, sizeof(real));
    g->theta = memory_allocate(size[0], sizeof(real));
    g->sums = memory_allocate(size[1], sizeof(real));
    g->states = memory_allocate(size[2], sizeof(real));
    if (g->memory != NULL && g->theta != NULL && g->sums != NULL && g->states != NULL)
        return true;
    exact_gradient_close(g);
    return false;
}

void exact_gradient_close(struct exact_gradient *g)
{
    free(g->memory);
    free(g->theta);
    free(g->sums);
    free(g->states);
    *g = (struct exact_gradient){0};
}

/* What the threads of one run share. */
struct run {
    const struct exact_gradient *g;
    struct plan *plan;
    transposed_solve *solve;
    const struct inputs *inputs;
    const struct outputs *outputs, *grad_outputs;
    const struct gradients *gradients;
    real *theta; /* (B,T,m) where theta's adjoints go; NULL: nobody needs all of them */
};

/* NaN where the gradients of a sequence would be from token t down: there is no answer. */
static void give_up(const struct run *run, int64_t b, int64_t t)
{
    const struct problem *p = &run->g->problem;
    const struct gradients *to = run->gradients;
    int64_t first = b * p->T, m = problem_m(p);
    if (to->v != NULL)
        fill((real *)to->v + first * p->d, (real)NAN, (t + 1) * p->d);
    if (to->lambda != NULL)
        fill((real *)to->lambda + first * p->d, (real)NAN, (t + 1) * p->d);
    if (run->theta != NULL)
        fill(run->theta + first * m, (real)NAN, (t + 1) * m);
    if (to->h0 != NULL)
        fill((real *)to->h0 + b * p->d, (real)NAN, p->d);
}

/* One sequence; returns the time of a step that has no answer, or T. */
static int64_t sequence(const struct run *run, int64_t b, int thread)
{
    const struct problem *p = &run->g->problem;
    const struct inputs *inputs = run->inputs;
    const struct gradients *to = run->gradients;
    int64_t T = p->T, d = p->d, m = problem_m(p);
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    real *raw = run->g->memory + thread * run->g->scratch, *theta_adjoint = raw + m, *q = theta_adjoint + m;
    real *zero = q + mixer_size(p), *a = zero + d, *s = a + d, *w = s + d, *x = w + d, *h_adjoint = x + d,
         *k_adjoint = h_adjoint + d;
    real *rest = k_adjoint + d;
    fill(zero, 0, d);
    fill(a, 0, d);
    const real *h = (const real *)run->outputs->h + b * T * d;
    const real *initial = inputs->h0 != NULL ? (const real *)inputs->h0 + b * d : zero;
    for (int64_t t = T - 1; t >= 0; t--) {
        int64_t i = b * T + t;
        struct token token = {.v = (const real *)inputs->v + i * d,
                              .lambda = (const real *)inputs->lambda + i * d,
                              .h = h + t * d,
                              .w = w,
                              .before = t > 0 ? h + (t - 1) * d : initial,
                              .theta = m > 0 ? (const real *)inputs->theta + i * m : NULL,
                              .q = q,
                              .s = s,
                              .v_adjoint = to->v != NULL ? (real *)to->v + i * d : NULL,
                              .lambda_adjoint = to->lambda != NULL ? (real *)to->lambda + i * d : NULL,
                              .theta_adjoint = run->theta != NULL ? run->theta + i * m
                                               : state_dependent  ? theta_adjoint
                                                                  : NULL,
                              .h_adjoint = h_adjoint};
        if (state_dependent) {
            feedback_parameters(p, token.theta, inputs->W, token.before, raw);
            token.theta = raw;
        }
        mixer_activate(p, token.theta, q, rest);
        adjoint_add_token(p, run->grad_outputs, b, t, a);
        if (!run->solve(run->plan, thread, q, token.lambda, a, s)) {
            give_up(run, b, t);
            return t;
        }
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            x[c] = token.h[c] - token.v[c];
        mixer_apply(p, q, x, w, rest);
        add_scaled(1, token.v, w, d);
        token_gradient(p, &token, rest);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            a[c] = token.lambda[c] * s[c];
        if (state_dependent)
            feedback_token_gradient(p, inputs->W, token.before, token.theta_adjoint, a, k_adjoint);
    }
    if (to->h0 != NULL)
        adjoint_put((real *)to->h0 + b * d, a, d, false);
    return T;
}

struct status exact_gradient_run(struct exact_gradient *g, struct plan *plan, transposed_solve *solve, const struct inputs *inputs,
                                 const struct outputs *outputs, const struct outputs *grad_outputs,
                                 const struct gradients *gradients)
{
    const struct problem *p = &g->problem;
    int64_t none = p->B * p->T, place = none;
    struct run run = {g, plan, solve, inputs, outputs, grad_outputs, gradients, problem_m(p) > 0 ? gradients->theta : NULL};
    if (run.theta == NULL && p->feedback != FEEDBACK_NONE && gradients->W != NULL)
        run.theta = g->theta;
#pragma omp parallel for num_threads(g->threads) schedule(static) reduction(min : place)
    for (int64_t b = 0; b < p->B; b++) {
        int64_t t = sequence(&run, b, omp_get_thread_num());
        if (t < p->T && b * p->T + t < place)
            place = b * p->T + t;
    }
    if (p->feedback != FEEDBACK_NONE && gradients->W != NULL)
        feedback_weight_gradient(p, inputs, outputs->h, run.theta, g->threads, BLOCK, false, gradients->W, g->sums, g->states);
    return place < none ? singular_status(p, place) : status_ok();
}
