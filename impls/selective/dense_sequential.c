/* dense_sequential, selective cell: the sequential mode as the paper means it, for any mixer. Tokens are taken one after the other
 * (sequential.h), and each iterates its own equation (equation.h) in d numbers from y = 0 until it no longer moves:
 *
 *     y <- LayerNorm(base + response . (x - (I - Q)(x - y)))
 *
 * Without a LayerNorm that is linear, and solved by OpenBLAS: (I - diag(response) (I - Q)) (x - y) = x - base - response . x. The exact
 * gradient solves with the transposed derivative of the same equation, O(d^3) a token. In float64 this is the reference of the tests. */
#include "impls/contract/support.h"
#include "impls/math/blas.h"
#include "impls/math/mixer.h"
#include "impls/math/transition.h"
#include "impls/math/vector.h"
#include "impls/selective/sequential.h"
#include "impls/selective/sequential_gradient.h"

#include <stdlib.h>
#include <string.h>

/* A token is at rest when it moves by no more than a unit of rounding. What rounding leaves of a map that barely contracts are moves by
 * many units, to and fro, which lead nowhere: it is at rest, too, when it has stayed that near to one place for that long. */
enum { WINDOW = 512 /* iterations */, NOISE = 512 /* units of rounding of what the map is made of */ };

struct plan {
    struct sequential sequential;
    struct sequential_gradient gradient; /* nothing, unless settings ask for one */
    int64_t scratch;                     /* reals a thread */
    real *memory;
    int *pivots; /* (2 d) a thread: pivots and the condition estimate's integers */
};

/* Whether a matrix (d,d) is needed at all. */
static bool solves(const struct problem *p, const struct settings *settings)
{
    return p->mixer != MIXER_NONE && (!token_norm(p) || settings->gradient != GRADIENT_NONE);
}

/* Of one thread: M (d,d) with the condition estimate (4 d), w, next, apart and taken (d), the mixer's. */
static int64_t scratch_size(const struct problem *p, const struct settings *settings)
{
    int64_t back = settings->gradient != GRADIENT_NONE ? mixer_gradient_scratch(p) : 0, forth = mixer_scratch(p);
    return (solves(p, settings) ? p->d * p->d : 0) + 8 * p->d + (back > forth ? back : forth) + 64;
}

extern const struct implementation VARIANT(selective_dense_sequential); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(selective_dense_sequential)) ||
        !sequential_supports(settings, support))
        return;
    int threads = environment->threads;
    double d = (double)p->d;
    if (solves(p, settings) && d * d > 2147483647) { /* LAPACK's integers */
        support_no(support, "d = %.0f: a d x d matrix is beyond LAPACK's 32-bit integers", d);
        return;
    }
    double reals = sequential_reals(p, threads) + (double)scratch_size(p, settings) * threads;
    if (settings->gradient != GRADIENT_NONE)
        reals += sequential_gradient_reals(p, 0, threads);
    support_memory(support, p, settings, environment, reals * sizeof(real) + 2 * d * threads * sizeof(int));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, apply = mixer_apply_operations(p) + 4 * d;
    (void)settings, (void)environment, (void)l;
    *work = (struct work){
        .bytes = sequential_bytes(p), .operations = sequential_operations(p), .exponentials = sequential_exponentials(p)};
    /* the least: an iteration from 0 that stands where it began, or the solve; how many it takes depends on the inputs */
    if (p->mixer != MIXER_NONE)
        work->operations += tokens * (token_norm(p) ? 2 * (apply + 9 * d) : d * apply + 8 * d * d * d / 3 + 2 * apply);
    else
        work->operations += tokens * (token_norm(p) ? 9 * d : 2 * d);
    work->library = p->mixer != MIXER_NONE && !token_norm(p);
    work->set = work->bytes; /* everything once */
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        sequential_close(&plan->sequential);
        sequential_gradient_close(&plan->gradient);
        free(plan->memory);
        free(plan->pivots);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(selective_dense_sequential), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->scratch = (scratch_size(p, settings) + 15) / 16 * 16;
    plan->memory = memory_allocate(plan->scratch * environment->threads, sizeof(real));
    plan->pivots = memory_allocate(2 * p->d * environment->threads, sizeof(int));
    if (plan->memory == NULL || plan->pivots == NULL || !sequential_open(p, settings, environment->threads, &plan->sequential) ||
        (settings->gradient != GRADIENT_NONE && !sequential_gradient_open(p, 0, environment->threads, &plan->gradient))) {
        destroy(plan);
        return status_no_memory();
    }
    plan->gradient.at_most = plan->sequential.at_most;
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

/* ---- A token --------------------------------------------------------------------------------------------------------------- */

/* Scratch of one thread. */
struct room {
    real *w, *next, *apart, *taken, *M, *estimate, *rest;
    int *pivots;
};

static struct room room_of(const struct plan *plan, int thread, bool matrix)
{
    const struct problem *p = &plan->sequential.problem;
    struct room room = {.w = plan->memory + thread * plan->scratch};
    room.next = room.w + p->d;
    room.apart = room.next + p->d;
    room.taken = room.apart + p->d;
    room.estimate = room.taken + p->d;
    room.M = room.estimate + 4 * p->d;
    room.rest = room.M + (matrix ? p->d * p->d : 0);
    room.pivots = plan->pivots + thread * 2 * p->d;
    return room;
}

/* w = base + response . xt, xt = x - (I - Q)(x - y) */
static void put(const struct problem *p, const struct equation *e, const struct room *room, const real *y, real *xt)
{
    token_mix(p, e->q, e->x, y, room->apart, xt, room->rest);
#pragma omp simd
    for (int64_t c = 0; c < p->d; c++)
        room->w[c] = e->base[c] + e->response[c] * xt[c];
}

static enum answer not_there(enum answer answer, real *y, real *xt, int64_t d)
{
    fill(y, (real)NAN, d);
    fill(xt, (real)NAN, d);
    return answer;
}

static enum answer solve_linear(const struct problem *p, const struct equation *e, const struct room *room, real *y, real *xt)
{
    int64_t d = p->d;
    int n = (int)d, one = 1, info;
    mixer_matrix(p, e->q, room->M, room->rest);
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = 0; i < d; i++)
            room->M[j * d + i] = (real)(i == j) - e->response[i] * room->M[j * d + i];
    enum decomposition decomposition = matrix_decompose(d, room->M, room->estimate, room->pivots);
    if (decomposition != DECOMPOSED)
        return not_there(decomposition == SINGULAR ? ANSWER_SINGULAR : ANSWER_NOT_FINITE, y, xt, d);
    for (int64_t c = 0; c < d; c++)
        room->apart[c] = e->x[c] - (e->base[c] + e->response[c] * e->x[c]);
    lapack_getrs("N", &n, &one, room->M, &n, room->pivots, room->apart, &n, &info, 1);
    mixer_apply(p, e->q, room->apart, xt, room->rest);
    /* y = x - apart; xt is x - taken, or what y is made of, whichever is the difference of smaller numbers. */
    for (int64_t c = 0; c < d; c++) {
        real response = e->response[c], taken = xt[c], beyond = e->x[c] - room->apart[c];
        xt[c] = e->x[c] - taken;
        y[c] = real_abs(response) > 1 ? beyond : e->base[c] + response * xt[c];
        if (real_abs(response) * (real_abs(e->x[c]) + real_abs(taken)) > real_abs(beyond) + real_abs(e->base[c]) &&
            real_abs(response) > 1)
            xt[c] = (beyond - e->base[c]) / response;
    }
    return ANSWER_FOUND;
}

/* How far rounding can move the next iterate: of what w was summed from, as the LayerNorm magnifies it. */
static real rounding(const struct problem *p, const struct equation *e, struct row_norm norm, const real *xt)
{
    real size = 0;
    for (int64_t c = 0; c < p->d; c++)
        size = real_max(size, real_abs(e->base[c]) + real_abs(e->response[c]) * (real_abs(e->x[c]) + real_abs(xt[c])));
    return REAL_EPSILON * (size * norm.inverse * max_abs(e->gain, p->d) + max_abs(e->bias, p->d));
}

/* At rest: it moves by no more than a unit of rounding of its largest channel, or has stayed within NOISE of them for a WINDOW. */
static enum answer iterate(const struct problem *p, const struct equation *e, const struct room *room, real *y, real *xt)
{
    int64_t d = p->d;
    real *place = room->estimate, strayed = 0;
    fill(y, 0, d);
    fill(place, 0, d);
    for (int64_t i = 0; i < (e->at_most > 0 ? e->at_most : EQUATION_ITERATIONS); i++) {
        put(p, e, room, y, xt);
        struct row_norm norm = norm_row(room->w, e->gain, e->bias, room->next, d);
        real change = 0, size = 0, finite = 0;
#pragma omp simd reduction(max : change, size, strayed) reduction(+ : finite)
        for (int64_t c = 0; c < d; c++) {
            real next = room->next[c], moved = real_abs(next - y[c]), large = real_abs(next), away = real_abs(next - place[c]);
            change = moved > change ? moved : change;
            strayed = away > strayed ? away : strayed;
            size = large > size ? large : size;
            finite += next - next;
            y[c] = next;
        }
        if (finite != 0)
            return not_there(ANSWER_NOT_FINITE, y, xt, d);
        bool passed = i % WINDOW == WINDOW - 1;
        if (change <= REAL_EPSILON * size || (passed && strayed <= NOISE * rounding(p, e, norm, xt))) {
            token_mix(p, e->q, e->x, y, room->apart, xt, room->rest);
            return ANSWER_FOUND;
        }
        if (passed) {
            memcpy(place, y, (size_t)d * sizeof *place);
            strayed = 0;
        }
    }
    if (e->at_most == 0)
        return not_there(ANSWER_NONE, y, xt, d);
    token_mix(p, e->q, e->x, y, room->apart, xt, room->rest);
    return ANSWER_ITERATE;
}

static enum answer solve(struct plan *plan, int thread, const struct equation *equation, real *y, real *xt)
{
    const struct problem *p = &plan->sequential.problem;
    bool norm = equation->gain != NULL;
    const struct room room = room_of(plan, thread, p->mixer != MIXER_NONE && !norm);
    if (p->mixer != MIXER_NONE)
        return norm ? iterate(p, equation, &room, y, xt) : solve_linear(p, equation, &room, y, xt);
    put(p, equation, &room, equation->x, xt);
    if (norm)
        norm_row(room.w, equation->gain, equation->bias, y, p->d);
    else
        memcpy(y, room.w, (size_t)p->d * sizeof(real));
    return ANSWER_FOUND;
}

/* M^T lambda = ybar + (I - Q)^T pull, M = I - L diag(response) (I - Q) */
static enum answer adjoint(struct plan *plan, int thread, const struct equation *e, const real *w, struct row_norm norm,
                           const real *pull, const real *ybar, real *lambda)
{
    const struct problem *p = &plan->sequential.problem;
    int64_t d = p->d;
    int n = (int)d, one = 1, info;
    memcpy(lambda, ybar, (size_t)d * sizeof(real));
    if (p->mixer == MIXER_NONE)
        return ANSWER_FOUND;
    const struct room room = room_of(plan, thread, true);
    mixer_matrix(p, e->q, room.M, room.rest);
    for (int64_t j = 0; j < d; j++) {
        real *column = room.M + j * d;
        for (int64_t i = 0; i < d; i++)
            column[i] *= e->response[i];
        if (e->gain != NULL)
            norm_row_through(w, norm, column, column, d);
        for (int64_t i = 0; i < d; i++)
            column[i] = (real)(i == j) - (e->gain != NULL ? e->gain[i] * column[i] : column[i]);
    }
    enum decomposition decomposition = matrix_decompose(d, room.M, room.estimate, room.pivots);
    if (decomposition != DECOMPOSED) {
        fill(lambda, (real)NAN, d);
        return decomposition == SINGULAR ? ANSWER_SINGULAR : ANSWER_NOT_FINITE;
    }
    mixer_apply_gradient(p, e->q, pull, pull, room.taken, NULL, room.rest); /* what it is applied to counts for q's adjoint alone */
    add_scaled(1, room.taken, lambda, d);
    lapack_getrs("T", &n, &one, room.M, &n, room.pivots, lambda, &n, &info, 1);
    return ANSWER_FOUND;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    return sequential_forward(&plan->sequential, plan, solve, inputs, outputs, trace);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return sequential_gradient_run(&plan->gradient, plan, adjoint, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(selective_dense_sequential) = {
    .name = "dense_sequential",
    .summary = "exact answer token by token, each iterating d numbers until it no longer moves; any mixer",
    .options = SEQUENTIAL_OPTIONS,
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_SELECTIVE,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
