/* fp_rnn: a layer around the recurrence of impls/, carried out by any implementation of it. diagonal: the same without channel
 * mixer.
 *
 *     x, z = W_in e              v = SiLU(W_b x) x        lambda = sigmoid(W_l x + b_l)        theta = W_theta x + b_theta
 *     h = recurrence(v, lambda, theta, W)                 c = W_c x  (readout state: + W_ch h_{t-1})
 *     out = W_out RMSNorm(SiLU(z) SiLU(c) h)
 *
 * b_theta is 0 but for the strengths (alpha; D1 and D2), which are the last of theta: directions come from data alone. The
 * gradient of the recurrence is the implementation's, as settings.gradient says; everything else is differentiated here. */
#include "train/operators.h"
#include "train/solver.h"

#include "impls/activation.h"
#include "impls/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parameters, in the order in which they are declared: the last four may be absent. */
enum { W_IN, W_B, W_L, B_L, W_C, GAIN, W_OUT, W_THETA, B_THETA, W_STATE, W_CH, PARAMETERS };

/* (tokens, d) arrays that a plan keeps; those from FIRST_GRADIENT on only for backward(). */
enum {
    X,
    Z,
    PRE_B,
    V,
    LAMBDA,
    C,
    H,
    GATED,
    NORMED,
    BEFORE,
    D_GATED,
    D_Z,
    D_C,
    D_H,
    D_V,
    D_LAMBDA,
    D_X,
    ARRAYS,
    FIRST_GRADIENT = D_GATED
};

struct sequence_plan {
    int64_t B, D, d, m, strengths; /* D: d_model */
    int threads;
    struct solver solver;
    struct inputs inputs;
    const struct parameter *p[PARAMETERS]; /* NULL where absent */
    real *array[ARRAYS];
    real *theta, *d_theta; /* (tokens,m) */
    real *kept;            /* (tokens,2) of the norm */
};

static struct problem problem_of(const struct model_spec *model, bool mixing, int64_t B, int64_t T)
{
    struct problem problem = {.B = B, .T = T, .d = model->d, .form = model->form, .dtype = model->dtype};
    if (mixing && model->mixer != MIXER_NONE) {
        problem.mixer = model->mixer;
        problem.r = model->r;
        problem.s = model->s;
        problem.feedback = model->feedback;
    }
    return problem;
}

static int64_t strengths(const struct problem *problem)
{
    int64_t n1, n2;
    kronecker_sizes(problem->d, &n1, &n2);
    return problem->mixer == MIXER_KRONECKER ? n1 + n2 : problem->r;
}

/* Which parameters there are. */
static void present(const struct model_spec *model, const struct problem *problem, bool there[PARAMETERS])
{
    for (int i = 0; i < PARAMETERS; i++)
        there[i] = true;
    there[W_THETA] = there[B_THETA] = problem->mixer != MIXER_NONE;
    there[W_STATE] = problem->feedback != FEEDBACK_NONE;
    there[W_CH] = model->readout == READOUT_STATE;
}

static bool check_with(const struct sequence_setup *setup, bool mixing, size_t capacity, char *reason)
{
    const struct model_spec *model = setup->model;
    struct problem problem = problem_of(model, mixing, setup->B, setup->T);
    if (problem.mixer == MIXER_DENSE) {
        snprintf(reason, capacity, "fp_rnn has no dense mixer: it would need d * d parameters a token");
        return false;
    }
    if ((int)model->readout < 0 || model->readout >= READOUT_COUNT) {
        snprintf(reason, capacity, "there is no readout %d", (int)model->readout);
        return false;
    }
    return solver_check(&problem, setup, capacity, reason);
}

static void declare_with(const struct model_spec *model, bool mixing, struct parameters *parameters)
{
    struct problem problem = problem_of(model, mixing, 1, 1);
    int64_t d = model->d, m = problem_m(&problem);
    bool there[PARAMETERS];
    double model_width = 1 / sqrt((double)model->d_model), state_width = 1 / sqrt((double)d);
    struct start from_model = {START_UNIFORM, -model_width, model_width}, from_state = {START_UNIFORM, -state_width, state_width};
    struct start small = {START_NORMAL, 0, 0.1 * state_width}; /* SiLU is nearly linear there: directions of either sign */
    const struct {
        const char *name;
        int64_t rows, columns;
        bool decayed;
        struct start start;
    } rows[PARAMETERS] = {
        [W_IN] = {"W_in", 2 * d, model->d_model, true, from_model},
        [W_B] = {"W_b", d, d, true, from_state},
        [W_L] = {"W_l", d, d, true, from_state},
        [B_L] = {"b_l", d, 0, false, {START_CONSTANT, 0, 0}}, /* lambda near 1/2 */
        [W_C] = {"W_c", d, d, true, from_state},
        [GAIN] = {"gain", d, 0, false, {START_CONSTANT, 1, 1}},
        [W_OUT] = {"W_out", model->d_model, d, true, from_state},
        [W_THETA] = {"W_theta", m, d, true, small},
        [B_THETA] = {"b_theta", strengths(&problem), 0, false, {START_CONSTANT, 3, 0}}, /* alpha 0.95: mixing from the start */
        [W_STATE] = {"W", m, d, true, small},
        [W_CH] = {"W_ch", d, d, true, from_state},
    };
    present(model, &problem, there);
    for (int i = 0; i < PARAMETERS; i++)
        if (there[i])
            parameters_add(parameters, rows[i].name, rows[i].rows, rows[i].columns, rows[i].decayed, rows[i].start);
}

static void destroy(struct sequence_plan *plan)
{
    if (plan != NULL) {
        solver_close(&plan->solver);
        for (int i = 0; i < ARRAYS; i++)
            free(plan->array[i]);
        free(plan->theta);
        free(plan->d_theta);
        free(plan->kept);
    }
    free(plan);
}

static struct status plan_with(const struct sequence_setup *setup, bool mixing, struct sequence_plan **out)
{
    const struct model_spec *model = setup->model;
    struct problem problem = problem_of(model, mixing, setup->B, setup->T);
    int64_t N = setup->B * setup->T, m = problem_m(&problem);
    *out = NULL;
    struct sequence_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->B = setup->B, plan->D = model->d_model, plan->d = model->d, plan->m = m;
    plan->strengths = strengths(&problem);
    plan->threads = setup->environment->threads;
    bool there[PARAMETERS], memory = true;
    present(model, &problem, there);
    for (int i = 0, next = 0; i < PARAMETERS; i++)
        plan->p[i] = there[i] ? &setup->parameter[next++] : NULL;
    for (int i = 0; i < (setup->gradient ? ARRAYS : FIRST_GRADIENT); i++) {
        plan->array[i] = memory_allocate(N * model->d, sizeof(real));
        memory &= plan->array[i] != NULL;
    }
    plan->kept = memory_allocate(N * 2, sizeof(real));
    plan->theta = memory_allocate(N * m, sizeof(real));
    plan->d_theta = memory_allocate(setup->gradient ? N * m : 0, sizeof(real));
    memory &= plan->kept != NULL && plan->theta != NULL && plan->d_theta != NULL;
    struct status status = memory ? solver_open(&problem, setup, &plan->solver) : status_no_memory();
    if (status.code != STATUS_OK) {
        destroy(plan);
        return status;
    }
    plan->inputs = (struct inputs){.v = plan->array[V],
                                   .lambda = plan->array[LAMBDA],
                                   .theta = m > 0 ? plan->theta : NULL,
                                   .W = there[W_STATE] ? plan->p[W_STATE]->value : NULL};
    *out = plan;
    return status_ok();
}

static struct status resize(struct sequence_plan *plan, int64_t T, int64_t l_max)
{
    return solver_resize(&plan->solver, T, l_max);
}

/* before (B,T,d) = h of the position before, 0 at the first. */
static void shift(const struct sequence_plan *plan)
{
    int64_t T = plan->solver.problem.T, d = plan->d;
    for (int64_t b = 0; b < plan->B; b++) {
        real *to = plan->array[BEFORE] + b * T * d;
        memset(to, 0, (size_t)d * sizeof(real));
        memcpy(to + d, plan->array[H] + b * T * d, (size_t)((T - 1) * d) * sizeof(real));
    }
}

static struct status forward(struct sequence_plan *plan, const void *e, void *out)
{
    int64_t N = plan->B * plan->solver.problem.T, d = plan->d, m = plan->m, size = N * d;
    int threads = plan->threads;
    real *const *a = plan->array, *x = a[X], *z = a[Z], *pre_b = a[PRE_B], *v = a[V], *lambda = a[LAMBDA], *c = a[C], *h = a[H];
    const struct parameter *const *p = plan->p;
    const real *w_in = p[W_IN]->value;

    linear_forward(threads, N, plan->D, d, e, w_in, NULL, false, x);
    linear_forward(threads, N, plan->D, d, e, w_in + d * plan->D, NULL, false, z);
    linear_forward(threads, N, d, d, x, p[W_B]->value, NULL, false, pre_b);
    linear_forward(threads, N, d, d, x, p[W_L]->value, p[B_L]->value, false, lambda);
    linear_forward(threads, N, d, d, x, p[W_C]->value, NULL, false, c);
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < size; i++) {
        v[i] = silu(pre_b[i]) * x[i];
        lambda[i] = sigmoid(lambda[i]);
    }
    if (m > 0) {
        linear_forward(threads, N, d, m, x, p[W_THETA]->value, NULL, false, plan->theta);
        for (int64_t n = 0; n < N; n++)
            add_scaled(1, p[B_THETA]->value, plan->theta + (n + 1) * m - plan->strengths, plan->strengths);
    }
    struct status status = solver_forward(&plan->solver, &plan->inputs, h);
    if (status.code != STATUS_OK)
        return status;
    if (p[W_CH] != NULL) {
        shift(plan);
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

/* dh_{t-1} += gradient that the readout of t took from it; d_before (B,T,d) */
static void unshift(const struct sequence_plan *plan, const real *d_before)
{
    int64_t T = plan->solver.problem.T, d = plan->d;
    for (int64_t b = 0; b < plan->B; b++)
        add_scaled(1, d_before + (b * T + 1) * d, plan->array[D_H] + b * T * d, (T - 1) * d);
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
        unshift(plan, d_gated);
    }
    struct gradients gradients = {
        .v = d_v, .lambda = d_lambda, .theta = m > 0 ? plan->d_theta : NULL, .W = p[W_STATE] != NULL ? p[W_STATE]->gradient : NULL};
    struct status status = solver_backward(&plan->solver, &plan->inputs, h, d_h, &gradients);
    if (status.code != STATUS_OK)
        return status;
    real *d_pre_b = d_v;
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < size; i++) {
        real open_b = sigmoid(pre_b[i]);
        d_x[i] = d_v[i] * pre_b[i] * open_b;
        d_pre_b[i] = d_v[i] * x[i] * silu_slope(pre_b[i], open_b);
        d_lambda[i] *= lambda[i] * (1 - lambda[i]);
    }
    linear_backward(threads, N, d, d, x, p[W_B]->value, d_pre_b, true, d_x, p[W_B]->gradient, NULL);
    linear_backward(threads, N, d, d, x, p[W_L]->value, d_lambda, true, d_x, p[W_L]->gradient, p[B_L]->gradient);
    linear_backward(threads, N, d, d, x, p[W_C]->value, d_c, true, d_x, p[W_C]->gradient, NULL);
    if (m > 0) {
        linear_backward(threads, N, d, m, x, p[W_THETA]->value, plan->d_theta, true, d_x, p[W_THETA]->gradient, NULL);
        columns_sum(threads, N, plan->strengths, m, plan->d_theta + m - plan->strengths, p[B_THETA]->gradient);
    }
    real *dw_in = p[W_IN]->gradient;
    linear_backward(threads, N, plan->D, d, e, w_in, d_x, false, d_e, dw_in, NULL);
    linear_backward(threads, N, plan->D, d, e, w_in + d * plan->D, d_z, true, d_e, dw_in + d * plan->D, NULL);
    return status_ok();
}

static void look(struct sequence_plan *plan, struct recurrence_view *view)
{
    solver_look(&plan->solver, &plan->inputs, view);
}

#define LAYER(row, mixing, words)                                                                                                  \
    static bool check_##row(const struct sequence_setup *setup, size_t capacity, char *reason)                                     \
    {                                                                                                                              \
        return check_with(setup, mixing, capacity, reason);                                                                        \
    }                                                                                                                              \
    static void declare_##row(const struct model_spec *model, struct parameters *parameters)                                       \
    {                                                                                                                              \
        declare_with(model, mixing, parameters);                                                                                   \
    }                                                                                                                              \
    static struct status plan_##row(const struct sequence_setup *setup, struct sequence_plan **plan)                               \
    {                                                                                                                              \
        return plan_with(setup, mixing, plan);                                                                                     \
    }                                                                                                                              \
    const struct sequence_layer VARIANT(row) = {                                                                                   \
        .name = #row,                                                                                                              \
        .summary = words,                                                                                                          \
        .recurrent = true,                                                                                                         \
        .check = check_##row,                                                                                                      \
        .declare = declare_##row,                                                                                                  \
        .plan = plan_##row,                                                                                                        \
        .resize = resize,                                                                                                          \
        .forward = forward,                                                                                                        \
        .backward = backward,                                                                                                      \
        .look = look,                                                                                                              \
        .destroy = destroy,                                                                                                        \
    }

LAYER(fp_rnn, true, "the recurrence of a problem, by any implementation, between gates");
LAYER(diagonal, false, "the same without channel mixer");
