/* lstm: i, f, o = sigmoid, g = tanh of W_x e + W_h h_{t-1} + b (in the order i f g o);  c_t = f c_{t-1} + i g;  h = o tanh(c);
 * out = W_out h.  Sequences are divided among the threads, each of which goes through time by itself. The forget gate's bias starts
 * at 1. */
#include "train/math/operators.h"
#include "train/sequence.h"

#include "impls/contract/support.h"
#include "impls/math/activation.h"
#include "impls/math/blas.h"

#include <stdlib.h>
#include <string.h>

enum { W_X, W_H, BIAS, W_OUT, PARAMETERS };

struct sequence_plan {
    int64_t B, T, D, d; /* T: of the sequences at hand */
    int threads;
    const struct parameter *p; /* (PARAMETERS) */
    real *gates;               /* (B,T,4d) i f g o, then their gradients before activation */
    real *c, *h, *before;      /* (B,T,d); before: h of the position before, 0 at the first */
    real *d_h;                 /* (B,T,d) */
    real *carry_h, *carry_c;   /* (B,d) gradients that come from the position after */
};

static inline real hyperbolic(real x)
{
    return 2 * sigmoid(2 * x) - 1;
}

static bool check(const struct sequence_setup *setup, size_t capacity, char *reason)
{
    (void)setup, (void)capacity, (void)reason;
    return true;
}

static void declare(const struct model_spec *model, struct parameters *parameters)
{
    int64_t d = model->d;
    double width = 1 / sqrt((double)d);
    struct start start = {START_UNIFORM, -width, width};
    parameters_add(parameters, "W_x", 4 * d, model->d_model, true, start);
    parameters_add(parameters, "W_h", 4 * d, d, true, start);
    parameters_add(parameters, "b", 4 * d, 0, false, (struct start){START_BLOCK, 1, 4});
    parameters_add(parameters, "W_out", model->d_model, d, true, start);
}

static void destroy(struct sequence_plan *plan)
{
    if (plan != NULL) {
        free(plan->gates);
        free(plan->c);
        free(plan->h);
        free(plan->before);
        free(plan->d_h);
        free(plan->carry_h);
        free(plan->carry_c);
    }
    free(plan);
}

static struct status plan(const struct sequence_setup *setup, struct sequence_plan **out)
{
    int64_t B = setup->B, T = setup->T, d = setup->model->d, size = B * T * d;
    *out = NULL;
    struct sequence_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    *plan = (struct sequence_plan){
        .B = B, .T = T, .D = setup->model->d_model, .d = d, .threads = setup->environment->threads, .p = setup->parameter};
    plan->gates = memory_allocate(4 * size, sizeof(real));
    plan->c = memory_allocate(size, sizeof(real));
    plan->h = memory_allocate(size, sizeof(real));
    plan->before = memory_allocate(size, sizeof(real));
    plan->d_h = memory_allocate(setup->gradient ? size : 0, sizeof(real));
    plan->carry_h = memory_allocate(B * d, sizeof(real));
    plan->carry_c = memory_allocate(B * d, sizeof(real));
    if (!plan->gates || !plan->c || !plan->h || !plan->before || !plan->d_h || !plan->carry_h || !plan->carry_c) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(plan->threads);
    *out = plan;
    return status_ok();
}

static struct status resize(struct sequence_plan *plan, int64_t T, int64_t l_max)
{
    (void)l_max;
    plan->T = T;
    return status_ok();
}

static void cell_forward(int64_t d, real *restrict gates, const real *restrict c_before, real *restrict c, real *restrict h)
{
#pragma omp simd
    for (int64_t k = 0; k < d; k++) {
        real i = sigmoid(gates[k]), f = sigmoid(gates[d + k]), g = hyperbolic(gates[2 * d + k]), o = sigmoid(gates[3 * d + k]);
        c[k] = i * g + (c_before != NULL ? f * c_before[k] : 0);
        h[k] = o * hyperbolic(c[k]);
        gates[k] = i;
        gates[d + k] = f;
        gates[2 * d + k] = g;
        gates[3 * d + k] = o;
    }
}

/* Sequences from .. to - 1; gates hold W_x e + b. */
static void forward_part(const struct sequence_plan *plan, int64_t from, int64_t to)
{
    int64_t T = plan->T, d = plan->d;
    for (int64_t t = 0; t < T; t++) {
        int64_t first = from * T + t;
        if (t > 0 && to > from)
            blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(to - from), (int)(4 * d), (int)d, 1, plan->before + first * d,
                      (int)(T * d), plan->p[W_H].value, (int)d, 1, plan->gates + first * 4 * d, (int)(T * 4 * d));
        for (int64_t n = first; n < to * T; n += T) {
            if (t == 0)
                memset(plan->before + n * d, 0, (size_t)d * sizeof(real));
            cell_forward(d, plan->gates + n * 4 * d, t > 0 ? plan->c + (n - 1) * d : NULL, plan->c + n * d, plan->h + n * d);
            if (t < T - 1)
                memcpy(plan->before + (n + 1) * d, plan->h + n * d, (size_t)d * sizeof(real));
        }
    }
}

static struct status forward(struct sequence_plan *plan, const void *x, void *y)
{
    int64_t N = plan->B * plan->T, d = plan->d;
    int threads = plan->threads;
    linear_forward(threads, N, plan->D, 4 * d, x, plan->p[W_X].value, plan->p[BIAS].value, false, plan->gates);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int i = 0; i < threads; i++)
        forward_part(plan, plan->B * i / threads, plan->B * (i + 1) / threads);
    linear_forward(threads, N, d, plan->D, plan->h, plan->p[W_OUT].value, NULL, false, y);
    return status_ok();
}

/* gates become the gradients before their activation; carry_h is read, carry_c goes on to the position before. */
static void cell_backward(int64_t d, real *restrict gates, const real *restrict c_before, const real *restrict c,
                          const real *restrict d_h, const real *restrict carry_h, real *restrict carry_c)
{
#pragma omp simd
    for (int64_t k = 0; k < d; k++) {
        real i = gates[k], f = gates[d + k], g = gates[2 * d + k], o = gates[3 * d + k], tanh_c = hyperbolic(c[k]);
        real dh = d_h[k] + carry_h[k], dc = carry_c[k] + dh * o * (1 - tanh_c * tanh_c);
        gates[k] = dc * g * i * (1 - i);
        gates[d + k] = c_before != NULL ? dc * c_before[k] * f * (1 - f) : 0;
        gates[2 * d + k] = dc * i * (1 - g * g);
        gates[3 * d + k] = dh * tanh_c * o * (1 - o);
        carry_c[k] = dc * f;
    }
}

static void backward_part(const struct sequence_plan *plan, int64_t from, int64_t to)
{
    int64_t T = plan->T, d = plan->d;
    memset(plan->carry_h + from * d, 0, (size_t)((to - from) * d) * sizeof(real));
    memset(plan->carry_c + from * d, 0, (size_t)((to - from) * d) * sizeof(real));
    for (int64_t t = T - 1; t >= 0; t--) {
        for (int64_t b = from; b < to; b++) {
            int64_t n = b * T + t;
            cell_backward(d, plan->gates + n * 4 * d, t > 0 ? plan->c + (n - 1) * d : NULL, plan->c + n * d, plan->d_h + n * d,
                          plan->carry_h + b * d, plan->carry_c + b * d);
        }
        if (t > 0 && to > from)
            blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(to - from), (int)d, (int)(4 * d), 1,
                      plan->gates + (from * T + t) * 4 * d, (int)(T * 4 * d), plan->p[W_H].value, (int)d, 0,
                      plan->carry_h + from * d, (int)d);
    }
}

static struct status backward(struct sequence_plan *plan, const void *x, const void *dy, void *dx)
{
    int64_t N = plan->B * plan->T, d = plan->d;
    int threads = plan->threads;
    const struct parameter *p = plan->p;
    linear_backward(threads, N, d, plan->D, plan->h, p[W_OUT].value, dy, false, plan->d_h, p[W_OUT].gradient, NULL);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int i = 0; i < threads; i++)
        backward_part(plan, plan->B * i / threads, plan->B * (i + 1) / threads);
    linear_backward(threads, N, d, 4 * d, plan->before, p[W_H].value, plan->gates, false, NULL, p[W_H].gradient, NULL);
    linear_backward(threads, N, plan->D, 4 * d, x, p[W_X].value, plan->gates, false, dx, p[W_X].gradient, p[BIAS].gradient);
    return status_ok();
}

const struct sequence_layer VARIANT(lstm) = {
    .name = "lstm",
    .summary = "long short-term memory",
    .around = SURROUNDINGS_USUAL,
    .check = check,
    .declare = declare,
    .plan = plan,
    .resize = resize,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
