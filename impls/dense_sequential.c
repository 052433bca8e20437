/* dense_sequential: the dense RNN as a textbook has it. A_t is materialised for every token by an LU solve,
 *
 *     normalised:  A_t = M_t^{-1} Lambda_t,  M_t = I - G_t (I - Q_t),   h_t = v_t + A_t (h_{t-1} - v_t)
 *     plain:       A_t = Q_t^{-1} Lambda_t,                             h_t = v_t + A_t h_{t-1}
 *
 * then applied step by step, all by OpenBLAS. The exact gradient solves with M_t^T (exact_gradient.h), decomposing M_t once more.
 * The matrices of all tokens are independent of each other and of the states, so the threads share them; a state-dependent mixer
 * allows that only one step at a time. In float64 this is the reference of the tests. */
#include "impls/contract/support.h"
#include "impls/math/blas.h"
#include "impls/math/exact_gradient.h"
#include "impls/math/feedback.h"
#include "impls/math/finite.h"
#include "impls/math/mixer.h"
#include "impls/math/transition.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    int threads;
    int64_t scratch;                /* reals a thread */
    int64_t n_matrices;             /* A_t held at once: all tokens, or one a thread when state-dependent */
    real *memory;                   /* scratch of all threads */
    real *A;                        /* (n_matrices,d,d), each column by column */
    int *pivots;                    /* (2 d) a thread: pivots and the condition estimate's integers */
    struct exact_gradient gradient; /* nothing, unless settings ask for one */
};

/* Of one thread: theta (m), q, M (d,d), the condition estimate (4 d), the mixer's; at the end a zero state (d) and h - v (d). */
static int64_t scratch_size(const struct problem *p)
{
    return problem_m(p) + mixer_size(p) + p->d * p->d + 6 * p->d + mixer_scratch(p) + 64;
}

static double matrices(const struct problem *p, const struct environment *environment)
{
    return p->feedback != FEEDBACK_NONE ? environment->threads : (double)p->B * (double)p->T;
}

extern const struct implementation VARIANT(dense_sequential); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(dense_sequential)))
        return;
    double d = (double)p->d;
    if (d * d > 2147483647) /* LAPACK's integers */
        support_no(support, "d = %.0f: a d x d matrix is beyond LAPACK's 32-bit integers", d);
    else
        support_memory(support, p, settings, environment,
                       (matrices(p, environment) * d * d + (double)scratch_size(p) * environment->threads +
                        (settings->gradient != GRADIENT_NONE ? exact_gradient_reals(p, environment->threads) : 0)) *
                               sizeof(real) +
                           2 * d * environment->threads * sizeof(int));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = (double)problem_m(p);
    bool state_dependent = p->feedback != FEEDBACK_NONE;
    (void)settings, (void)l;
    /* A is written once and read once; Q comes column by column from d applications; LU and solve are 8/3 d^3 */
    work->bytes = (tokens * (3 * d + m + 2 * d * d) + (state_dependent ? m * d : 0)) * sizeof(real);
    work->operations = tokens * ((state_dependent ? 2 * m * d : 0) + mixer_activate_operations(p) + d * mixer_apply_operations(p) +
                                 8 * d * d * d / 3 + 4 * d * d);
    /* A of all tokens beside the tensors; or one A a thread, which most of the traffic goes to and comes from */
    work->library = true;
    work->set = state_dependent ? fmin(environment->threads, (double)p->B) * d * d * sizeof(real)
                                : (tokens * (3 * d + m + d * d)) * sizeof(real);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        free(plan->memory);
        free(plan->A);
        free(plan->pivots);
        exact_gradient_close(&plan->gradient);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(dense_sequential), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    *plan = (struct plan){.problem = *p, .threads = environment->threads, .scratch = scratch_size(p)};
    plan->n_matrices = (int64_t)matrices(p, environment);
    plan->memory = memory_allocate(plan->scratch * plan->threads, sizeof(real));
    plan->A = memory_allocate(plan->n_matrices, (size_t)(p->d * p->d) * sizeof(real));
    plan->pivots = memory_allocate(2 * p->d * plan->threads, sizeof(int));
    if (plan->memory == NULL || plan->A == NULL || plan->pivots == NULL ||
        (settings->gradient != GRADIENT_NONE && !exact_gradient_open(p, plan->threads, &plan->gradient))) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(plan->threads);
    *out = plan;
    return status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    int64_t T = p->T, d = p->d, m = problem_m(p), tokens = p->B * T, place = tokens;
    const real *v = inputs->v, *lambda = inputs->lambda, *theta = inputs->theta;
    bool ahead = p->feedback == FEEDBACK_NONE;

#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(min : place)
    for (int64_t token = 0; token < (ahead ? tokens : 0); token++) {
        real *scratch = plan->memory + omp_get_thread_num() * plan->scratch;
        int *pivots = plan->pivots + omp_get_thread_num() * 2 * d;
        if (!transition_make(p, m > 0 ? theta + token * m : NULL, lambda + token * d, plan->A + token * d * d, scratch + m,
                             pivots)) {
            fill(plan->A + token * d * d, (real)NAN, d * d);
            if (token < place)
                place = token;
        }
    }
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(min : place)
    for (int64_t b = 0; b < p->B; b++) {
        real *mixed = plan->memory + omp_get_thread_num() * plan->scratch, *scratch = mixed + m;
        real *difference = mixed + plan->scratch - d, *zero = difference - d;
        real *A = ahead ? NULL : plan->A + omp_get_thread_num() * d * d;
        int *pivots = plan->pivots + omp_get_thread_num() * 2 * d;
        real *h = (real *)outputs->h + b * T * d;
        const real *before = inputs->h0 != NULL ? (const real *)inputs->h0 + b * d : zero;
        fill(zero, 0, d);
        for (int64_t t = 0; t < T; t++, before = h, h += d) {
            int64_t token = b * T + t;
            if (ahead) {
                A = plan->A + token * d * d;
            } else {
                feedback_parameters(p, theta + token * m, inputs->W, before, mixed);
                if (!transition_make(p, mixed, lambda + token * d, A, scratch, pivots)) {
                    fill(A, (real)NAN, d * d);
                    if (token < place)
                        place = token;
                }
            }
            transition_apply(p, A, v + token * d, before, h, difference);
        }
    }
    return exact_finish(p, outputs, trace, place);
}

static bool solve_transposed(struct plan *plan, int thread, const real *q, const real *lambda, const real *a, real *s)
{
    const struct problem *p = &plan->problem;
    int *pivots = plan->pivots + thread * 2 * p->d, n = (int)p->d, one = 1, info;
    real *M = plan->memory + thread * plan->scratch;
    enum decomposition decomposition = transition_decompose(p, q, lambda, M, pivots);
    memcpy(s, a, (size_t)p->d * sizeof(real));
    if (decomposition == NOT_FINITE)
        fill(s, (real)NAN, p->d);
    else if (decomposition == DECOMPOSED)
        lapack_getrs("T", &n, &one, M, &n, pivots, s, &n, &info, 1);
    return decomposition != SINGULAR;
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return exact_gradient_run(&plan->gradient, plan, solve_transposed, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(dense_sequential) = {
    .name = "dense_sequential",
    .summary = "dense RNN step by step, A_t materialised and solved by OpenBLAS, O(d^3) a token",
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
