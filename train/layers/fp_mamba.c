/* See fp_mamba.h: the arithmetic of the layer, and its two rows. */
#include "train/layers/fp_mamba.h"
#include "train/layers/recurrent.h"

#include "train/math/operators.h"

#include "impls/math/activation.h"
#include "impls/selective/token.h"

#include <string.h>

static struct status resize(struct sequence_plan *plan, int64_t T, int64_t l_max)
{
    return solver_resize(&plan->solver, T, l_max);
}

/* ---- The projections' parts -------------------------------------------------------------------------------------------------- */

/* Row by row: all (tokens, rank + 2 N) into dtr, b and c, or from them. */
static void divide(const struct sequence_plan *plan, int64_t tokens)
{
    int64_t R = plan->rank, N = plan->N, width = R + 2 * N;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < tokens; n++) {
        const real *from = plan->all + n * width;
        memcpy(plan->dtr + n * R, from, (size_t)R * sizeof(real));
        memcpy(plan->b + n * N, from + R, (size_t)N * sizeof(real));
        memcpy(plan->c + n * N, from + R + N, (size_t)N * sizeof(real));
    }
}

static void unite(const struct sequence_plan *plan, int64_t tokens)
{
    int64_t R = plan->rank, N = plan->N, width = R + 2 * N;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < tokens; n++) {
        real *to = plan->d_all + n * width;
        memcpy(to, plan->d_dtr + n * R, (size_t)R * sizeof(real));
        memcpy(to + R, plan->d_b + n * N, (size_t)N * sizeof(real));
        memcpy(to + R + N, plan->d_c + n * N, (size_t)N * sizeof(real));
    }
}

/* ---- Weights that are made of parameters --------------------------------------------------------------------------------------- */

static void make_weights(const struct sequence_plan *plan)
{
    const real *a_log = plan->p[A_LOG]->value;
#pragma omp simd
    for (int64_t i = 0; i < plan->d * plan->N; i++)
        plan->rates[i] = exponential(a_log[i]);
    for (int i = 0; i < NORMALISED; i++) {
        const struct normalised *one = &plan->normalised[i];
        if (one->v != NULL)
            weight_norm_forward(plan->threads, one->rows, one->parts * plan->d, one->parts, one->v->value, one->g->value, one->w);
    }
    if (plan->strengths > 0)
        memcpy(plan->b_theta + plan->m - plan->strengths, plan->p[B_THETA]->value, (size_t)plan->strengths * sizeof(real));
}

/* The gradients of the parameters from those of the weights, which backward() has left. */
static void unmake_weights(const struct sequence_plan *plan)
{
    real *d_a_log = plan->p[A_LOG]->gradient; /* holds that of the rates */
    for (int64_t i = 0; i < plan->d * plan->N; i++)
        d_a_log[i] *= plan->rates[i];
    if (plan->symmetric) /* one matrix in two places */
        add_scaled(1, plan->normalised[OF_THETA].dw + plan->m * plan->d, plan->normalised[OF_THETA].dw, plan->m * plan->d);
    for (int i = 0; i < NORMALISED; i++) {
        const struct normalised *one = &plan->normalised[i];
        if (one->v != NULL)
            weight_norm_backward(plan->threads, one->rows, one->parts * plan->d, one->parts, one->v->value, one->g->value, one->dw,
                                 one->v->gradient, one->g->gradient);
    }
}

/* ---- Forward --------------------------------------------------------------------------------------------------------------------- */

/* What enters the recurrence. */
static void enter(const struct sequence_plan *plan, const real *u)
{
    int64_t T = plan->solver.problem.T, tokens = plan->B * T, d = plan->d, size = tokens * d;
    const real *w_in = plan->p[W_IN]->value;
    real *x = plan->array[X], *convolved = plan->array[CONVOLVED];
    linear_forward(plan->threads, tokens, plan->D, d, u, w_in, NULL, false, plan->array[ENTERS]);
    linear_forward(plan->threads, tokens, plan->D, d, u, w_in + d * plan->D, NULL, false, plan->array[Z]);
    if (plan->p[W_CONV] == NULL)
        return;
    convolution_forward(plan->threads, plan->B, T, d, plan->array[ENTERS], plan->p[W_CONV]->value, plan->p[B_CONV]->value,
                        convolved);
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < size; i++)
        x[i] = silu(convolved[i]);
}

/* What the recurrence reads of x. */
static void project(const struct sequence_plan *plan)
{
    int64_t tokens = plan->B * plan->solver.problem.T, d = plan->d;
    int threads = plan->threads;
    const real *x = plan->array[X], *before = plan->array[BEFORE_STEP];
    real *dt = plan->array[DT];
    linear_forward(threads, tokens, d, plan->rank + 2 * plan->N, x, plan->p[W_X]->value, NULL, false, plan->all);
    divide(plan, tokens);
    linear_forward(threads, tokens, plan->rank, d, plan->dtr, plan->p[W_STEP]->value, plan->p[B_STEP]->value, false,
                   plan->array[BEFORE_STEP]);
    if (dt != before) {
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int64_t n = 0; n < tokens; n++)
            softplus_row(before + n * d, dt + n * d, d);
    }
    if (plan->m > 0)
        linear_forward(threads, tokens, d, plan->m, x, plan->normalised[OF_THETA].w, plan->b_theta, false, plan->theta);
}

static struct status forward(struct sequence_plan *plan, const void *u, void *out)
{
    int64_t T = plan->solver.problem.T, tokens = plan->B * T, d = plan->d, size = tokens * d;
    int threads = plan->threads;
    real *y = plan->array[Y], *z = plan->array[Z], *gated = plan->array[GATED];
    make_weights(plan);
    enter(plan, u);
    project(plan);
    struct status status = solver_forward(&plan->solver, &plan->inputs, y);
    if (status.code != STATUS_OK)
        return status;
    if (plan->normalised[OF_Z].v != NULL) {
        shift_forward(threads, plan->B, T, d, y, plan->array[BEFORE]);
        linear_forward(threads, tokens, d, d, plan->array[BEFORE], plan->normalised[OF_Z].w, NULL, true, z);
    }
    if (plan->outside) {
#pragma omp parallel for simd num_threads(threads) schedule(static)
        for (int64_t i = 0; i < size; i++)
            gated[i] = silu(z[i]) * y[i];
    }
    linear_forward(threads, tokens, d, plan->D, gated, plan->p[W_OUT]->value, NULL, false, out);
    return status_ok();
}

/* ---- Backward -------------------------------------------------------------------------------------------------------------------- */

/* From the gradient of `gated` to those of y and of z. */
static void ungate(const struct sequence_plan *plan)
{
    int64_t T = plan->solver.problem.T, tokens = plan->B * T, d = plan->d, size = tokens * d;
    const real *z = plan->array[Z], *y = plan->array[Y], *d_gated = plan->array[D_GATED];
    real *d_y = plan->array[D_Y], *d_z = plan->array[D_Z];
    const struct normalised *read = &plan->normalised[OF_Z];
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < size; i++) {
        real open = sigmoid(z[i]);
        d_z[i] = d_gated[i] * y[i] * silu_slope(z[i], open);
        d_y[i] = d_gated[i] * z[i] * open;
    }
    if (read->v == NULL)
        return;
    real *d_before = plan->array[D_GATED];
    linear_backward(plan->threads, tokens, d, d, plan->array[BEFORE], read->w, d_z, false, d_before, read->dw, NULL);
    shift_backward(plan->threads, plan->B, T, d, d_before, d_y);
}

/* Adds what was read of x to its gradient. */
static void unproject(const struct sequence_plan *plan)
{
    int64_t tokens = plan->B * plan->solver.problem.T, d = plan->d, m = plan->m, size = tokens * d;
    int threads = plan->threads;
    const real *x = plan->array[X], *before = plan->array[BEFORE_STEP];
    real *d_x = plan->array[D_X], *d_dt = plan->array[D_DT];
    const struct parameter *const *p = plan->p;
    if (plan->array[DT] != before) {
#pragma omp parallel for simd num_threads(threads) schedule(static)
        for (int64_t i = 0; i < size; i++)
            d_dt[i] *= sigmoid(before[i]);
    }
    linear_backward(threads, tokens, plan->rank, d, plan->dtr, p[W_STEP]->value, d_dt, false, plan->d_dtr, p[W_STEP]->gradient,
                    p[B_STEP]->gradient);
    unite(plan, tokens);
    linear_backward(threads, tokens, d, plan->rank + 2 * plan->N, x, p[W_X]->value, plan->d_all, true, d_x, p[W_X]->gradient, NULL);
    if (m == 0)
        return;
    linear_backward(threads, tokens, d, m, x, plan->normalised[OF_THETA].w, plan->d_theta, true, d_x, plan->normalised[OF_THETA].dw,
                    NULL);
    if (plan->strengths > 0)
        columns_sum(threads, tokens, plan->strengths, m, plan->d_theta + m - plan->strengths, p[B_THETA]->gradient);
}

/* From the gradients of what enters and of z to that of u. */
static void leave(const struct sequence_plan *plan, const real *u, real *d_u)
{
    int64_t T = plan->solver.problem.T, tokens = plan->B * T, d = plan->d, size = tokens * d;
    const real *w_in = plan->p[W_IN]->value, *convolved = plan->array[CONVOLVED];
    real *dw_in = plan->p[W_IN]->gradient, *d_x = plan->array[D_X], *d_enters = d_x;
    if (plan->p[W_CONV] != NULL) {
        d_enters = plan->array[D_GATED];
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
        for (int64_t i = 0; i < size; i++)
            d_x[i] *= silu_slope(convolved[i], sigmoid(convolved[i]));
        convolution_backward(plan->threads, plan->B, T, d, plan->array[ENTERS], plan->p[W_CONV]->value, d_x, d_enters,
                             plan->p[W_CONV]->gradient, plan->p[B_CONV]->gradient);
    }
    linear_backward(plan->threads, tokens, plan->D, d, u, w_in, d_enters, false, d_u, dw_in, NULL);
    linear_backward(plan->threads, tokens, plan->D, d, u, w_in + d * plan->D, plan->array[D_Z], true, d_u, dw_in + d * plan->D,
                    NULL);
}

static real *gradient_of(const struct parameter *p)
{
    return p != NULL ? p->gradient : NULL;
}

static struct status backward(struct sequence_plan *plan, const void *u, const void *d_out, void *d_u)
{
    int64_t tokens = plan->B * plan->solver.problem.T, d = plan->d;
    const struct parameter *const *p = plan->p;
    const struct normalised *normalised = plan->normalised;
    real *d_gated = plan->array[plan->outside ? D_GATED : D_Y];
    linear_backward(plan->threads, tokens, d, plan->D, plan->array[GATED], p[W_OUT]->value, d_out, false, d_gated,
                    p[W_OUT]->gradient, NULL);
    if (plan->outside)
        ungate(plan);
    const struct gradients gradients = {
        .x = plan->array[D_X],
        .dt = plan->array[D_DT],
        .A = p[A_LOG]->gradient,
        .b = plan->d_b,
        .c = plan->d_c,
        .skip = p[SKIP]->gradient,
        .gain = gradient_of(p[GAIN]),
        .bias = gradient_of(p[BIAS]),
        .theta = plan->m > 0 ? plan->d_theta : NULL,
        .W = plan->inputs.W != NULL ? normalised[OF_THETA].dw + plan->m * d : NULL,
        .W_b = normalised[OF_B].dw,
        .W_c = normalised[OF_C].dw,
        .W_dt = normalised[OF_DT].dw,
        .z = plan->outside ? NULL : plan->array[D_Z],
    };
    struct status status = solver_backward(&plan->solver, &plan->inputs, plan->array[Y], plan->array[D_Y], &gradients);
    if (status.code != STATUS_OK)
        return status;
    unproject(plan);
    leave(plan, u, d_u);
    unmake_weights(plan);
    return status_ok();
}

static void look(struct sequence_plan *plan, struct recurrence_view *view)
{
    solver_look(&plan->solver, &plan->inputs, view);
}

#define AROUND                                                                                                                     \
    {                                                                                                                              \
        .rms = true, .tied = true, .embedding = 0.02                                                                               \
    } /* as the released code builds its models */

RECURRENT_LAYER(fp_mamba, mamba, true, .cell = CELL_SELECTIVE, .takes = TAKES_MIXER | TAKES_READOUT | TAKES_CONVOLUTION,
                .around = AROUND, .summary = "the paper's FP-Mamba, by any implementation of the selective cell");
RECURRENT_LAYER(mamba, mamba, false, .cell = CELL_SELECTIVE, .takes = 0, .around = AROUND,
                .summary = "Mamba: the same without channel mixer, feedback and norms");
