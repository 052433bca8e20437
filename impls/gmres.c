/* gmres: the fixed-point equation of a linear problem, (I - J) h = f(0) with J the derivative of the map, by GMRES: each sequence by
 * itself, on all its tokens at once. No matrix is formed: J q is the map of the same lambda and mixers with v = 0 and no initial state.
 *
 * An application of the map is either f(h) at the iterate, whose f(h) - h begins a Krylov space, or a product J q that extends it by
 * one vector (basis.h). The space ends after restart=M products (as many as there are iterations, if it is not set), when a product
 * brings nothing new, or when the tolerance seems to be met: f at the iterate then tells, and begins the next one. So the residual at
 * which a sequence has converged is the iteration's own, max|f(h) - h| / max|f(h)| of a token, and has cost an application. Between
 * two evaluations the residual in the trace is the one that GMRES knows from its space. A sequence that is below the tolerance stays
 * where it is while the others go on.
 *
 * The l-th iterate: f(h) right after an evaluation, then what minimises the 2-norm of f(h) - h in the space so far. */
#include "impls/contract/support.h"
#include "impls/math/basis.h"
#include "impls/math/finite.h"
#include "impls/math/iteration.h"
#include "impls/math/map.h"
#include "impls/math/residual.h"
#include "impls/math/vector.h"

#include <stdlib.h>
#include <string.h>

/* One sequence. Of the Hessenberg matrix of I - J only the triangle is kept that rotations made of it, column by column, and what
 * they made of the right-hand side, beta e_1. */
struct krylov {
    bool extends;                  /* the next application is a product; else f at the iterate */
    bool stays;                    /* below the tolerance when it was last evaluated */
    int64_t k;                     /* products in this space */
    double size;                   /* max|h| there */
    double beta;                   /* norm of f(h) - h there */
    double *R;                     /* column j has j + 1 elements */
    double *cos, *sin, *right, *y; /* (M), (M), (M+1), (M+1) */
};

struct plan {
    struct problem problem;
    struct settings settings;
    struct map map;
    struct basis basis;
    real *v, *h0;          /* (B,T,d), (B,d): those of the inputs where f is evaluated, zero where J is */
    real *x;               /* (B,T,d) the iterate that a space began from */
    real *in, *out;        /* (B,T,d) what the map is applied to, and what comes of it */
    real *token;           /* (B,T) residuals */
    double *row;           /* (B) residuals that were just measured */
    double *known, *sure;  /* (B) of this iteration: all that are known; those by f at the iterate alone, else infinite */
    double *memory;        /* of all krylov */
    struct krylov *krylov; /* (B) */
    bool *extends;         /* (B) what this iteration's application was */
    bool *which;           /* (B) the sequences that something is being done with */
    int64_t *n_of;         /* (B) */
};

/* A product of which no more than this is new, times the rounding of the dtype, adds nothing. */
#define DEPENDENT (16 * REAL_EPSILON)
/* When the space has taken this much of f(h) - h away, what is left is rounding. */
#define SOLVED (4 * REAL_EPSILON)

/* Products of a space. 0: the option is no such number. */
static int64_t restart_of(const struct problem *p, const struct settings *settings)
{
    int64_t M = option_count(settings, "restart", settings->l_max), n = p->T * p->d,
            most = n < settings->l_max ? n : settings->l_max;
    return M < most ? M : most;
}

/* Doubles of a krylov. */
static double krylov_size(double M)
{
    return M * (M + 1) / 2 + 4 * M + 2;
}

static double plan_reals(const struct problem *p, const struct settings *settings, int threads)
{
    double B = (double)p->B, n = B * (double)p->T * (double)p->d, M = (double)restart_of(p, settings);
    double doubles = B * (krylov_size(M) + (double)sizeof(struct krylov) / (double)sizeof(double) + 6);
    return basis_reals(p, (int64_t)M + 1) + map_reals(p, threads) + 4 * n + B * (double)(p->d + p->T) +
           doubles * (double)sizeof(double) / (double)sizeof(real);
}

extern const struct implementation VARIANT(gmres); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(gmres)))
        return;
    if (p->feedback != FEEDBACK_NONE)
        support_no(support, "state-dependent mixers are not supported (GMRES needs a linear equation)");
    else if (settings->damping < 1 || settings->patience > 0)
        support_no(support, "damping is not supported; use fixed_point");
    else if (restart_of(p, settings) == 0)
        support_no(support, "restart=%s: must be a number of iterations of at least 1", settings_option(settings, "restart"));
    else
        support_memory(support, p, settings, environment, plan_reals(p, settings, environment->threads) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double n = (double)p->B * (double)p->T * (double)p->d, M = (double)restart_of(p, settings);
    int64_t space = (int64_t)M + 1;
    iteration_count(p, settings, environment, l, work);
    for (int64_t i = 0; i < l; i++) { /* an evaluation begins a space; then so many vectors are there when one is added */
        double vectors = (double)(i % space);
        work->bytes += n * (vectors > 0 ? 5 : 6) * sizeof(real);
        work->operations += n * 2;
        basis_count(p, vectors, work);
    }
    for (int64_t i = 0; i < l; i += space) { /* iterates that spaces end with */
        double vectors = (double)(l - i < space ? l - i : space) - 1;
        work->bytes += n * (vectors + 2) * sizeof(real);
        work->operations += n * 2 * vectors;
    }
    work->set += n * ((l < space ? (double)l : M + 1) + 2) * sizeof(real);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        map_close(&plan->map);
        basis_close(&plan->basis);
        free(plan->v);
        free(plan->h0);
        free(plan->x);
        free(plan->in);
        free(plan->out);
        free(plan->token);
        free(plan->row);
        free(plan->known);
        free(plan->sure);
        free(plan->memory);
        free(plan->krylov);
        free(plan->extends);
        free(plan->which);
        free(plan->n_of);
    }
    free(plan);
}

static bool allocate(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    int64_t n = p->B * p->T * p->d, M = plan->basis.most - 1, size = (int64_t)krylov_size((double)M);
    plan->v = memory_allocate(n, sizeof(real));
    plan->h0 = memory_allocate(p->B * p->d, sizeof(real));
    plan->x = memory_allocate(n, sizeof(real));
    plan->in = memory_allocate(n, sizeof(real));
    plan->out = memory_allocate(n, sizeof(real));
    plan->token = memory_allocate(p->B * p->T, sizeof(real));
    plan->row = memory_allocate(p->B, sizeof(double));
    plan->known = memory_allocate(p->B, sizeof(double));
    plan->sure = memory_allocate(p->B, sizeof(double));
    plan->memory = memory_allocate(p->B * size, sizeof(double));
    plan->krylov = memory_allocate(p->B, sizeof *plan->krylov);
    plan->extends = memory_allocate(p->B, sizeof *plan->extends);
    plan->which = memory_allocate(p->B, sizeof *plan->which);
    plan->n_of = memory_allocate(p->B, sizeof *plan->n_of);
    if (plan->v == NULL || plan->h0 == NULL || plan->x == NULL || plan->in == NULL || plan->out == NULL || plan->token == NULL ||
        plan->row == NULL || plan->known == NULL || plan->sure == NULL || plan->memory == NULL || plan->krylov == NULL ||
        plan->extends == NULL || plan->which == NULL || plan->n_of == NULL)
        return false;
    for (int64_t b = 0; b < p->B; b++) {
        struct krylov *k = &plan->krylov[b];
        k->R = plan->memory + b * size;
        k->cos = k->R + M * (M + 1) / 2;
        k->sin = k->cos + M;
        k->right = k->sin + M;
        k->y = k->right + M + 1;
    }
    return true;
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(gmres), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->settings = *settings;
    if (!map_open(p, settings_option(settings, "split"), environment->threads, &plan->map) ||
        !basis_open(p, restart_of(p, settings) + 1, environment->threads, &plan->basis) || !allocate(plan)) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

/* ---- One sequence's small matrices ----------------------------------------------------------------------------------------- */

/* The column of product k, as the basis left it, becomes one of the triangle. */
static void rotate(struct krylov *krylov, const double *column)
{
    int64_t k = krylov->k++;
    double *R = krylov->R + k * (k + 1) / 2, next = column[0];
    for (int64_t i = 0; i < k; i++) {
        R[i] = krylov->cos[i] * next + krylov->sin[i] * column[i + 1];
        next = krylov->cos[i] * column[i + 1] - krylov->sin[i] * next;
    }
    double norm = hypot(next, column[k + 1]);
    krylov->cos[k] = norm > 0 ? next / norm : 1;
    krylov->sin[k] = norm > 0 ? column[k + 1] / norm : 0;
    R[k] = norm;
    krylov->right[k + 1] = -krylov->sin[k] * krylov->right[k];
    krylov->right[k] *= krylov->cos[k];
}

/* y: the coefficients of the iterate, of which as many are returned. Right after an evaluation the iterate is f(h). A diagonal
 * element that is zero has a column that adds nothing. */
static int64_t solve_triangle(const struct krylov *krylov)
{
    int64_t k = krylov->k;
    if (k == 0) {
        krylov->y[0] = krylov->beta;
        return krylov->extends;
    }
    for (int64_t i = k - 1; i >= 0; i--) {
        double sum = krylov->right[i];
        for (int64_t j = i + 1; j < k; j++)
            sum -= krylov->R[j * (j + 1) / 2 + i] * krylov->y[j];
        double diagonal = krylov->R[i * (i + 1) / 2 + i];
        krylov->y[i] = diagonal > 0 ? sum / diagonal : 0;
    }
    return k;
}

/* y: the coefficients of f(h) - h at that iterate, one more than the iterate's. */
static int64_t solve_residual(const struct krylov *krylov)
{
    int64_t k = krylov->k;
    double rest = krylov->right[k];
    for (int64_t i = k - 1; i >= 0; i--) {
        krylov->y[i + 1] = krylov->cos[i] * rest;
        rest *= -krylov->sin[i];
    }
    krylov->y[0] = rest;
    return k + 1;
}

/* Whether the residual can be below the tolerance at all: ||f(h) - h||_2 is known, and max|h| is no more than that of what the space
 * began from plus the norm of y. The factor is for rounding. */
static bool may_converge(const struct krylov *krylov, double tolerance, double elements)
{
    double squares = 0, rest = fabs(krylov->right[krylov->k]);
    int64_t n = solve_triangle(krylov);
    for (int64_t i = 0; i < n; i++)
        squares += krylov->y[i] * krylov->y[i];
    return rest <= 2 * tolerance * sqrt(elements) * (krylov->size + sqrt(squares) + rest);
}

/* ---- All of them ----------------------------------------------------------------------------------------------------------- */

/* h (B,T,d) = the iterates of plan->which. */
static void form_iterate(const struct plan *plan, real *h)
{
    const bool *which = plan->which;
    const struct problem *p = &plan->problem;
    int64_t n = p->T * p->d, width = plan->basis.most + 1;
    for (int64_t b = 0; b < p->B; b++) {
        if (!which[b])
            continue;
        plan->n_of[b] = solve_triangle(&plan->krylov[b]);
        memcpy(plan->basis.c + b * width, plan->krylov[b].y, (size_t)plan->n_of[b] * sizeof(double));
        memcpy(h + b * n, plan->x + b * n, (size_t)n * sizeof(real));
    }
    basis_add(&plan->basis, which, plan->basis.q, plan->basis.c, plan->n_of, h);
}

/* next (B,T,d) = f(h) at these iterates h, as the spaces know it. */
static void form_next(const struct plan *plan, const real *h, real *next)
{
    const bool *which = plan->which;
    const struct problem *p = &plan->problem;
    int64_t n = p->T * p->d, width = plan->basis.most + 1;
    for (int64_t b = 0; b < p->B; b++) {
        if (!which[b])
            continue;
        plan->n_of[b] = solve_residual(&plan->krylov[b]);
        memcpy(plan->basis.c + b * width, plan->krylov[b].y, (size_t)plan->n_of[b] * sizeof(double));
        memcpy(next + b * n, h + b * n, (size_t)n * sizeof(real));
    }
    basis_add(&plan->basis, which, plan->basis.q, plan->basis.c, plan->n_of, next);
}

/* v, h0 and what the map is applied to, of this iteration. A sequence's v and h0 are written when it turns from one to the other. */
static void prepare(struct plan *plan, const struct inputs *inputs, bool first)
{
    const struct problem *p = &plan->problem;
    int64_t n = p->T * p->d, d = p->d;
    const real *v = inputs->v, *h0 = inputs->h0;
#pragma omp parallel for num_threads(plan->map.scan.threads) schedule(static)
    for (int64_t b = 0; b < p->B; b++) {
        const struct krylov *krylov = &plan->krylov[b];
        if (first || krylov->extends != plan->extends[b]) {
            plan->extends[b] = krylov->extends;
            if (krylov->extends) {
                fill(plan->v + b * n, 0, n);
                fill(plan->h0 + b * d, 0, d);
            } else {
                memcpy(plan->v + b * n, v + b * n, (size_t)n * sizeof(real));
                for (int64_t c = 0; c < d; c++)
                    plan->h0[b * d + c] = h0 != NULL ? h0[b * d + c] : 0;
            }
        }
        const real *from = krylov->extends ? plan->basis.q + (b * plan->basis.most + krylov->k) * n : plan->x + b * n;
        memcpy(plan->in + b * n, from, (size_t)n * sizeof(real));
    }
}

/* out <- q - J q, or f(h) - h, of all sequences. */
static void subtract(struct plan *plan)
{
    const struct problem *p = &plan->problem;
#pragma omp parallel for num_threads(plan->map.scan.threads) schedule(static)
    for (int64_t i = 0; i < p->B * p->T; i++) {
        real *out = plan->out + i * p->d, sign = plan->extends[i / p->T] ? -1 : 1;
        const real *in = plan->in + i * p->d;
#pragma omp simd
        for (int64_t c = 0; c < p->d; c++)
            out[c] = sign * (out[c] - in[c]);
    }
}

/* The residuals of the sequences that were evaluated, and which of them stay. */
static void judge(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    int64_t n = p->T * p->d;
    residual_measure(p, plan->map.scan.threads, plan->in, plan->out, plan->token, plan->row);
    for (int64_t b = 0; b < p->B; b++) {
        struct krylov *krylov = &plan->krylov[b];
        plan->known[b] = plan->sure[b] = plan->extends[b] ? INFINITY : plan->row[b];
        if (plan->extends[b])
            continue;
        krylov->stays = plan->row[b] < plan->settings.tolerance;
        krylov->size = (double)max_abs(plan->in + b * n, n);
    }
}

/* The spaces grow by this iteration's products, or begin. */
static void grow(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    struct basis *basis = &plan->basis;
    int64_t width = basis->most + 1;
    subtract(plan);
    for (int64_t b = 0; b < p->B; b++) {
        plan->which[b] = plan->extends[b] || !plan->krylov[b].stays;
        basis->count[b] = plan->extends[b] ? plan->krylov[b].k + 1 : 0;
    }
    basis_append(basis, plan->which, DEPENDENT, plan->out);
    for (int64_t b = 0; b < p->B; b++) {
        struct krylov *krylov = &plan->krylov[b];
        const double *column = basis->c + b * width;
        if (plan->extends[b]) {
            rotate(krylov, column);
            krylov->extends =
                basis->grown[b] && krylov->k < basis->most - 1 && fabs(krylov->right[krylov->k]) > SOLVED * krylov->beta;
        } else {
            krylov->k = 0;
            krylov->extends = basis->grown[b];
            krylov->beta = krylov->right[0] = basis->grown[b] ? column[0] : 0;
        }
    }
}

/* The residuals that the spaces know, where they are wanted or the tolerance may be met: if it is, the space ends. */
static void estimate(struct plan *plan, bool wanted, real *h)
{
    const struct problem *p = &plan->problem;
    double tolerance = plan->settings.tolerance, elements = (double)(p->T * p->d);
    bool any = false;
    for (int64_t b = 0; b < p->B; b++) {
        plan->which[b] = plan->extends[b] && (wanted || (tolerance > 0 && may_converge(&plan->krylov[b], tolerance, elements)));
        any = any || plan->which[b];
    }
    if (!any)
        return;
    form_iterate(plan, h);
    form_next(plan, h, plan->out);
    residual_measure(p, plan->map.scan.threads, h, plan->out, plan->token, plan->row);
    for (int64_t b = 0; b < p->B; b++)
        if (plan->which[b]) {
            plan->known[b] = plan->row[b];
            plan->krylov[b].extends = plan->krylov[b].extends && !(plan->row[b] < tolerance);
        }
}

/* Where a space has ended, what it led to is what the next begins from. */
static void end_spaces(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    int64_t n = p->T * p->d;
    bool any = false;
    for (int64_t b = 0; b < p->B; b++) {
        plan->which[b] = !plan->krylov[b].extends && plan->krylov[b].k > 0;
        any = any || plan->which[b];
    }
    if (!any)
        return;
    form_iterate(plan, plan->in);
    for (int64_t b = 0; b < p->B; b++)
        if (plan->which[b]) {
            plan->krylov[b].k = 0;
            memcpy(plan->x + b * n, plan->in + b * n, (size_t)n * sizeof(real));
        }
}

/* h = the iterates of all sequences; where the map left something that is not finite, that. */
static void form_all(struct plan *plan, const struct status *status, real *h)
{
    const struct problem *p = &plan->problem;
    int64_t n = p->T * p->d;
    for (int64_t b = 0; b < p->B; b++)
        plan->which[b] = true;
    form_iterate(plan, h);
    for (int64_t b = 0; b < p->B && status->code != STATUS_OK; b++)
        if (b == status->b || !plan->extends[b])
            memcpy(h + b * n, plan->out + b * n, (size_t)n * sizeof(real));
}

static void begin(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    fill(plan->x, 0, p->B * p->T * p->d);
    for (int64_t b = 0; b < p->B; b++) {
        struct krylov *krylov = &plan->krylov[b];
        krylov->extends = krylov->stays = false;
        krylov->k = 0;
    }
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const struct settings *settings = &plan->settings;
    int64_t l = 0, wanted = residual_wanted(p, settings), converged = 0;
    double *residual = trace != NULL ? trace->residual : NULL;
    const struct inputs driven = {
        .v = plan->v, .lambda = inputs->lambda, .theta = inputs->theta, .h0 = plan->h0}; /* f or J, as prepare() says */
    struct status status = status_ok();

    trace_begin(p, trace);
    map_begin(&plan->map, inputs);
    begin(plan);
    while (l < settings->l_max && converged < wanted && status.code == STATUS_OK) {
        prepare(plan, inputs, ++l == 1);
        map_apply(&plan->map, &driven, plan->in, false, plan->out);
        status = finite_status(p, plan->out);
        for (int64_t b = 0; b < p->B; b++)
            plan->known[b] = INFINITY; /* of an iterate that is not finite */
        if (status.code == STATUS_OK) {
            judge(plan);
            converged = residual_count(p, settings->tolerance, plan->sure, l, trace != NULL ? trace->l : NULL);
            grow(plan);
            estimate(plan, residual != NULL, outputs->h);
            end_spaces(plan);
        }
        if (residual != NULL) {
            memcpy(residual, plan->known, (size_t)p->B * sizeof(double));
            residual += p->B;
        }
        if (trace_keeps(trace, l)) {
            form_all(plan, &status, outputs->h);
            trace_keep(p, trace, l, outputs->h);
        }
    }
    form_all(plan, &status, outputs->h);
    return iterates_finish(p, settings, outputs, trace, status, l, converged);
}

const struct implementation VARIANT(gmres) = {
    .name = "gmres",
    .summary = "GMRES on (I - J) h = f(0), each sequence by itself; full, or begun anew after restart=M products",
    .options = SCAN_OPTIONS " restart=",
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
