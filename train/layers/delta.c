/* See delta.h: the arithmetic of the layer, and its row. */
#include "train/layers/delta.h"

#include "train/math/operators.h"

#include "impls/math/activation.h"
#include "impls/selective/token.h"

#define UNIT_EPSILON ((real)1e-6)

static int64_t tokens_of(const struct sequence_plan *plan)
{
    return plan->B * plan->solver.problem.T;
}

static struct status resize(struct sequence_plan *plan, int64_t T, int64_t l_max)
{
    return solver_resize(&plan->solver, T, l_max);
}

/* ---- Keys, queries and values -------------------------------------------------------------------------------------------------- */

/* y (n) = unit(SiLU(x)); what that multiplied with: NaN where the square of the length is not finite, for 1 / infinity would hide it. */
static real unit_forward(const real *x, real *y, int64_t n)
{
    real squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < n; i++) {
        y[i] = silu(x[i]);
        squares += y[i] * y[i];
    }
    real inverse = squares <= REAL_MAX ? 1 / real_sqrt(squares + UNIT_EPSILON) : (real)NAN;
    set_scaled(inverse, y, y, n);
    return inverse;
}

/* dx (n) of dy, from y = unit(SiLU(x)): with s = SiLU(x), ds = inverse (dy - y (y . dy)). */
static void unit_backward(const real *x, const real *y, real inverse, const real *dy, real *dx, int64_t n)
{
    real along = dot(y, dy, n);
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        dx[i] = inverse * (dy[i] - along * y[i]) * silu_slope(x[i], sigmoid(x[i]));
}

static void enter(const struct sequence_plan *plan, const real *e)
{
    int64_t tokens = tokens_of(plan), heads = plan->heads, N = plan->N, r = plan->r, values = r * plan->d;
    real *convolved = plan->array[CONVOLVED];
    linear_forward(plan->threads, tokens, plan->D, plan->enters, e, plan->p[W_QKV]->value, NULL, false, plan->array[ENTERS]);
    if (plan->p[W_CONV] != NULL)
        convolution_forward(plan->threads, plan->B, plan->solver.problem.T, plan->enters, plan->array[ENTERS],
                            plan->p[W_CONV]->value, NULL, convolved);
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < tokens; n++) {
        const real *from = convolved + n * plan->enters;
        real *q = plan->array[QUERY] + n * heads * N, *k = plan->array[KEY] + n * r * heads * N;
        real *v = plan->array[VALUE] + n * values, *inverse = plan->array[INVERSE] + n * (1 + r) * heads;
        for (int64_t i = 0; i < (1 + r) * heads; i++, from += N)
            inverse[i] = unit_forward(from, i < heads ? q + i * N : k + (i - heads) * N, N);
#pragma omp simd
        for (int64_t c = 0; c < values; c++)
            v[c] = silu(from[c]);
    }
}

/* From the gradients of q, k and v to that of e. */
static void leave(const struct sequence_plan *plan, const real *e, real *d_e)
{
    int64_t tokens = tokens_of(plan), heads = plan->heads, N = plan->N, r = plan->r, values = r * plan->d;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < tokens; n++) {
        const real *x = plan->array[CONVOLVED] + n * plan->enters, *inverse = plan->array[INVERSE] + n * (1 + r) * heads;
        const int64_t first_q = n * heads * N, first_k = n * r * heads * N;
        const real *dv = plan->array[D_VALUE] + n * values;
        real *dx = plan->array[D_CONVOLVED] + n * plan->enters;
        for (int64_t i = 0; i < (1 + r) * heads; i++, x += N, dx += N) {
            const bool query = i < heads;
            const int64_t at = query ? first_q + i * N : first_k + (i - heads) * N;
            unit_backward(x, plan->array[query ? QUERY : KEY] + at, inverse[i], plan->array[query ? D_QUERY : D_KEY] + at, dx, N);
        }
#pragma omp simd
        for (int64_t c = 0; c < values; c++)
            dx[c] = dv[c] * silu_slope(x[c], sigmoid(x[c]));
    }
    if (plan->p[W_CONV] != NULL)
        convolution_backward(plan->threads, plan->B, plan->solver.problem.T, plan->enters, plan->array[ENTERS],
                             plan->p[W_CONV]->value, plan->array[D_CONVOLVED], plan->array[D_ENTERS], plan->p[W_CONV]->gradient,
                             NULL);
    linear_backward(plan->threads, tokens, plan->D, plan->enters, e, plan->p[W_QKV]->value, plan->array[D_ENTERS], false, d_e,
                    plan->p[W_QKV]->gradient, NULL);
}

/* ---- Strengths, and what is forgotten -------------------------------------------------------------------------------------------- */

static void set_strengths(const struct sequence_plan *plan, const real *e)
{
    int64_t tokens = tokens_of(plan), heads = plan->heads, size = tokens * plan->r * heads;
    const real *before = plan->array[BEFORE_BETA];
    real *beta = plan->array[BETA], most = plan->most;
    linear_forward(plan->threads, tokens, plan->D, plan->r * heads, e, plan->p[W_BETA]->value, NULL, false,
                   plan->array[BEFORE_BETA]);
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < size; i++)
        beta[i] = most * sigmoid(before[i]);
    if (plan->p[W_A] == NULL)
        return;
    const real *a_log = plan->p[A_LOG]->value, *step = plan->array[BEFORE_STEP];
    linear_forward(plan->threads, tokens, plan->D, heads, e, plan->p[W_A]->value, plan->p[B_STEP]->value, false,
                   plan->array[BEFORE_STEP]);
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < tokens; n++) {
        real *g = plan->array[FORGET] + n * heads;
        softplus_row(step + n * heads, g, heads);
        for (int64_t h = 0; h < heads; h++)
            g[h] *= -exponential(a_log[h]);
    }
}

/* Adds to the gradient of e. */
static void unset_strengths(const struct sequence_plan *plan, const real *e, real *d_e)
{
    int64_t tokens = tokens_of(plan), heads = plan->heads, size = tokens * plan->r * heads;
    const real *before = plan->array[BEFORE_BETA];
    real *d_beta = plan->array[D_BETA], *d_g = plan->array[D_FORGET], most = plan->most;
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < size; i++)
        d_beta[i] *= most * sigmoid_slope(before[i]);
    linear_backward(plan->threads, tokens, plan->D, plan->r * heads, e, plan->p[W_BETA]->value, d_beta, true, d_e,
                    plan->p[W_BETA]->gradient, NULL);
    if (plan->p[W_A] == NULL)
        return;
    const real *a_log = plan->p[A_LOG]->value, *g = plan->array[FORGET], *step = plan->array[BEFORE_STEP];
    real *d_a_log = plan->p[A_LOG]->gradient;
    fill(d_a_log, 0, heads);
    for (int64_t n = 0; n < tokens; n++)
        for (int64_t h = 0; h < heads; h++) {
            d_a_log[h] += d_g[n * heads + h] * g[n * heads + h];
            d_g[n * heads + h] *= -exponential(a_log[h]) * sigmoid(step[n * heads + h]);
        }
    linear_backward(plan->threads, tokens, plan->D, heads, e, plan->p[W_A]->value, d_g, true, d_e, plan->p[W_A]->gradient,
                    plan->p[B_STEP]->gradient);
}

/* ---- The layer ------------------------------------------------------------------------------------------------------------------- */

static struct status forward(struct sequence_plan *plan, const void *e, void *out)
{
    int64_t tokens = tokens_of(plan), d = plan->d, heads = plan->heads, size = tokens * d;
    const real *gate = plan->array[GATE], *normed = plan->array[NORMED];
    real *gated = plan->array[GATED];
    enter(plan, e);
    set_strengths(plan, e);
    struct status status = solver_forward(&plan->solver, &plan->inputs, plan->array[Y]);
    if (status.code != STATUS_OK)
        return status;
    norm_forward(plan->threads, tokens * heads, d / heads, plan->array[Y], plan->p[GAIN]->value, NULL, plan->array[KEPT],
                 plan->array[NORMED]);
    if (plan->p[W_G] != NULL) {
        linear_forward(plan->threads, tokens, plan->D, d, e, plan->p[W_G]->value, NULL, false, plan->array[GATE]);
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
        for (int64_t i = 0; i < size; i++)
            gated[i] = normed[i] * silu(gate[i]);
    }
    linear_forward(plan->threads, tokens, d, plan->D, gated, plan->p[W_OUT]->value, NULL, false, out);
    return status_ok();
}

/* From the gradient of `gated` to those of the gate, and of what it was before in its own place. */
static void ungate(const struct sequence_plan *plan)
{
    int64_t size = tokens_of(plan) * plan->d;
    const real *gate = plan->array[GATE], *normed = plan->array[NORMED];
    real *d_gated = plan->array[D_GATED], *d_gate = plan->array[D_GATE];
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < size; i++) {
        real open = sigmoid(gate[i]);
        d_gate[i] = d_gated[i] * normed[i] * silu_slope(gate[i], open);
        d_gated[i] *= gate[i] * open;
    }
}

static struct status backward(struct sequence_plan *plan, const void *e, const void *d_out, void *d_e)
{
    int64_t tokens = tokens_of(plan), d = plan->d, heads = plan->heads;
    const struct parameter *const *p = plan->p;
    linear_backward(plan->threads, tokens, d, plan->D, plan->array[GATED], p[W_OUT]->value, d_out, false, plan->array[D_GATED],
                    p[W_OUT]->gradient, NULL);
    if (p[W_G] != NULL)
        ungate(plan);
    norm_backward(plan->threads, tokens * heads, d / heads, plan->array[Y], p[GAIN]->value, plan->array[KEPT], plan->array[D_GATED],
                  false, plan->array[D_Y], p[GAIN]->gradient, NULL);
    const struct gradients gradients = {.q = plan->array[D_QUERY],
                                        .k = plan->array[D_KEY],
                                        .v = plan->array[D_VALUE],
                                        .beta = plan->array[D_BETA],
                                        .g = plan->array[D_FORGET]};
    struct status status = solver_backward(&plan->solver, &plan->inputs, plan->array[Y], plan->array[D_Y], &gradients);
    if (status.code != STATUS_OK)
        return status;
    leave(plan, e, d_e);
    unset_strengths(plan, e, d_e);
    if (p[W_G] != NULL)
        linear_backward(plan->threads, tokens, plan->D, d, e, p[W_G]->value, plan->array[D_GATE], true, d_e, p[W_G]->gradient,
                        NULL);
    return status_ok();
}

static void look(struct sequence_plan *plan, struct recurrence_view *view)
{
    solver_look(&plan->solver, &plan->inputs, view);
}

const struct sequence_layer VARIANT(delta) = {
    .name = "delta",
    .summary = "DeltaNet, Gated DeltaNet and DeltaProduct, by any implementation of the cell delta",
    .recurrent = true,
    .cell = CELL_DELTA,
    .takes = TAKES_CONVOLUTION | TAKES_FEED_FORWARD,
    .around = {.rms = true, .embedding = 0.02}, /* as the released code builds its models */
    .check = delta_layer_check,
    .declare = delta_layer_declare,
    .plan = delta_layer_plan,
    .resize = resize,
    .forward = forward,
    .backward = backward,
    .look = look,
    .destroy = delta_layer_destroy,
};
