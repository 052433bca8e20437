/* See exact_gradient.h. */
#include "impls/math/exact_gradient.h"

#include "impls/contract/support.h"
#include "impls/math/adjoint.h"
#include "impls/math/feedback.h"
#include "impls/math/finite.h"
#include "impls/math/mixer.h"
#include "impls/math/token_gradient.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdlib.h>

enum {
    BLOCK = 128, /* tokens whose share of W's adjoint is one matrix product */
    GROUP = 128  /* sequences that go back through time together, when each step has a product with W */
};

static int64_t group_size(const struct problem *p)
{
    return p->feedback == FEEDBACK_NONE ? 1 : p->B < GROUP ? p->B : GROUP;
}

/* Of one thread: for a group raw (m), theta's adjoint (m), a state, its adjoint, and a (d) each; q, five vectors (d), then the
 * shared arithmetic's. */
static int64_t scratch_size(const struct problem *p)
{
    int64_t token = token_gradient_scratch(p), mixer = mixer_scratch(p);
    return group_size(p) * (2 * problem_m(p) + 3 * p->d) + mixer_size(p) + 5 * p->d + (token > mixer ? token : mixer) + 64;
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

/* Scratch of one thread. */
struct group {
    real *raw, *theta_adjoint;         /* (group,m) */
    real *states, *states_adjoint, *a; /* (group,d) */
    real *q, *zero, *s, *w, *x, *h_adjoint, *rest;
};

static struct group scratch_of(const struct exact_gradient *g, int thread)
{
    const struct problem *p = &g->problem;
    int64_t size = group_size(p), d = p->d, m = problem_m(p);
    struct group to = {.raw = g->memory + thread * g->scratch};
    to.theta_adjoint = to.raw + size * m;
    to.states = to.theta_adjoint + size * m;
    to.states_adjoint = to.states + size * d;
    to.a = to.states_adjoint + size * d;
    to.q = to.a + size * d;
    to.zero = to.q + mixer_size(p);
    to.s = to.zero + d;
    to.w = to.s + d;
    to.x = to.w + d;
    to.h_adjoint = to.x + d;
    to.rest = to.h_adjoint + d;
    fill(to.zero, 0, d);
    fill(to.a, 0, size * d);
    return to;
}

/* The state before token (b,t). */
static const real *state_before(const struct run *run, int64_t b, int64_t t, const real *zero)
{
    int64_t d = run->g->problem.d;
    const real *h = run->outputs->h, *h0 = run->inputs->h0;
    return t > 0 ? h + (b * run->g->problem.T + t - 1) * d : h0 != NULL ? h0 + b * d : zero;
}

/* v's adjoint Q^T G s, which is left in v_adjoint as the difference G s - (I - Q)^T G s. Where Q takes nearly all of G s away, only the
 * rounding of G s is left of that; but M^T s = a makes it a - Lambda s as well (plain: a), whose terms are then smaller. Per channel
 * the difference with the smaller terms is taken. */
static void v_gradient(const struct problem *p, const real *lambda, const real *s, const real *a, real *v_adjoint)
{
    bool gated = p->form == FORM_NORMALISED;
    real largest = gated ? 0 : REAL_MAX;
    for (int64_t c = 0; c < p->d && gated; c++)
        largest = real_max(largest, real_abs((1 - lambda[c]) * s[c]));
#pragma omp simd
    for (int64_t c = 0; c < p->d; c++) {
        real ahead = gated ? lambda[c] * s[c] : 0;
        v_adjoint[c] = real_abs(a[c]) + real_abs(ahead) < largest ? a[c] - ahead : v_adjoint[c];
    }
}

/* Token (b,t), the j-th of its group: a becomes Lambda s. False: there is no answer, and all that follows from it is NaN. */
static bool step(const struct run *run, const struct group *group, int64_t j, int64_t b, int64_t t, int thread)
{
    const struct problem *p = &run->g->problem;
    const struct inputs *inputs = run->inputs;
    const struct gradients *to = run->gradients;
    int64_t d = p->d, m = problem_m(p), i = b * p->T + t;
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    real *a = group->a + j * d, *s = group->s;
    struct token token = {.v = (const real *)inputs->v + i * d,
                          .lambda = (const real *)inputs->lambda + i * d,
                          .h = (const real *)run->outputs->h + i * d,
                          .w = group->w,
                          .before = state_before(run, b, t, group->zero),
                          .theta = m > 0 ? (const real *)inputs->theta + i * m : NULL,
                          .q = group->q,
                          .s = s,
                          .v_adjoint = to->v != NULL ? (real *)to->v + i * d : NULL,
                          .lambda_adjoint = to->lambda != NULL ? (real *)to->lambda + i * d : NULL,
                          .theta_adjoint = run->theta != NULL ? run->theta + i * m : NULL,
                          .h_adjoint = group->h_adjoint};
    if (state_dependent) {
        token.theta = group->raw + j * m;
        token.theta_adjoint = group->theta_adjoint + j * m;
    }
    mixer_activate(p, token.theta, group->q, group->rest);
    adjoint_add_token(p, run->grad_outputs, b, t, a);
    bool solved = run->solve(run->plan, thread, group->q, token.lambda, a, s);
    if (!solved)
        fill(s, (real)NAN, d);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        group->x[c] = token.h[c] - token.v[c];
    mixer_apply(p, group->q, group->x, group->w, group->rest);
    add_scaled(1, token.v, group->w, d);
    token_gradient(p, &token, group->rest);
    if (solved && token.v_adjoint != NULL)
        v_gradient(p, token.lambda, s, a, token.v_adjoint);
    if (state_dependent && run->theta != NULL)
        adjoint_put(run->theta + i * m, token.theta_adjoint, m, false);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        a[c] = token.lambda[c] * s[c];
    return solved;
}

/* The sequences from ... to - 1, which are no more than a group; returns the first token that has no answer, or B T. */
static int64_t run_group(const struct run *run, int64_t from, int64_t to, int thread)
{
    const struct problem *p = &run->g->problem;
    int64_t T = p->T, d = p->d, m = problem_m(p), place = p->B * T;
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    const struct group group = scratch_of(run->g, thread);
    for (int64_t t = T - 1; t >= 0; t--) {
        for (int64_t b = from; b < to && state_dependent; b++)
            feedback_state(p, state_before(run, b, t, group.zero), group.states + (b - from) * d);
        if (state_dependent)
            feedback_rows(p, run->inputs->W, group.states, (const real *)run->inputs->theta + (from * T + t) * m, T * m, to - from,
                          group.raw);
        for (int64_t b = from; b < to; b++)
            if (!step(run, &group, b - from, b, t, thread) && b * T + t < place)
                place = b * T + t;
        if (!state_dependent)
            continue;
        feedback_rows_gradient(p, run->inputs->W, group.theta_adjoint, to - from, group.states_adjoint);
        for (int64_t b = from; b < to; b++)
            feedback_state_gradient(p, state_before(run, b, t, group.zero), group.states_adjoint + (b - from) * d,
                                    group.a + (b - from) * d);
    }
    if (run->gradients->h0 != NULL)
        adjoint_put((real *)run->gradients->h0 + from * d, group.a, (to - from) * d, false);
    return place;
}

struct status exact_gradient_run(struct exact_gradient *g, struct plan *plan, transposed_solve *solve, const struct inputs *inputs,
                                 const struct outputs *outputs, const struct outputs *grad_outputs,
                                 const struct gradients *gradients)
{
    const struct problem *p = &g->problem;
    struct status given = backward_check(p, g->memory != NULL, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    int64_t none = p->B * p->T, place = none;
    struct run run = {g, plan, solve, inputs, outputs, grad_outputs, gradients, problem_m(p) > 0 ? gradients->theta : NULL};
    if (run.theta == NULL && p->feedback != FEEDBACK_NONE && gradients->W != NULL)
        run.theta = g->theta;
#pragma omp parallel num_threads(g->threads) reduction(min : place)
    {
        int64_t thread = omp_get_thread_num(), n = omp_get_num_threads(), end = p->B * (thread + 1) / n, size = group_size(p);
        for (int64_t from = p->B * thread / n; from < end; from += size) {
            int64_t found = run_group(&run, from, from + size < end ? from + size : end, (int)thread);
            place = found < place ? found : place;
        }
    }
    if (p->feedback != FEEDBACK_NONE && gradients->W != NULL)
        feedback_weight_gradient(p, inputs, outputs->h, run.theta, g->threads, BLOCK, false, gradients->W, g->sums, g->states);
    return place < none ? singular_status(p, place) : status_ok();
}
