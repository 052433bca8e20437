/* anderson: Anderson's acceleration of the paper's iteration, for any mixer, linear or not. With g = f(h) - h, and the differences dF
 * and dG of f(h) and of g from one iteration to the next, up to memory=M of them,
 *
 *     h <- f(h) - dF c,   c the least-squares solution of dG c = g,
 *
 * each sequence by itself: one application of the map an iteration, like the iteration itself. dG is kept as orthonormal vectors times
 * a triangle (basis.h), to which a difference is added as it comes. When there are M, or the last is a combination of those before it up
 * to rounding, the memory begins anew.
 *
 * The residual is the iteration's own, max|f(h) - h| / max|f(h)| of a token. With a tolerance, a sequence that is below it stays where
 * it is while the others go on. */
#include "impls/contract/support.h"
#include "impls/math/basis.h"
#include "impls/math/finite.h"
#include "impls/math/iteration.h"
#include "impls/math/map.h"
#include "impls/math/residual.h"
#include "impls/math/vector.h"

#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    struct settings settings;
    struct map map;
    struct basis basis; /* of dG */
    real *dF;           /* (B,M,d T) */
    real *next, *f, *g; /* (B,T,d): f(h); that of the iteration before, and its f(h) - h */
    real *change;       /* (B,T,d) of g */
    double *R;          /* (B,M,M) the triangle, column by column */
    double *c;          /* (B,M+1) */
    real *token;        /* (B,T) residuals */
    double *row;        /* (B) */
    bool *moves, *adds; /* (B) sequences that are not below the tolerance; of these, those with an iteration before */
};

enum { MEMORY = 10 }; /* differences, if the option is not set */

/* A difference of which no more than this is new is a combination of those before it. */
#define DEPENDENT sqrt(REAL_EPSILON)

/* 0: the option is no number of differences. */
static int64_t memory_of(const struct settings *settings)
{
    int64_t M = option_count(settings, "memory", MEMORY);
    return M <= 1000 ? M : 0;
}

static double plan_reals(const struct problem *p, const struct settings *settings, int threads)
{
    double B = (double)p->B, T = (double)p->T, M = (double)memory_of(settings), n = B * T * (double)p->d;
    double doubles = B * (M * M + M + 4);
    return basis_reals(p, (int64_t)M) + map_reals(p, threads) + n * (M + 4) + B * T +
           doubles * (double)sizeof(double) / (double)sizeof(real);
}

extern const struct implementation VARIANT(anderson); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(anderson)))
        return;
    if (settings->damping < 1 || settings->patience > 0)
        support_no(support, "damping is not supported (each step follows from earlier iterations); use fixed_point");
    else if (memory_of(settings) == 0)
        support_no(support, "memory=%s: must be between 1 and 1000", settings_option(settings, "memory"));
    else
        support_memory(support, p, settings, environment, plan_reals(p, settings, environment->threads) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double n = (double)p->B * (double)p->T * (double)p->d, M = (double)memory_of(settings);
    iteration_count(p, settings, environment, l, work);
    for (int64_t i = 1; i < l;
         i++) { /* with so many vectors: differences, the next one, its products with g, and the combination */
        double vectors = (double)((i - 1) % (int64_t)M);
        work->bytes += n * (8 + 2 * (vectors + 1) + 3) * sizeof(real);
        work->operations += n * (3 + 4 * (vectors + 1));
        basis_count(p, vectors, work);
    }
    work->set += n * (2 * (l < (int64_t)M ? (double)l : M) + 3) * sizeof(real);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        map_close(&plan->map);
        basis_close(&plan->basis);
        free(plan->dF);
        free(plan->next);
        free(plan->f);
        free(plan->g);
        free(plan->change);
        free(plan->R);
        free(plan->c);
        free(plan->token);
        free(plan->row);
        free(plan->moves);
        free(plan->adds);
    }
    free(plan);
}

static bool allocate(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    int64_t M = memory_of(&plan->settings), n = p->B * p->T * p->d;
    plan->dF = memory_allocate(n * M, sizeof(real));
    plan->next = memory_allocate(n, sizeof(real));
    plan->f = memory_allocate(n, sizeof(real));
    plan->g = memory_allocate(n, sizeof(real));
    plan->change = memory_allocate(n, sizeof(real));
    plan->R = memory_allocate(p->B * M * M, sizeof(double));
    plan->c = memory_allocate(p->B * (M + 1), sizeof(double));
    plan->token = memory_allocate(p->B * p->T, sizeof(real));
    plan->row = memory_allocate(p->B, sizeof(double));
    plan->moves = memory_allocate(p->B, sizeof(bool));
    plan->adds = memory_allocate(p->B, sizeof(bool));
    return plan->dF != NULL && plan->next != NULL && plan->f != NULL && plan->g != NULL && plan->change != NULL &&
           plan->R != NULL && plan->c != NULL && plan->token != NULL && plan->row != NULL && plan->moves != NULL &&
           plan->adds != NULL;
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(anderson), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->settings = *settings;
    if (!map_open(p, settings_option(settings, "split"), environment->threads, &plan->map) ||
        !basis_open(p, memory_of(settings), environment->threads, &plan->basis) || !allocate(plan)) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

/* From h and f(h): the differences to the iteration before, where there was one, and this one in its place. */
static void take_differences(const struct plan *plan, const real *h)
{
    const struct problem *p = &plan->problem;
    const struct basis *basis = &plan->basis;
    int64_t n = p->T * p->d, M = basis->most;
#pragma omp parallel for num_threads(basis->threads) schedule(static)
    for (int64_t i = 0; i < p->B * p->T; i++) {
        int64_t b = i / p->T, at = i * p->d;
        const real *x = h + at, *next = plan->next + at;
        real *f = plan->f + at, *g = plan->g + at, *change = plan->change + at;
        real *dF = plan->dF + (b * M + basis->count[b]) * n + i % p->T * p->d;
        for (int64_t c = 0; c < p->d && plan->adds[b]; c++) {
            dF[c] = next[c] - f[c];
            change[c] = (next[c] - x[c]) - g[c];
        }
        for (int64_t c = 0; c < p->d && plan->moves[b]; c++) {
            f[c] = next[c];
            g[c] = next[c] - x[c];
        }
    }
}

/* c <- -R^{-1} (products with g) of sequence b. */
static void solve_triangle(const struct plan *plan, int64_t b)
{
    int64_t k = plan->basis.count[b], M = plan->basis.most;
    const double *R = plan->R + b * M * M, *products = plan->basis.c + b * (M + 1);
    double *c = plan->c + b * (M + 1);
    for (int64_t i = k - 1; i >= 0; i--) {
        double sum = -products[i];
        for (int64_t j = i + 1; j < k; j++)
            sum -= R[j * M + i] * c[j];
        c[i] = sum / R[i * M + i];
    }
}

/* h <- f(h) - dF c of the sequences that move. */
static void accelerate(struct plan *plan, real *h)
{
    const struct problem *p = &plan->problem;
    struct basis *basis = &plan->basis;
    int64_t n = p->T * p->d, M = basis->most;
    for (int64_t b = 0; b < p->B; b++)
        if (basis->count[b] == M)
            basis->count[b] = 0;
    take_differences(plan, h);
    basis_append(basis, plan->adds, DEPENDENT, plan->change);
    for (int64_t b = 0; b < p->B; b++) {
        int64_t last = basis->count[b] - 1;
        if (basis->grown[b])
            memcpy(plan->R + (b * M + last) * M, basis->c + b * (M + 1), (size_t)(last + 1) * sizeof(double));
        else
            basis->count[b] = 0;
    }
    basis_dots(basis, plan->moves, plan->g);
    for (int64_t b = 0; b < p->B; b++)
        if (plan->moves[b]) {
            solve_triangle(plan, b);
            memcpy(h + b * n, plan->next + b * n, (size_t)n * sizeof(real));
            plan->adds[b] = true;
        }
    basis_add(basis, plan->moves, plan->dF, plan->c, basis->count, h);
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const struct settings *settings = &plan->settings;
    int64_t size = p->B * p->T * p->d, l = 0, wanted = residual_wanted(p, settings), converged = 0;
    double *residual = trace != NULL && trace->residual != NULL ? trace->residual : plan->row;
    bool residuals = settings->tolerance > 0 || residual != plan->row;
    struct status status = status_ok();
    real *h = outputs->h;

    trace_begin(p, trace);
    map_begin(&plan->map, inputs);
    fill(h, 0, size);
    for (int64_t b = 0; b < p->B; b++) {
        plan->basis.count[b] = 0;
        plan->moves[b] = true;
        plan->adds[b] = false;
    }
    while (l < settings->l_max && converged < wanted && status.code == STATUS_OK) {
        l++;
        map_apply(&plan->map, inputs, h, l == 1, plan->next);
        status = finite_status(p, plan->next);
        for (int64_t b = 0; residuals && b < p->B; b++)
            residual[b] = INFINITY; /* of an iterate that is not finite */
        if (residuals && status.code == STATUS_OK) {
            residual_measure(p, plan->map.scan.threads, h, plan->next, plan->token, residual);
            converged = residual_count(p, settings->tolerance, residual, l, trace != NULL ? trace->l : NULL);
            for (int64_t b = 0; b < p->B; b++)
                plan->moves[b] = !(residual[b] < settings->tolerance);
        }
        for (int64_t b = 0; b < p->B; b++)
            plan->adds[b] = plan->adds[b] && plan->moves[b];
        if (status.code == STATUS_OK)
            accelerate(plan, h);
        else
            memcpy(h, plan->next, (size_t)size * sizeof(real));
        trace_keep(p, trace, l, h);
        if (residual != plan->row)
            residual += p->B;
    }
    return iterates_finish(p, settings, outputs, trace, status, l, converged);
}

const struct implementation VARIANT(anderson) = {
    .name = "anderson",
    .summary = "Anderson's acceleration of the iteration with the last memory=M differences (10), any mixer",
    .options = SCAN_OPTIONS " memory=",
    .device = DEVICE_CPU,
    .solver = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .destroy = destroy,
};
