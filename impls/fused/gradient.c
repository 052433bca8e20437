/* See gradient.h. */
#include "impls/fused/gradient.h"

#include "impls/contract/support.h"
#include "impls/fused/gradient_core.h"
#include "impls/fused/update.h"
#include "impls/math/activation.h"
#include "impls/math/adjoint.h"
#include "impls/math/finite.h"

#include <omp.h>
#include <stdlib.h>

#define INLINE static inline __attribute__((always_inline))

enum { V, LAMBDA, FROM, BEFORE, RAW, OUT, ROWS }; /* what a desk has a row for */

/* What a thread works on; rows of n vectors are filled up with zeros. */
struct desk {
    lanes *x, *sigma;               /* (R,n) SiLU(raw), where r ends zero; (r,n) 1 / (1 + e^-raw) */
    lanes *carried;                 /* (applications,n) Lambda' s^k' */
    lanes *s;                       /* (n) */
    lanes *rows;                    /* (ROWS,n) rows of d channels that are no whole vectors */
    lanes *v, *lambda, *u;          /* (n), (n), (r,n) adjoints, where they have no place of their own */
    real *zero, *loss;              /* (n) a state, and the adjoint of the outputs at a token */
    real *xi, *pi, *b, *c, *solved; /* (R) U^T x, U^T G s; (r) b, c, and C^T U^T G a */
    real *along;                    /* (r) u_i . its adjoint */
    struct fused_gradient_core core;
};

static int64_t row_vectors(const struct problem *p)
{
    return (p->d + LANES - 1) / LANES;
}

static int64_t vectors_of(int64_t reals)
{
    return (reals + LANES - 1) / LANES;
}

static int64_t applications(const struct settings *settings)
{
    return settings->gradient == GRADIENT_STEPS ? settings->gradient_steps : 1;
}

static int64_t iterates_size(const struct problem *p, const struct settings *settings)
{
    return settings->gradient == GRADIENT_STEPS ? p->B * p->T * applications(settings) * row_vectors(p) * LANES : 0;
}

/* Vectors of a desk; `at` is where it begins, or NULL. */
static int64_t desk_lay(const struct problem *p, int64_t applications, lanes *at, struct desk *desk)
{
    int64_t n = row_vectors(p), r = p->r;
    lanes *core = NULL;
    const struct {
        void *place;
        int64_t vectors;
    } parts[] = {
        {&desk->x, fused_rank(r) * n},
        {&desk->sigma, r * n},
        {&desk->carried, applications * n},
        {&desk->s, n},
        {&desk->rows, ROWS * n},
        {&desk->v, n},
        {&desk->lambda, n},
        {&desk->u, r * n},
        {&desk->zero, n},
        {&desk->loss, n},
        {&desk->xi, vectors_of(fused_rank(r))},
        {&desk->pi, vectors_of(fused_rank(r))},
        {&desk->b, vectors_of(r)},
        {&desk->c, vectors_of(r)},
        {&desk->solved, vectors_of(r)},
        {&desk->along, vectors_of(r)},
        {&core, vectors_of(fused_gradient_core_size(r))},
    };
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        lanes *place = at != NULL ? at + sum : NULL;
        memcpy(parts[i].place, &place, sizeof place);
        sum += parts[i].vectors;
    }
    if (at != NULL)
        fused_gradient_core_lay(r, (real *)core, &desk->core);
    return sum;
}

double fused_gradient_reals(const struct problem *p, const struct settings *settings, int threads)
{
    struct desk desk;
    const int64_t desk_reals = desk_lay(p, applications(settings), NULL, &desk) * LANES;
    return (double)desk_reals * threads + (double)iterates_size(p, settings);
}

bool fused_gradient_open(const struct problem *p, const struct settings *settings, int threads, struct fused_gradient *g)
{
    struct desk desk;
    *g = (struct fused_gradient){
        .problem = *p, .threads = threads, .exact = settings->gradient == GRADIENT_EXACT, .n = applications(settings)};
    g->scratch = desk_lay(p, g->n, NULL, &desk);
    g->memory = memory_allocate(g->scratch * threads, sizeof(lanes));
    g->iterates = memory_allocate(iterates_size(p, settings), sizeof(real));
    if (g->memory != NULL && g->iterates != NULL)
        return true;
    fused_gradient_close(g);
    return false;
}

void fused_gradient_close(struct fused_gradient *g)
{
    free(g->memory);
    free(g->iterates);
    *g = (struct fused_gradient){0};
}

/* What the threads of one run share. */
struct run {
    const struct fused_gradient *g;
    const struct inputs *inputs;
    const struct outputs *outputs, *grad_outputs;
    const struct gradients *gradients;
};

/* Whether rows of d channels are whole vectors: they are used where they lie then. */
static bool fits(const struct problem *p)
{
    return p->d % LANES == 0;
}

static real *place(const struct problem *p, const struct desk *desk, int which)
{
    return (real *)(desk->rows + which * row_vectors(p));
}

/* A row of d channels in whole vectors: where it lies, or copied to `place`. */
INLINE const real *whole(const struct problem *p, const real *from, real *place)
{
    if (fits(p))
        return from;
    fill(place, 0, row_vectors(p) * LANES);
    memcpy(place, from, (size_t)p->d * sizeof(real));
    return place;
}

/* Where to compute a row that is asked for, or that is not (NULL): where it goes, or at `place`, which row_end() copies. */
INLINE real *row_begin(const struct problem *p, real *to, lanes *place)
{
    return to != NULL && fits(p) ? to : (real *)place;
}

INLINE void row_end(const struct problem *p, real *to, const real *computed)
{
    if (to != NULL && to != computed)
        memcpy(to, computed, (size_t)p->d * sizeof(real));
}

enum { FEW = 4 }; /* vectors of a mixer whose sums are taken in one go, at the most */

/* to (n) = the sums over the lanes of sum (n) */
INLINE void add_up(const int n, const lanes *sum, real *to)
{
#pragma GCC unroll 4
    for (int from = 0; from < n; from += LANES) {
        const int count = n - from < LANES ? n - from : LANES;
        lanes some[LANES];
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            some[i] = i < count ? sum[from + i] : (lanes){0};
        lanes total = lanes_sums(some);
        memcpy(to + from, &total, (size_t)count * sizeof(real));
    }
}

static void activate(const struct problem *p, const real *theta, const struct desk *desk)
{
    int64_t d = p->d, n = row_vectors(p) * LANES;
    for (int64_t i = 0; i < p->r; i++) {
        const real *raw = theta + i * d;
        real *x = (real *)desk->x + i * n, *sigma = (real *)desk->sigma + i * n;
#pragma omp simd
        for (int64_t c = 0; c < d; c++) {
            real s = 1 / (1 + exponential_within(-raw[c]));
            sigma[c] = s;
            x[c] = raw[c] * s;
        }
    }
}

/* x_i . x_k and x_i . G x_k for k <= i, into N and W of the core. */
INLINE void products(const struct problem *p, const int64_t r, const real *lambda, const struct desk *desk)
{
    const real gating = p->form == FORM_NORMALISED;
    int64_t n = row_vectors(p);
    for (int64_t i = 0; i < r; i++)
        for (int64_t k = 0; k <= i; k++) {
            lanes sum[2] = {{0}, {0}};
            real sums[2];
            for (int64_t j = 0; j < n; j++) {
                lanes product = desk->x[i * n + j] * desk->x[k * n + j];
                sum[0] += product;
                sum[1] += product - gating * lanes_load(lambda + j * LANES) * product;
            }
            add_up(2, sum, sums);
            desk->core.N[i * r + k] = sums[0];
            desk->core.W[i * r + k] = sums[1];
        }
}

/* to (r) = E from, or E^T from */
INLINE void times(const int64_t r, const real *E, bool transposed, const real *from, real *to)
{
    for (int64_t i = 0; i < r; i++) {
        to[i] = 0;
        for (int64_t j = 0; j < r; j++)
            to[i] += (transposed ? E[j * r + i] : E[i * r + j]) * from[j];
    }
}

/* sum_i x_i a_i at vector j */
INLINE lanes combined(const int64_t r, int64_t n, const lanes *x, const real *a, int64_t j)
{
    lanes sum = x[j] * a[0];
    for (int64_t i = 1; i < r; i++)
        sum += x[i * n + j] * a[i];
    return sum;
}

INLINE void in_units_of_x(const int64_t r, const real *inverse, real *a)
{
    for (int64_t i = 0; i < r; i++)
        a[i] *= inverse[i];
}

/* ---- Forward: F^1 ... F^n --------------------------------------------------------------------------------------------------- */

/* One application at one token: to = Lambda before + G (v + U E U^T (from - v)). */
INLINE void apply(const struct problem *p, const int64_t r, const int few, const real *v, const real *lambda, const real *from,
                  const real *before, real *to, const struct desk *desk)
{
    const real gating = p->form == FORM_NORMALISED;
    int64_t n = row_vectors(p);
    for (int64_t first = 0; first < r; first += few) {
        lanes sum[FEW] = {{0}};
        for (int64_t j = 0; j < n; j++) {
            lanes x = lanes_load(from + j * LANES) - lanes_load(v + j * LANES);
#pragma GCC unroll 4
            for (int i = 0; i < few; i++)
                sum[i] += desk->x[(first + i) * n + j] * x;
        }
        add_up(few, sum, desk->xi + first);
    }
    in_units_of_x(r, desk->core.inverse, desk->xi);
    times(r, desk->core.E, false, desk->xi, desk->b);
    in_units_of_x(r, desk->core.inverse, desk->b);
    for (int64_t j = 0; j < n; j++) {
        lanes decay = lanes_load(lambda + j * LANES), drive = lanes_load(v + j * LANES) + combined(r, n, desk->x, desk->b, j);
        lanes_store(to + j * LANES, decay * (lanes_load(before + j * LANES) - gating * drive) + drive);
    }
}

INLINE void forward_token(const struct run *run, const int64_t r, const int few, int64_t b, int64_t t, const struct desk *desk)
{
    const struct fused_gradient *g = run->g;
    const struct problem *p = &g->problem;
    int64_t d = p->d, m = problem_m(p), i = b * p->T + t;
    int64_t width = row_vectors(p) * LANES;
    const real *theta = (const real *)run->inputs->theta + i * m;
    const real *v = whole(p, (const real *)run->inputs->v + i * d, place(p, desk, V));
    const real *lambda = whole(p, (const real *)run->inputs->lambda + i * d, place(p, desk, LAMBDA));
    const real *from = whole(p, (const real *)run->outputs->h + i * d, place(p, desk, FROM));
    const real *initial =
        whole(p, run->inputs->h0 != NULL ? (const real *)run->inputs->h0 + b * d : desk->zero, place(p, desk, BEFORE));
    activate(p, theta, desk);
    products(p, r, lambda, desk);
    fused_gradient_core_make(p, theta + r * d, false, &desk->core);
    for (int64_t k = 0; k < g->n; k++) {
        real *to = g->iterates + (i * g->n + k) * width;
        apply(p, r, few, v, lambda, from, t > 0 ? to - g->n * width : initial, to, desk);
        from = to;
    }
}

/* ---- Backward --------------------------------------------------------------------------------------------------------------- */

/* What application k reads and leaves at one token. */
struct application {
    const real *v, *lambda, *from, *before; /* F^{k-1}_t, F^k_{t-1} */
    const real *loss;                       /* of the last application; NULL: s comes from the application after */
    lanes *carried;
    real *v_adjoint, *lambda_adjoint;
    bool stream; /* past the caches: aligned then */
    bool add;    /* to them, and to the adjoints of u */
};

/* s, and what is summed of it and of x: U^T x and U^T G s. c is in units of x. */
INLINE void take(const struct problem *p, const int64_t r, const int few, const struct application *at, const struct desk *desk)
{
    const real gating = p->form == FORM_NORMALISED;
    int64_t n = row_vectors(p);
    for (int64_t j = 0; j < n; j++)
        desk->s[j] = at->carried[j] + (at->loss != NULL ? lanes_load(at->loss + j * LANES) : combined(r, n, desk->x, desk->c, j));
    for (int64_t first = 0; first < r; first += few) {
        lanes xi[FEW] = {{0}}, pi[FEW] = {{0}};
        for (int64_t j = 0; j < n; j++) {
            lanes s = desk->s[j], x = lanes_load(at->from + j * LANES) - lanes_load(at->v + j * LANES),
                  driven = s - gating * lanes_load(at->lambda + j * LANES) * s;
#pragma GCC unroll 4
            for (int i = 0; i < few; i++) {
                xi[i] += desk->x[(first + i) * n + j] * x;
                pi[i] += desk->x[(first + i) * n + j] * driven;
            }
        }
        add_up(few, xi, desk->xi + first);
        add_up(few, pi, desk->pi + first);
    }
}

/* b, c and what the r dimensions add; exact: s <- s + U `solved`, first of all. */
INLINE void meet(const int64_t r, bool exact, const struct desk *desk)
{
    const struct fused_gradient_core *core = &desk->core;
    in_units_of_x(r, core->inverse, desk->xi);
    in_units_of_x(r, core->inverse, desk->pi);
    if (exact) {
        times(r, core->C, true, desk->pi, desk->solved);
        for (int64_t i = 0; i < r; i++)
            for (int64_t j = 0; j < r; j++)
                desk->pi[i] += core->W[i * r + j] * desk->solved[j];
        in_units_of_x(r, core->inverse, desk->solved);
    }
    times(r, core->E, false, desk->xi, desk->b);
    times(r, core->E, true, desk->pi, desk->c);
    for (int64_t i = 0; i < r; i++) {
        desk->along[i] += desk->b[i] * desk->pi[i] + desk->c[i] * desk->xi[i];
        for (int64_t j = 0; j < r; j++)
            core->E_adjoint[i * r + j] += desk->pi[i] * desk->xi[j];
    }
}

INLINE void row_add(const struct application *at, real *to, lanes a)
{
    if (at->stream)
        lanes_stream(to, a);
    else
        lanes_store(to, at->add ? lanes_load(to) + a : a);
}

INLINE void give(const struct problem *p, const int64_t r, bool exact, const struct application *at, const struct desk *desk)
{
    const real gating = p->form == FORM_NORMALISED;
    int64_t n = row_vectors(p);
    const real *inverse = desk->core.inverse;
    real *b = desk->xi, *c = desk->pi; /* in units of x, where what they were made from is done with */
    for (int64_t i = 0; i < r; i++) {
        b[i] = desk->b[i] * inverse[i];
        c[i] = desk->c[i] * inverse[i];
    }
    for (int64_t j = 0; j < n; j++) {
        lanes s = exact ? desk->s[j] + combined(r, n, desk->x, desk->solved, j) : desk->s[j];
        lanes decay = lanes_load(at->lambda + j * LANES), v = lanes_load(at->v + j * LANES),
              x = lanes_load(at->from + j * LANES) - v, kept = decay * s;
        lanes driven = s - gating * kept, mixed = gating * (v + combined(r, n, desk->x, b, j));
        lanes v_adjoint = driven - combined(r, n, desk->x, c, j), lambda_adjoint = s * (lanes_load(at->before + j * LANES) - mixed);
        at->carried[j] = kept;
        row_add(at, at->v_adjoint + j * LANES, v_adjoint);
        row_add(at, at->lambda_adjoint + j * LANES, lambda_adjoint);
        for (int64_t i = 0; i < r; i++) {
            lanes u_adjoint = driven * desk->b[i] + x * desk->c[i];
            desk->u[i * n + j] = at->add ? desk->u[i * n + j] + u_adjoint : u_adjoint;
        }
    }
    memcpy(desk->c, c, (size_t)r * sizeof(real));
}

/* theta's adjoint (m) of a token. */
INLINE void activate_back(const struct problem *p, const int64_t r, const real *theta, const struct desk *desk, real *to)
{
    const struct fused_gradient_core *core = &desk->core;
    int64_t n = row_vectors(p);
    fused_gradient_core_back(p, core);
    for (int64_t i = 0; i < r; i++) {
        for (int64_t j = 0; j < r; j++)
            desk->along[i] += core->N_adjoint[i * r + j] * core->N[i * r + j];
        for (int64_t j = 0; j < r; j++)
            desk->b[j] = (core->N_adjoint[i * r + j] - (i == j ? core->unit[i] * desk->along[i] : 0)) * core->inverse[j];
        const real *raw = whole(p, theta + i * p->d, place(p, desk, RAW));
        real *row = row_begin(p, to + i * p->d, desk->rows + OUT * n);
        for (int64_t j = 0; j < n; j++) {
            lanes u_adjoint = desk->u[i * n + j] + combined(r, n, desk->x, desk->b, j), s = desk->sigma[i * n + j];
            lanes slope = s * (1 + lanes_load(raw + j * LANES) * (1 - s));
            lanes_store(row + j * LANES, u_adjoint * core->inverse[i] * slope);
        }
        row_end(p, to + i * p->d, row);
        to[r * p->d + i] = core->S_adjoint[i] * (real)p->s * sigmoid_slope(theta[r * p->d + i]);
    }
}

/* The adjoint of the outputs at a token. */
static const real *loss_at(const struct run *run, int64_t b, int64_t t, const struct desk *desk)
{
    const struct problem *p = &run->g->problem;
    if (fits(p) && run->grad_outputs->h != NULL && (run->grad_outputs->final == NULL || t < p->T - 1))
        return (const real *)run->grad_outputs->h + (b * p->T + t) * p->d;
    fill(desk->loss, 0, row_vectors(p) * LANES);
    adjoint_add_token(p, run->grad_outputs, b, t, desk->loss);
    return desk->loss;
}

static bool streamable(const real *row)
{
    return row != NULL && (uintptr_t)row % LANE_BYTES == 0;
}

/* Row i of width n of something that may not be asked for. */
static real *row_of(void *array, int64_t i, int64_t n)
{
    return array != NULL ? (real *)array + i * n : NULL;
}

/* False: there is no answer, and all that follows from it is NaN. */
INLINE bool backward_token(const struct run *run, const int64_t r, const int few, int64_t b, int64_t t, const struct desk *desk)
{
    const struct fused_gradient *g = run->g;
    const struct problem *p = &g->problem;
    const struct inputs *inputs = run->inputs;
    int64_t d = p->d, m = problem_m(p), i = b * p->T + t, n = row_vectors(p), width = n * LANES;
    const real *theta = (const real *)inputs->theta + i * m, *iterates = g->iterates + i * g->n * width;
    const real *initial = inputs->h0 != NULL ? (const real *)inputs->h0 + b * d : desk->zero;
    const real *before = t > 0 ? (const real *)run->outputs->h + (i - 1) * d : initial;
    const real *h = whole(p, (const real *)run->outputs->h + i * d, place(p, desk, FROM));
    real *v_adjoint = row_of(run->gradients->v, i, d), *lambda_adjoint = row_of(run->gradients->lambda, i, d);
    struct application at = {.v = whole(p, (const real *)inputs->v + i * d, place(p, desk, V)),
                             .lambda = whole(p, (const real *)inputs->lambda + i * d, place(p, desk, LAMBDA)),
                             .before = whole(p, g->exact ? before : initial, place(p, desk, BEFORE)),
                             .v_adjoint = row_begin(p, v_adjoint, desk->v),
                             .lambda_adjoint = row_begin(p, lambda_adjoint, desk->lambda)};
    at.stream = g->stream && g->n == 1 && fits(p) && streamable(v_adjoint) && streamable(lambda_adjoint);
    activate(p, theta, desk);
    products(p, r, at.lambda, desk);
    bool regular = fused_gradient_core_make(p, theta + r * d, g->exact, &desk->core);
    fill(desk->along, 0, r);
    for (int64_t k = g->n; k >= 1; k--) {
        if (t > 0 && !g->exact)
            at.before = iterates + (k - 1 - g->n) * width;
        at.from = k > 1 ? iterates + (k - 2) * width : h;
        at.loss = k == g->n ? loss_at(run, b, t, desk) : NULL;
        at.carried = desk->carried + (k - 1) * n;
        at.add = k < g->n;
        take(p, r, few, &at, desk);
        meet(r, g->exact, desk);
        give(p, r, g->exact, &at, desk);
    }
    row_end(p, v_adjoint, at.v_adjoint);
    row_end(p, lambda_adjoint, at.lambda_adjoint);
    if (run->gradients->theta != NULL)
        activate_back(p, r, theta, desk, (real *)run->gradients->theta + i * m);
    return regular;
}

/* ---- Both ------------------------------------------------------------------------------------------------------------------- */

static void fetch(const void *array, int64_t i, int64_t n)
{
    enum { LINE = 64 / sizeof(real) };
    for (int64_t c = 0; array != NULL && c < n; c += LINE)
        __builtin_prefetch((const real *)array + i * n + c);
}

/* What is read and written of a token that comes soon: rows backwards in time are not foreseen by the machine. */
static void fetch_token(const struct run *run, int64_t i, bool backward)
{
    const struct problem *p = &run->g->problem;
    int64_t d = p->d, m = problem_m(p);
    fetch(run->inputs->v, i, d);
    fetch(run->inputs->lambda, i, d);
    fetch(run->inputs->theta, i, m);
    fetch(run->outputs->h, i, d);
    if (!backward)
        return;
    fetch(run->grad_outputs->h, i, d);
    fetch(run->gradients->v, i, d);
    fetch(run->gradients->lambda, i, d);
    fetch(run->gradients->theta, i, m);
    if (!run->g->exact)
        fetch(run->g->iterates, i, run->g->n * row_vectors(p) * LANES);
}

enum { SOON = 2 }; /* tokens ahead */

/* Sequence b; returns the first token that has no answer, or B T. */
INLINE int64_t run_sequence(const struct run *run, const int64_t r, const int few, int64_t b, const struct desk *desk)
{
    const struct fused_gradient *g = run->g;
    const struct problem *p = &g->problem;
    int64_t place = p->B * p->T, n = row_vectors(p), d = p->d;
    for (int64_t t = 0; t < p->T && !g->exact; t++) {
        if (t + SOON < p->T)
            fetch_token(run, b * p->T + t + SOON, false);
        forward_token(run, r, few, b, t, desk);
    }
    for (int64_t j = 0; j < g->n * n; j++)
        desk->carried[j] = (lanes){0};
    for (int64_t t = p->T - 1; t >= 0; t--) {
        if (t >= SOON)
            fetch_token(run, b * p->T + t - SOON, true);
        if (!backward_token(run, r, few, b, t, desk))
            place = b * p->T + t;
    }
    lanes_streamed();
    for (int64_t k = 0; k < g->n && run->gradients->h0 != NULL; k++)
        adjoint_put((real *)run->gradients->h0 + b * d, (real *)(desk->carried + k * n), d, k > 0);
    return place;
}

struct status fused_gradient_run(const struct fused_gradient *g, const struct inputs *inputs, const struct outputs *outputs,
                                 const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct problem *p = &g->problem;
    struct status given = backward_check(p, g->memory != NULL, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    const struct run run = {g, inputs, outputs, grad_outputs, gradients};
    int64_t none = p->B * p->T, place = none;
#pragma omp parallel num_threads(g->threads) reduction(min : place)
    {
        int64_t thread = omp_get_thread_num(), n = omp_get_num_threads(), vectors = row_vectors(p);
        struct desk desk;
        desk_lay(p, g->n, g->memory + thread * g->scratch, &desk);
        for (int64_t j = 0; j < fused_rank(p->r) * vectors; j++)
            desk.x[j] = (lanes){0};
        for (int64_t j = 0; j < p->r * vectors; j++)
            desk.sigma[j] = (lanes){0};
        fill(desk.zero, 0, vectors * LANES);
        for (int64_t b = p->B * thread / n; b < p->B * (thread + 1) / n; b++) {
            int64_t found = p->r == 1   ? run_sequence(&run, 1, 1, b, &desk)
                            : p->r == 2 ? run_sequence(&run, 2, 2, b, &desk)
                            : p->r == 4 ? run_sequence(&run, 4, FEW, b, &desk)
                                        : run_sequence(&run, p->r, FEW, b, &desk);
            place = found < place ? found : place;
        }
    }
    return place < none ? singular_status(p, place) : status_ok();
}
