/* quasi_deer: Newton's method on h_t = F_t(h_{t-1}), the exact dense step of every token, with the diagonal of the Jacobian alone:
 *
 *     h^l_t = F_t(h^{l-1}_{t-1}) + J_t (h^l_{t-1} - h^{l-1}_{t-1}),   J_t = diag(A_t) at h^{l-1}_{t-1}, cut to [-1, 1]
 *
 * A sweep takes the step of all tokens at once (step.h), then one diagonal scan. Whatever J is, token t is exact after t sweeps, since
 * its error comes from the error of the token before alone: l = T always suffices, even where the map's own iteration diverges. J only
 * says how much sooner. Cut, because a product of many entries above 1 would overflow on the way there.
 *
 * State-dependent, A_t is that of the parameters at h^{l-1}_{t-1}; what these add to the derivative is left out of J. A step may be
 * singular at an iterate that is far off: it is then taken without its mixer, and the answer is singular when the state before it has converged.
 *
 * The residual is how far a sweep moves: max|h^l - h^{l-1}| / max|h^l| of a token. */
#include "impls/contract/support.h"
#include "impls/math/feedback.h"
#include "impls/math/finite.h"
#include "impls/math/iterated_gradient.h"
#include "impls/math/residual.h"
#include "impls/math/step.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    struct settings settings;
    struct scan scan;
    int64_t scratch; /* reals a thread */
    real *memory;    /* scratch of all threads */
    int *pivots;     /* (2 d) a thread */
    real *steps;     /* (B,T,step_size) prepared; one a thread when state-dependent */
    real *J;         /* (B,T,d) */
    real *other;     /* (B,T,d) the buffer that the iterate is not in */
    real *token;     /* (B,T) residuals */
    double *row;     /* (B) residuals */
    struct map map;  /* for the gradient alone */
    struct iterated_gradient gradient;
};

static bool is_linear(const struct problem *p)
{
    return p->feedback == FEEDBACK_NONE;
}

/* Of one thread: of a block of tokens states and theta, a zero state (d), what a step needs. */
static int64_t scratch_size(const struct problem *p)
{
    return (is_linear(p) ? 0 : MAP_BLOCK * (problem_m(p) + p->d)) + p->d + step_scratch(p) + 64;
}

/* Reals of memory, steps, J, other, token, and row, whose doubles take two floats each. */
enum { ARRAYS = 7 };
static void sizes(const struct problem *p, int threads, int64_t size[ARRAYS])
{
    int64_t tokens = p->B * p->T;
    size[0] = scratch_size(p) * threads;
    size[1] = step_size(p) * (is_linear(p) ? tokens : threads);
    size[2] = tokens * p->d;
    size[3] = tokens * p->d;
    size[4] = tokens;
    size[5] = p->B * (int64_t)(sizeof(double) / sizeof(real));
    size[6] = scan_carry(p, threads);
}

static double plan_reals(const struct problem *p, const struct settings *settings, int threads)
{
    int64_t size[ARRAYS];
    double sum = 2 * (double)p->d * threads; /* pivots */
    sizes(p, threads, size);
    for (int i = 0; i < ARRAYS; i++)
        sum += (double)size[i];
    return settings->gradient == GRADIENT_NONE ? sum : sum + map_reals(p, threads) + iterated_gradient_reals(p, settings, threads);
}

extern const struct implementation VARIANT(quasi_deer); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(quasi_deer)))
        return;
    if (settings->damping < 1 || settings->patience > 0)
        support_no(support, "damping is not supported; use fixed_point");
    else
        support_memory(support, p, settings, environment, plan_reals(p, settings, environment->threads) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = (double)problem_m(p), n = (double)l;
    double prepare = step_prepare_operations(p), kept = is_linear(p) ? (double)step_size(p) : 0;
    bool residuals = settings->tolerance > 0;
    struct problem plain = *p; /* the scan has no gate */
    struct work scan;
    plain.form = FORM_PLAIN;
    scan_count(&plain, environment->threads, scan_split(p, environment->threads, settings_option(settings, "split")), &scan);
    /* once: clear h, copy it home, prepare what is kept. A sweep reads h, v, lambda, J or theta, writes x and J */
    double bytes = tokens * (d + (l % 2 == 1 ? 2 * d : 0) + (is_linear(p) ? m + 2 * d + kept : 0));
    bytes += n * tokens * (5 * d + (is_linear(p) ? kept : m) + (residuals ? 2 * d : 0)) + (is_linear(p) ? 0 : (n - 1) * m * d);
    double operations = is_linear(p) ? tokens * prepare : 0;
    operations += n * tokens * (step_take_operations(p) + 2 * d + (residuals ? 4 * d : 0));
    operations += is_linear(p) ? 0 : n * tokens * (prepare + 2 * m * d);
    work->bytes = bytes * sizeof(real) + n * scan.bytes;
    work->operations = operations + n * scan.operations;
    work->library = !is_linear(p) || !problem_low_rank(p);
    work->set = (tokens * (5 * d + (is_linear(p) ? kept : m)) + (is_linear(p) ? 0 : m * d)) * sizeof(real);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        iterated_gradient_close(&plan->gradient);
        map_close(&plan->map);
        free(plan->memory);
        free(plan->pivots);
        free(plan->steps);
        free(plan->J);
        free(plan->other);
        free(plan->token);
        free(plan->row);
        free(plan->scan.carry);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(quasi_deer), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    int threads = environment->threads;
    const char *split = settings_option(settings, "split");
    int64_t size[ARRAYS];
    sizes(p, threads, size);
    plan->problem = *p;
    plan->settings = *settings;
    plan->scratch = scratch_size(p);
    plan->scan = (struct scan){.B = p->B, .T = p->T, .d = p->d, .threads = threads, .split = scan_split(p, threads, split)};
    plan->memory = memory_allocate(size[0], sizeof(real));
    plan->steps = memory_allocate(size[1], sizeof(real));
    plan->J = memory_allocate(size[2], sizeof(real));
    plan->other = memory_allocate(size[3], sizeof(real));
    plan->token = memory_allocate(size[4], sizeof(real));
    plan->row = memory_allocate(p->B, sizeof(double));
    plan->scan.carry = memory_allocate(size[6], sizeof(real));
    plan->pivots = memory_allocate(2 * p->d * threads, sizeof(int));
    bool memory = plan->memory != NULL && plan->steps != NULL && plan->J != NULL && plan->other != NULL && plan->token != NULL &&
                  plan->row != NULL && plan->scan.carry != NULL && plan->pivots != NULL;
    if (memory && settings->gradient != GRADIENT_NONE)
        memory = map_open(p, split, threads, &plan->map) && iterated_gradient_open(&plan->map, settings, &plan->gradient);
    if (!memory) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(threads);
    *out = plan;
    return status_ok();
}

/* What all tokens of a sweep, or of what is prepared before the first, have in common. */
struct sweep {
    const struct plan *plan;
    const struct inputs *inputs;
    const real *h;
    real *x;
};

/* The step of token i and its diagonal, cut. False: singular. */
static bool prepare(const struct sweep *sweep, int64_t i, const real *raw, real *step, real *scratch)
{
    const struct plan *plan = sweep->plan;
    const struct problem *p = &plan->problem;
    int64_t d = p->d;
    real *J = plan->J + i * d;
    bool regular = step_prepare(p, raw, (const real *)sweep->inputs->lambda + i * d, step, J, scratch,
                                plan->pivots + omp_get_thread_num() * 2 * d);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        J[c] = J[c] > 1 ? 1 : J[c] < -1 ? -1 : J[c];
    return regular;
}

/* x_i = F_i(h before) - J_i (h before), what the scan then adds J_i (its own state before) to. */
static void take(const struct sweep *sweep, int64_t i, const real *step, const real *zero, real *scratch)
{
    const struct plan *plan = sweep->plan;
    const struct problem *p = &plan->problem;
    const struct inputs *inputs = sweep->inputs;
    int64_t d = p->d;
    const real *initial = inputs->h0 != NULL ? (const real *)inputs->h0 + i / p->T * d : zero;
    const real *before = i % p->T > 0 ? sweep->h + (i - 1) * d : initial, *J = plan->J + i * d;
    real *x = sweep->x + i * d;
    step_take(p, step, (const real *)inputs->v + i * d, (const real *)inputs->lambda + i * d, before, x, scratch);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        x[c] -= J[c] * before[c];
}

/* The same of a step that is singular: J = Lambda, and no h before is left. */
static void take_unmixed(const struct sweep *sweep, int64_t i)
{
    const struct problem *p = &sweep->plan->problem;
    int64_t d = p->d;
    const real *v = (const real *)sweep->inputs->v + i * d, *lambda = (const real *)sweep->inputs->lambda + i * d;
    for (int64_t c = 0; c < d; c++) {
        sweep->plan->J[i * d + c] = lambda[c];
        sweep->x[i * d + c] = p->form == FORM_NORMALISED ? v[c] - lambda[c] * v[c] : v[c];
    }
}

/* Prepares the steps of a linear problem. Returns the first token that is singular, or B T. */
static int64_t prepare_all(const struct sweep *sweep)
{
    const struct plan *plan = sweep->plan;
    const struct problem *p = &plan->problem;
    int64_t m = problem_m(p), size = step_size(p), tokens = p->B * p->T, place = tokens;
#pragma omp parallel for num_threads(plan->scan.threads) schedule(static) reduction(min : place)
    for (int64_t i = 0; i < tokens; i++) {
        const real *raw = m > 0 ? (const real *)sweep->inputs->theta + i * m : NULL;
        if (!prepare(sweep, i, raw, plan->steps + i * size, plan->memory + omp_get_thread_num() * plan->scratch) && i < place)
            place = i;
    }
    return place;
}

static void take_all(const struct sweep *sweep)
{
    const struct plan *plan = sweep->plan;
    const struct problem *p = &plan->problem;
    int64_t tokens = p->B * p->T;
#pragma omp parallel for num_threads(plan->scan.threads) schedule(static)
    for (int64_t i = 0; i < tokens; i++) {
        real *zero = plan->memory + omp_get_thread_num() * plan->scratch;
        if (i % p->T == 0)
            fill(zero, 0, p->d);
        take(sweep, i, plan->steps + i * step_size(p), zero, zero + p->d);
    }
}

/* Both of a state-dependent problem, in blocks whose parameters are one matrix product. Returns what prepare_all() does. */
static int64_t prepare_and_take(const struct sweep *sweep)
{
    const struct plan *plan = sweep->plan;
    const struct problem *p = &plan->problem;
    int64_t d = p->d, m = problem_m(p), tokens = p->B * p->T, place = tokens;
#pragma omp parallel num_threads(plan->scan.threads) reduction(min : place)
    {
        int64_t thread = omp_get_thread_num(), n = omp_get_num_threads(), end = tokens * (thread + 1) / n;
        real *zero = plan->memory + thread * plan->scratch, *states = zero + d, *theta = states + MAP_BLOCK * d;
        real *rest = theta + MAP_BLOCK * m, *step = plan->steps + thread * step_size(p);
        fill(zero, 0, d);
        for (int64_t from = tokens * thread / n; from < end; from += MAP_BLOCK) {
            int64_t to = from + MAP_BLOCK < end ? from + MAP_BLOCK : end;
            feedback_states(p, sweep->inputs, sweep->h, from, to, states);
            feedback_rows(p, sweep->inputs->W, states, (const real *)sweep->inputs->theta + from * m, m, to - from, theta);
            for (int64_t i = from; i < to; i++) {
                if (prepare(sweep, i, theta + (i - from) * m, step, rest)) {
                    take(sweep, i, step, zero, rest);
                } else {
                    take_unmixed(sweep, i);
                    place = i < place ? i : place;
                }
            }
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
    const struct settings *settings = &plan->settings;
    int64_t tokens = p->B * p->T, size = tokens * p->d, l = 0, place = tokens;
    int64_t wanted = residual_wanted(p, settings), converged = 0;
    double *residual = trace != NULL && trace->residual != NULL ? trace->residual : plan->row;
    bool residuals = settings->tolerance > 0 || residual != plan->row;
    struct sweep sweep = {.plan = plan, .inputs = inputs};
    real *h = outputs->h, *next = plan->other;
    struct status status = status_ok();

    trace_begin(p, trace);
    fill(h, 0, size);
    if (is_linear(p))
        place = prepare_all(&sweep);
    while (l < settings->l_max && converged < wanted && status.code == STATUS_OK) {
        l++;
        sweep.h = h;
        sweep.x = next;
        if (is_linear(p))
            take_all(&sweep);
        else
            place = prepare_and_take(&sweep);
        scan_run(&plan->scan, plan->J, next, inputs->h0, next);
        status = is_linear(p) && place < tokens ? singular_status(p, place) : finite_status(p, next);
        for (int64_t b = 0; residuals && b < p->B; b++)
            residual[b] = INFINITY; /* of an iterate that is not finite */
        if (residuals && status.code == STATUS_OK) {
            residual_measure(p, plan->scan.threads, h, next, plan->token, residual);
            converged = residual_count(p, settings->tolerance, residual, l, trace != NULL ? trace->l : NULL);
        }
        real *swap = h;
        h = next;
        next = swap;
        trace_keep(p, trace, l, h);
        if (residual != plan->row)
            residual += p->B;
    }
    if (h != outputs->h)
        memcpy(outputs->h, h, (size_t)size * sizeof(real));
    if (status.code == STATUS_OK && place < tokens && (place % p->T < l || converged >= wanted))
        status = singular_status(p, place);
    return iterates_finish(p, settings, outputs, trace, status, l, converged);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return iterated_gradient_run(&plan->gradient, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(quasi_deer) = {
    .name = "quasi_deer",
    .summary = "Newton with a diagonal Jacobian on the exact steps of all tokens, then a scan; exact after T sweeps",
    .options = SCAN_OPTIONS,
    .device = DEVICE_CPU,
    .solver = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
