/* See map_gradient.h. */
#include "impls/math/map_gradient.h"

#include "impls/contract/support.h"
#include "impls/math/adjoint.h"
#include "impls/math/feedback.h"
#include "impls/math/mixer.h"
#include "impls/math/token_gradient.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdlib.h>

/* Of one thread: theta's adjoint (m), a zero state (d), two vectors (d), then what a token needs. */
static int64_t scratch_size(const struct problem *p)
{
    return problem_m(p) + 3 * p->d + token_gradient_scratch(p) + 64;
}

/* Reals of raw, q, w, theta, sums, states. */
enum { ARRAYS = 6 };
static void sizes(const struct problem *p, int threads, int64_t size[ARRAYS])
{
    int64_t tokens = p->B * p->T, m = problem_m(p), state_dependent = p->feedback != FEEDBACK_NONE;
    size[0] = state_dependent * tokens * m;
    size[1] = state_dependent * tokens * mixer_size(p);
    size[2] = tokens * p->d;
    size[3] = state_dependent * tokens * m;
    size[4] = state_dependent * threads * m * p->d;
    size[5] = state_dependent * threads * MAP_BLOCK * p->d;
}

double map_gradient_reals(const struct problem *p, int threads)
{
    int64_t size[ARRAYS];
    double sum = (double)scratch_size(p) * threads;
    sizes(p, threads, size);
    for (int i = 0; i < ARRAYS; i++)
        sum += (double)size[i];
    return sum;
}

bool map_gradient_open(const struct map *map, struct map_gradient *g)
{
    const struct problem *p = &map->problem;
    int64_t size[ARRAYS];
    sizes(p, map->scan.threads, size);
    *g = (struct map_gradient){.map = map, .scratch = scratch_size(p)};
    g->memory = memory_allocate(g->scratch * map->scan.threads, sizeof(real));
    real **const arrays[ARRAYS] = {&g->parameters.raw, &g->parameters.q, &g->w, &g->theta, &g->sums, &g->states};
    bool memory = g->memory != NULL;
    for (int i = 0; i < ARRAYS; i++) {
        *arrays[i] = memory_allocate(size[i], sizeof(real));
        memory = memory && *arrays[i] != NULL;
    }
    if (!memory)
        map_gradient_close(g);
    return memory;
}

void map_gradient_close(struct map_gradient *g)
{
    free(g->memory);
    free(g->parameters.raw);
    free(g->parameters.q);
    free(g->w);
    free(g->theta);
    free(g->sums);
    free(g->states);
    *g = (struct map_gradient){0};
}

void map_gradient_at(const struct map_gradient *g, const struct inputs *inputs, const real *h)
{
    map_mix(g->map, inputs, h, false, &g->parameters, g->w);
}

/* What the threads of one run share. */
struct run {
    const struct map_gradient *g;
    const struct inputs *inputs;
    const real *h, *f, *s;
    const struct gradients *gradients;
    bool add;
    bool theta_wanted; /* theta's adjoints lead to something that is asked for */
    real *theta;       /* (B,T,m) where they all go; NULL: only to where they are added */
    real *h_adjoint;
};

/* Row i of width n, or NULL of nothing. */
static real *row(void *array, int64_t i, int64_t n)
{
    return array != NULL ? (real *)array + i * n : NULL;
}

static void run_token(const struct run *run, int64_t i, real *scratch)
{
    const struct problem *p = &run->g->map->problem;
    const struct inputs *inputs = run->inputs;
    int64_t T = p->T, d = p->d, m = problem_m(p), size = mixer_size(p);
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    real *theta_adjoint = scratch, *zero = theta_adjoint + m, *rest = zero + d;
    const real *initial = inputs->h0 != NULL ? (const real *)inputs->h0 + i / T * d : zero;
    struct token token = {.v = (const real *)inputs->v + i * d,
                          .lambda = (const real *)inputs->lambda + i * d,
                          .h = run->h + i * d,
                          .w = run->g->w + i * d,
                          .before = i % T > 0 ? run->f + (i - 1) * d : initial,
                          .theta = state_dependent ? run->g->parameters.raw + i * m : row((void *)inputs->theta, i, m),
                          .q = (state_dependent ? run->g->parameters.q : run->g->map->q) + i * size,
                          .s = run->s + i * d,
                          .v_adjoint = row(run->gradients->v, i, d),
                          .lambda_adjoint = row(run->gradients->lambda, i, d),
                          .h_adjoint = row(run->h_adjoint, i, d),
                          .add = run->add};
    if (run->theta_wanted)
        token.theta_adjoint = run->theta != NULL ? run->theta + i * m : theta_adjoint;
    token_gradient(p, &token, rest);
    if (run->theta_wanted && token.theta_adjoint != row(run->gradients->theta, i, m))
        adjoint_put(row(run->gradients->theta, i, m), token.theta_adjoint, m, run->add);
}

/* The initial state of one sequence: by the scan, and by the parameters of its first token. */
static void run_initial(const struct run *run, int64_t b, real *scratch)
{
    const struct problem *p = &run->g->map->problem;
    int64_t d = p->d, first = b * p->T;
    real *zero = scratch + problem_m(p), *sum = zero + d, *k_adjoint = sum + d;
    const real *lambda = (const real *)run->inputs->lambda + first * d, *s = run->s + first * d;
    for (int64_t c = 0; c < d; c++)
        sum[c] = lambda[c] * s[c];
    if (p->feedback != FEEDBACK_NONE)
        feedback_token_gradient(p, run->inputs->W, run->inputs->h0 != NULL ? (const real *)run->inputs->h0 + b * d : zero,
                                run->theta + first * problem_m(p), sum, k_adjoint);
    adjoint_put((real *)run->gradients->h0 + b * d, sum, d, run->add);
}

void map_gradient_run(const struct map_gradient *g, const struct inputs *inputs, const real *h, const real *f, const real *s,
                      const struct gradients *gradients, bool add, real *h_adjoint)
{
    const struct problem *p = &g->map->problem;
    struct run run = {.g = g, .inputs = inputs, .h = h, .f = f, .s = s, .gradients = gradients, .add = add, .h_adjoint = h_adjoint};
    bool state_dependent = p->feedback != FEEDBACK_NONE, into_states = state_dependent && h_adjoint != NULL;
    bool all = state_dependent && (h_adjoint != NULL || gradients->h0 != NULL || gradients->W != NULL);
    int threads = g->map->scan.threads;
    run.theta_wanted = problem_m(p) > 0 && (all || gradients->theta != NULL);
    if (all)
        run.theta = gradients->theta != NULL && !add ? gradients->theta : g->theta;
#pragma omp parallel num_threads(threads)
    {
        int64_t tokens = p->B * p->T, thread = omp_get_thread_num(), n = omp_get_num_threads();
        int64_t begin = tokens * thread / n, end = tokens * (thread + 1) / n;
        real *scratch = g->memory + thread * g->scratch;
        fill(scratch + problem_m(p), 0, p->d);
        for (int64_t i = begin; i < end; i++)
            run_token(&run, i, scratch);
#pragma omp barrier /* what follows reads theta's adjoints of the next token */
        for (int64_t from = begin; into_states && from < end; from += MAP_BLOCK)
            feedback_block_state_gradient(p, inputs, h, run.theta, from, from + MAP_BLOCK < end ? from + MAP_BLOCK : end, h_adjoint,
                                          g->states + thread * MAP_BLOCK * p->d);
        for (int64_t b = p->B * thread / n; gradients->h0 != NULL && b < p->B * (thread + 1) / n; b++)
            run_initial(&run, b, scratch);
    }
    if (state_dependent && gradients->W != NULL)
        feedback_weight_gradient(p, inputs, h, run.theta, threads, MAP_BLOCK, add, gradients->W, g->sums, g->states);
}

static void begin(void *of, const struct inputs *inputs)
{
    map_begin(((const struct map_gradient *)of)->map, inputs);
}

static void at(void *of, const struct inputs *inputs, const real *h, real *next)
{
    const struct map_gradient *g = of;
    map_gradient_at(g, inputs, h);
    if (next != NULL)
        scan_run(&g->map->scan, inputs->lambda, g->w, inputs->h0, next);
}

static void transpose(void *of, const struct inputs *inputs, const real *h, const real *f, const real *adjoint, const real *final,
                      real *s, const struct gradients *gradients, bool add, real *h_adjoint)
{
    const struct map_gradient *g = of;
    (void) final; /* it is the last row of the outputs */
    scan_run_reversed(&g->map->scan, inputs->lambda, adjoint, s);
    map_gradient_run(g, inputs, h, f, s, gradients, add, h_adjoint);
}

struct linear_mapping map_gradient_mapping(const struct map *map, struct map_gradient *g)
{
    return (struct linear_mapping){
        .problem = &map->problem, .threads = map->scan.threads, .map = g, .begin = begin, .at = at, .transpose = transpose};
}
