/* See fp_rnn.h: the arithmetic of the layer, and its two rows. */
#include "train/layers/fp_rnn.h"
#include "train/layers/recurrent.h"

#include "train/math/operators.h"

#include "impls/math/activation.h"

static struct status resize(struct sequence_plan *plan, int64_t T, int64_t l_max)
{
    return solver_resize(&plan->solver, T, l_max);
}

/* What the gates and theta are computed from: x, or e by way of W_x. */
struct source {
    int64_t width;
    const real *tokens;        /* (N,width) */
    real *d_tokens;            /* their gradient */
    const real *w[PARAMETERS]; /* (rows,width) */
    real *dw[PARAMETERS];
};

static struct source source_of(const struct sequence_plan *plan, const void *e, void *d_e)
{
    bool composed = plan->composed != NULL;
    struct source source = {.width = composed ? plan->D : plan->d,
                            .tokens = composed ? e : plan->array[X],
                            .d_tokens = composed ? d_e : plan->array[D_X]};
    for (int i = 0; i < PARAMETERS; i++) {
        bool through = plan->through[i] != NULL;
        source.w[i] = through ? plan->through[i] : plan->p[i] != NULL ? plan->p[i]->value : NULL;
        source.dw[i] = through ? plan->d_through[i] : plan->p[i] != NULL ? plan->p[i]->gradient : NULL;
    }
    return source;
}

static struct status forward(struct sequence_plan *plan, const void *e, void *out)
{
    int64_t N = plan->B * plan->solver.problem.T, d = plan->d, m = plan->m, size = N * d;
    int threads = plan->threads;
    real *const *a = plan->array, *x = a[X], *z = a[Z], *pre_b = a[PRE_B], *v = a[V], *lambda = a[LAMBDA], *c = a[C], *h = a[H];
    const struct parameter *const *p = plan->p;
    const real *w_in = p[W_IN]->value;
    const struct source source = source_of(plan, e, NULL);

    if (plan->composed != NULL)
        fp_rnn_compose(plan);
    linear_forward(threads, N, plan->D, d, e, w_in, NULL, false, x);
    linear_forward(threads, N, plan->D, d, e, w_in + d * plan->D, NULL, false, z);
    linear_forward(threads, N, source.width, d, source.tokens, source.w[W_B], NULL, false, pre_b);
    linear_forward(threads, N, source.width, d, source.tokens, source.w[W_L], p[B_L]->value, false, lambda);
    linear_forward(threads, N, source.width, d, source.tokens, source.w[W_C], NULL, false, c);
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < size; i++) {
        v[i] = silu(pre_b[i]) * x[i];
        lambda[i] = sigmoid(lambda[i]);
    }
    if (m > 0) {
        linear_forward(threads, N, source.width, m, source.tokens, source.w[W_THETA], NULL, false, plan->theta);
        for (int64_t n = 0; n < N; n++)
            add_scaled(1, p[B_THETA]->value, plan->theta + (n + 1) * m - plan->strengths, plan->strengths);
    }
    struct status status = solver_forward(&plan->solver, &plan->inputs, h);
    if (status.code != STATUS_OK)
        return status;
    if (p[W_CH] != NULL) {
        shift_forward(threads, plan->B, plan->solver.problem.T, d, h, a[BEFORE]);
        linear_forward(threads, N, d, d, a[BEFORE], p[W_CH]->value, NULL, true, c);
    }
    real *gated = a[GATED];
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < size; i++)
        gated[i] = silu(z[i]) * silu(c[i]) * h[i];
    norm_forward(threads, N, d, gated, p[GAIN]->value, NULL, plan->kept, a[NORMED]);
    linear_forward(threads, N, d, plan->D, a[NORMED], p[W_OUT]->value, NULL, false, out);
    return status_ok();
}

static struct status backward(struct sequence_plan *plan, const void *e, const void *d_out, void *d_e)
{
    int64_t N = plan->B * plan->solver.problem.T, d = plan->d, m = plan->m, size = N * d;
    int threads = plan->threads;
    real *const *a = plan->array, *x = a[X], *z = a[Z], *pre_b = a[PRE_B], *lambda = a[LAMBDA], *c = a[C], *h = a[H];
    real *d_gated = a[D_GATED], *d_z = a[D_Z], *d_c = a[D_C], *d_h = a[D_H], *d_v = a[D_V], *d_lambda = a[D_LAMBDA], *d_x = a[D_X];
    const struct parameter *const *p = plan->p;
    const real *w_in = p[W_IN]->value;

    linear_backward(threads, N, d, plan->D, a[NORMED], p[W_OUT]->value, d_out, false, d_x, p[W_OUT]->gradient, NULL);
    norm_backward(threads, N, d, a[GATED], p[GAIN]->value, plan->kept, d_x, false, d_gated, p[GAIN]->gradient, NULL);
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < size; i++) {
        real open_z = sigmoid(z[i]), open_c = sigmoid(c[i]), gate_z = z[i] * open_z, gate_c = c[i] * open_c;
        d_z[i] = d_gated[i] * silu_slope(z[i], open_z) * gate_c * h[i];
        d_c[i] = d_gated[i] * gate_z * silu_slope(c[i], open_c) * h[i];
        d_h[i] = d_gated[i] * gate_z * gate_c;
    }
    if (p[W_CH] != NULL) {
        linear_backward(threads, N, d, d, a[BEFORE], p[W_CH]->value, d_c, false, d_gated, p[W_CH]->gradient, NULL);
        shift_backward(threads, plan->B, plan->solver.problem.T, d, d_gated, d_h);
    }
    struct gradients gradients = {
        .v = d_v, .lambda = d_lambda, .theta = m > 0 ? plan->d_theta : NULL, .W = p[W_STATE] != NULL ? p[W_STATE]->gradient : NULL};
    struct status status = solver_backward(&plan->solver, &plan->inputs, h, d_h, &gradients);
    if (status.code != STATUS_OK)
        return status;
    const struct source source = source_of(plan, e, d_e);
    bool composed = plan->composed != NULL;
    int64_t width = source.width;
    real *d_pre_b = d_v;
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < size; i++) {
        real open_b = sigmoid(pre_b[i]);
        d_x[i] = d_v[i] * pre_b[i] * open_b;
        d_pre_b[i] = d_v[i] * x[i] * silu_slope(pre_b[i], open_b);
        d_lambda[i] *= lambda[i] * (1 - lambda[i]);
    }
    linear_backward(threads, N, width, d, source.tokens, source.w[W_B], d_pre_b, !composed, source.d_tokens, source.dw[W_B], NULL);
    linear_backward(threads, N, width, d, source.tokens, source.w[W_L], d_lambda, true, source.d_tokens, source.dw[W_L],
                    p[B_L]->gradient);
    linear_backward(threads, N, width, d, source.tokens, source.w[W_C], d_c, true, source.d_tokens, source.dw[W_C], NULL);
    if (m > 0) {
        linear_backward(threads, N, width, m, source.tokens, source.w[W_THETA], plan->d_theta, true, source.d_tokens,
                        source.dw[W_THETA], NULL);
        columns_sum(threads, N, plan->strengths, m, plan->d_theta + m - plan->strengths, p[B_THETA]->gradient);
    }
    real *dw_in = p[W_IN]->gradient;
    linear_backward(threads, N, plan->D, d, e, w_in, d_x, composed, d_e, dw_in, NULL);
    linear_backward(threads, N, plan->D, d, e, w_in + d * plan->D, d_z, true, d_e, dw_in + d * plan->D, NULL);
    if (composed)
        fp_rnn_decompose(plan);
    return status_ok();
}

static void look(struct sequence_plan *plan, struct recurrence_view *view)
{
    solver_look(&plan->solver, &plan->inputs, view);
}

RECURRENT_LAYER(fp_rnn, fp_rnn, true, .takes = TAKES_MIXER | TAKES_READOUT, .around = SURROUNDINGS_USUAL,
                .summary = "the recurrence of a problem, by any implementation, between gates");
RECURRENT_LAYER(diagonal, fp_rnn, false, .takes = TAKES_READOUT, .around = SURROUNDINGS_USUAL,
                .summary = "the same without channel mixer");
