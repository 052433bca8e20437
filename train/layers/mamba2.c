/* mamba2: Mamba-2 as released (state-spaces/mamba), around the recurrence of the cell selective_heads, carried out by any implementation of
 * it, with the gate and the norm inside.
 *
 *     z = W_z e      x, b, c = SiLU(b_conv + sum_k w_conv[k] . (W_xbc e)_{t-k}), k = 0 .. 3      dt = softplus(W_dt e + b_step)
 *     y = recurrence(x, dt, A = exp(A_log), b, c, skip, gain, z)
 *     out = W_out y
 *
 * W_in = [W_z; W_xbc; W_dt]. The gradient of the recurrence is the implementation's; everything else is differentiated here. */
#include "train/math/operators.h"
#include "train/solver.h"

#include "impls/contract/support.h"
#include "impls/math/activation.h"
#include "impls/selective/token.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Parameters, in the order in which they are declared. */
enum { W_IN, W_CONV, B_CONV, B_STEP, A_LOG, SKIP, GAIN, W_OUT, PARAMETERS };

/* Arrays that a plan keeps, a row for each token; those from FIRST_GRADIENT on only for backward(). */
enum {
    GATE,        /* z */
    ENTERS,      /* (d + 2 N) W_xbc e */
    CONVOLVED,   /* ... before its SiLU */
    X,           /* its parts */
    IN,          /* b */
    OUT,         /* c */
    BEFORE_STEP, /* (heads) before the softplus */
    STEP,
    Y,
    D_GATE,
    D_ENTERS,
    D_CONVOLVED,
    D_X,
    D_IN,
    D_OUT,
    D_STEP,
    D_Y,
    ARRAYS,
    FIRST_GRADIENT = D_GATE
};

struct sequence_plan {
    int64_t B, D, d, N, heads, enters; /* D: d_model; enters: d + 2 N */
    int threads;
    struct solver solver;
    struct inputs inputs;
    const struct parameter *p; /* (PARAMETERS) */
    real *rates;               /* (heads) */
    real *array[ARRAYS];
};

static struct problem problem_of(const struct model_spec *model, int64_t B, int64_t T)
{
    return (struct problem){.cell = CELL_SELECTIVE_HEADS,
                            .B = B,
                            .T = T,
                            .d = model->d,
                            .N = model->N,
                            .heads = model->heads,
                            .norm = NORM_OUTPUT,
                            .gate = GATE_INSIDE,
                            .dtype = model->dtype};
}

static bool check(const struct sequence_setup *setup, size_t capacity, char *reason)
{
    const struct problem problem = problem_of(setup->model, setup->B, setup->T);
    return solver_check(&problem, setup, capacity, reason);
}

/* As torch's Linear has it, over a number. */
static struct start linear(int64_t inputs, double by)
{
    double bound = 1 / (sqrt((double)inputs) * by);
    return (struct start){START_UNIFORM, -bound, bound};
}

static void declare(const struct model_spec *model, struct parameters *parameters)
{
    const int64_t d = model->d, D = model->d_model, heads = model->heads, enters = d + 2 * model->N;
    const struct start one = {START_CONSTANT, 1, 0}, step = {START_STEP, log(STEP_LEAST), log(STEP_MOST)};
    parameters_add(parameters, "W_in", d + enters + heads, D, true, linear(D, 1));
    parameters_add(parameters, "w_conv", CONVOLUTION_WIDTH, enters, true, linear(CONVOLUTION_WIDTH, 1));
    parameters_add(parameters, "b_conv", enters, 0, false, linear(CONVOLUTION_WIDTH, 1));
    parameters_add(parameters, "b_step", heads, 0, false, step);
    parameters_add(parameters, "A_log", heads, 0, false, (struct start){START_LOGARITHM, 1, RATE_MOST});
    parameters_add(parameters, "skip", heads, 0, false, one);
    parameters_add(parameters, "gain", d, 0, false, one);
    parameters_add(parameters, "W_out", D, d, true, linear(d, sqrt((double)model->blocks)));
}

static void destroy(struct sequence_plan *plan)
{
    if (plan != NULL) {
        solver_close(&plan->solver);
        free(plan->rates);
        for (int i = 0; i < ARRAYS; i++)
            free(plan->array[i]);
    }
    free(plan);
}

static bool allocate(struct sequence_plan *plan, int64_t tokens, bool gradient)
{
    const int64_t d = plan->d, N = plan->N, heads = plan->heads, enters = plan->enters;
    const int64_t widths[ARRAYS] = {[GATE] = d, [ENTERS] = enters, [CONVOLVED] = enters,  [X] = d,
                                    [IN] = N,   [OUT] = N,         [BEFORE_STEP] = heads, [STEP] = heads,
                                    [Y] = d,    [D_GATE] = d,      [D_ENTERS] = enters,   [D_CONVOLVED] = enters,
                                    [D_X] = d,  [D_IN] = N,        [D_OUT] = N,           [D_STEP] = heads,
                                    [D_Y] = d};
    plan->rates = memory_allocate(heads, sizeof(real));
    if (plan->rates == NULL)
        return false;
    for (int i = 0; i < (gradient ? ARRAYS : FIRST_GRADIENT); i++) {
        plan->array[i] = memory_allocate(tokens * widths[i], sizeof(real));
        if (plan->array[i] == NULL)
            return false;
    }
    return true;
}

static struct status plan(const struct sequence_setup *setup, struct sequence_plan **out)
{
    const struct model_spec *model = setup->model;
    const struct problem problem = problem_of(model, setup->B, setup->T);
    *out = NULL;
    struct sequence_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->B = setup->B, plan->D = model->d_model, plan->d = model->d, plan->N = model->N, plan->heads = model->heads;
    plan->enters = model->d + 2 * model->N;
    plan->threads = setup->environment->threads;
    plan->p = setup->parameter;
    bool memory = allocate(plan, setup->B * setup->T, setup->gradient);
    struct status status = memory ? solver_open(&problem, setup, &plan->solver) : status_no_memory();
    if (status.code != STATUS_OK) {
        destroy(plan);
        return status;
    }
    plan->inputs = (struct inputs){.x = plan->array[X],
                                   .dt = plan->array[STEP],
                                   .A = plan->rates,
                                   .b = plan->array[IN],
                                   .c = plan->array[OUT],
                                   .skip = plan->p[SKIP].value,
                                   .gain = plan->p[GAIN].value,
                                   .z = plan->array[GATE]};
    *out = plan;
    return status_ok();
}

static struct status resize(struct sequence_plan *plan, int64_t T, int64_t l_max)
{
    return solver_resize(&plan->solver, T, l_max);
}

/* The rows of W_in from which z, what goes through the convolution, and the step come; or of its gradient. */
static real *rows_of(const struct sequence_plan *plan, void *w_in, int array)
{
    int64_t first = array == GATE ? 0 : array == ENTERS ? plan->d : plan->d + plan->enters;
    return (real *)w_in + first * plan->D;
}

static struct status forward(struct sequence_plan *plan, const void *e, void *out)
{
    const int64_t T = plan->solver.problem.T, tokens = plan->B * T, d = plan->d, D = plan->D, N = plan->N, heads = plan->heads;
    const struct parameter *p = plan->p;
    const real *a_log = p[A_LOG].value;
    const int threads = plan->threads;
    real *const *array = plan->array;
    void *w = p[W_IN].value;
    for (int64_t h = 0; h < heads; h++)
        plan->rates[h] = exponential(a_log[h]);
    linear_forward(threads, tokens, D, d, e, rows_of(plan, w, GATE), NULL, false, array[GATE]);
    linear_forward(threads, tokens, D, plan->enters, e, rows_of(plan, w, ENTERS), NULL, false, array[ENTERS]);
    linear_forward(threads, tokens, D, heads, e, rows_of(plan, w, STEP), p[B_STEP].value, false, array[BEFORE_STEP]);
    convolution_forward(threads, plan->B, T, plan->enters, array[ENTERS], p[W_CONV].value, p[B_CONV].value, array[CONVOLVED]);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t n = 0; n < tokens; n++) {
        const real *from = array[CONVOLVED] + n * plan->enters;
        real *x = array[X] + n * d, *b = array[IN] + n * N, *c = array[OUT] + n * N;
#pragma omp simd
        for (int64_t i = 0; i < d; i++)
            x[i] = silu(from[i]);
#pragma omp simd
        for (int64_t i = 0; i < N; i++) {
            b[i] = silu(from[d + i]);
            c[i] = silu(from[d + N + i]);
        }
        softplus_row(array[BEFORE_STEP] + n * heads, array[STEP] + n * heads, heads);
    }
    struct status status = solver_forward(&plan->solver, &plan->inputs, array[Y]);
    if (status.code != STATUS_OK)
        return status;
    linear_forward(threads, tokens, d, D, array[Y], p[W_OUT].value, NULL, false, out);
    return status_ok();
}

/* From the gradients of x, b, c and dt to those before their bends. */
static void unbend(const struct sequence_plan *plan, int64_t tokens)
{
    const int64_t d = plan->d, N = plan->N, heads = plan->heads;
    real *const *array = plan->array;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < tokens; n++) {
        const real *before = array[CONVOLVED] + n * plan->enters, *step = array[BEFORE_STEP] + n * heads;
        real *to = array[D_CONVOLVED] + n * plan->enters, *d_step = array[D_STEP] + n * heads;
        memcpy(to, array[D_X] + n * d, (size_t)d * sizeof(real));
        memcpy(to + d, array[D_IN] + n * N, (size_t)N * sizeof(real));
        memcpy(to + d + N, array[D_OUT] + n * N, (size_t)N * sizeof(real));
#pragma omp simd
        for (int64_t i = 0; i < plan->enters; i++)
            to[i] *= silu_slope(before[i], sigmoid(before[i]));
        for (int64_t h = 0; h < heads; h++)
            d_step[h] *= sigmoid(step[h]);
    }
}

static struct status backward(struct sequence_plan *plan, const void *e, const void *d_out, void *d_e)
{
    const int64_t T = plan->solver.problem.T, tokens = plan->B * T, d = plan->d, D = plan->D, heads = plan->heads;
    const struct parameter *p = plan->p;
    const int threads = plan->threads;
    real *const *array = plan->array, *d_a_log = p[A_LOG].gradient; /* holds that of the rates */
    void *w = p[W_IN].value, *dw = p[W_IN].gradient;
    linear_backward(threads, tokens, d, D, array[Y], p[W_OUT].value, d_out, false, array[D_Y], p[W_OUT].gradient, NULL);
    const struct gradients gradients = {.x = array[D_X],
                                        .dt = array[D_STEP],
                                        .A = d_a_log,
                                        .b = array[D_IN],
                                        .c = array[D_OUT],
                                        .skip = p[SKIP].gradient,
                                        .gain = p[GAIN].gradient,
                                        .z = array[D_GATE]};
    struct status status = solver_backward(&plan->solver, &plan->inputs, array[Y], array[D_Y], &gradients);
    if (status.code != STATUS_OK)
        return status;
    for (int64_t h = 0; h < heads; h++)
        d_a_log[h] *= plan->rates[h];
    unbend(plan, tokens);
    convolution_backward(threads, plan->B, T, plan->enters, array[ENTERS], p[W_CONV].value, array[D_CONVOLVED], array[D_ENTERS],
                         p[W_CONV].gradient, p[B_CONV].gradient);
    linear_backward(threads, tokens, D, d, e, rows_of(plan, w, GATE), array[D_GATE], false, d_e, rows_of(plan, dw, GATE), NULL);
    linear_backward(threads, tokens, D, plan->enters, e, rows_of(plan, w, ENTERS), array[D_ENTERS], true, d_e,
                    rows_of(plan, dw, ENTERS), NULL);
    linear_backward(threads, tokens, D, heads, e, rows_of(plan, w, STEP), array[D_STEP], true, d_e, rows_of(plan, dw, STEP),
                    p[B_STEP].gradient);
    return status_ok();
}

static void look(struct sequence_plan *plan, struct recurrence_view *view)
{
    solver_look(&plan->solver, &plan->inputs, view);
}

const struct sequence_layer VARIANT(mamba2) = {
    .name = "mamba2",
    .summary = "Mamba-2, by any implementation of the cell selective_heads",
    .recurrent = true,
    .cell = CELL_SELECTIVE_HEADS,
    .around = {.rms = true, .tied = true, .embedding = 0.02}, /* as the released code builds its models */
    .check = check,
    .declare = declare,
    .plan = plan,
    .resize = resize,
    .forward = forward,
    .backward = backward,
    .look = look,
    .destroy = destroy,
};
