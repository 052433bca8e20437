/* attention: causal softmax attention of `heads` heads of d / heads channels each, with rotary positions (no table of positions
 * that ends at the training length):  q, k, v = W_qkv e;  o_t = sum_{s <= t} softmax_s(q_t . k_s / sqrt(d/heads)) v_s;  out =
 * W_out o. The weights of a head are computed again in backward(): memory is O(T^2) for each thread, not for each head of the
 * batch. */
#include "train/math/operators.h"
#include "train/sequence.h"

#include "impls/contract/support.h"
#include "impls/math/blas.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { W_QKV, W_OUT, PARAMETERS };

struct sequence_plan {
    int64_t B, T, D, d, heads, width; /* T: of the sequences at hand; width: channels of a head */
    int64_t scratch;                  /* reals a thread: two (T,T) */
    int threads;
    const struct parameter *p;
    real *turn;        /* (T, width / 2, 2) cosine and sine */
    real *qkv, *o;     /* (B,T,3d), q and k turned; (B,T,d) */
    real *d_qkv, *d_o; /* the same */
    real *memory;
};

static bool check(const struct sequence_setup *setup, size_t capacity, char *reason)
{
    int64_t d = setup->model->d, heads = setup->model->heads;
    bool fits = heads >= 1 && d % heads == 0 && d / heads % 2 == 0;
    if (!fits)
        snprintf(reason, capacity, "attention: d = %lld must be a multiple of twice the heads = %lld", (long long)d,
                 (long long)heads);
    return fits;
}

static void declare(const struct model_spec *model, struct parameters *parameters)
{
    parameters_add(parameters, "W_qkv", 3 * model->d, model->d_model, true,
                   (struct start){START_NORMAL, 0, 1 / sqrt((double)model->d_model)});
    parameters_add(parameters, "W_out", model->d_model, model->d, true,
                   (struct start){START_NORMAL, 0, 1 / sqrt((double)model->d)});
}

static void destroy(struct sequence_plan *plan)
{
    if (plan != NULL) {
        free(plan->turn);
        free(plan->qkv);
        free(plan->o);
        free(plan->d_qkv);
        free(plan->d_o);
        free(plan->memory);
    }
    free(plan);
}

/* Pair j of a head turns by t / 10000^(2j / width). */
static void turns(struct sequence_plan *plan)
{
    for (int64_t t = 0; t < plan->T; t++) {
        for (int64_t j = 0; j < plan->width / 2; j++) {
            double angle = (double)t * pow(10000, -2.0 * (double)j / (double)plan->width);
            plan->turn[t * plan->width + 2 * j] = (real)cos(angle);
            plan->turn[t * plan->width + 2 * j + 1] = (real)sin(angle);
        }
    }
}

static struct status plan(const struct sequence_setup *setup, struct sequence_plan **out)
{
    int64_t B = setup->B, T = setup->T, d = setup->model->d, N = B * T;
    *out = NULL;
    struct sequence_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    *plan = (struct sequence_plan){.B = B, .T = T, .D = setup->model->d_model, .d = d, .heads = setup->model->heads};
    plan->width = d / plan->heads;
    plan->threads = setup->environment->threads;
    plan->p = setup->parameter;
    plan->scratch = 2 * T * T + 64;
    plan->turn = memory_allocate(T * plan->width, sizeof(real));
    plan->qkv = memory_allocate(3 * N * d, sizeof(real));
    plan->o = memory_allocate(N * d, sizeof(real));
    plan->d_qkv = memory_allocate(setup->gradient ? 3 * N * d : 0, sizeof(real));
    plan->d_o = memory_allocate(setup->gradient ? N * d : 0, sizeof(real));
    plan->memory = memory_allocate(plan->threads * plan->scratch, sizeof(real));
    if (!plan->turn || !plan->qkv || !plan->o || !plan->d_qkv || !plan->d_o || !plan->memory) {
        destroy(plan);
        return status_no_memory();
    }
    turns(plan);
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

/* Turns q and k of every token forwards (sign 1) or backwards (-1). */
static void turn(const struct sequence_plan *plan, real *qkv, real sign)
{
    int64_t N = plan->B * plan->T, d = plan->d, width = plan->width;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < N; n++) {
        const real *angle = plan->turn + n % plan->T * width;
        for (int64_t k = 0; k < 2 * d; k += 2) { /* q, then k: each d channels, heads one after the other */
            real *pair = qkv + n * 3 * d + k, cosine = angle[k % width], sine = sign * angle[k % width + 1];
            real first = pair[0] * cosine - pair[1] * sine;
            pair[1] = pair[0] * sine + pair[1] * cosine;
            pair[0] = first;
        }
    }
}

/* weights (T,T) of one head: softmax of its masked scores, 0 above the diagonal. */
static void head_weights(const struct sequence_plan *plan, const real *q, real *weights)
{
    int64_t T = plan->T, ld = 3 * plan->d;
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)T, (int)T, (int)plan->width, 1 / real_sqrt((real)plan->width), q,
              (int)ld, q + plan->d, (int)ld, 0, weights, (int)T);
    for (int64_t t = 0; t < T; t++) {
        real *row = weights + t * T, largest = row[0], sum = 0;
#pragma omp simd reduction(max : largest)
        for (int64_t s = 1; s <= t; s++)
            largest = row[s] > largest ? row[s] : largest;
#pragma omp simd reduction(+ : sum)
        for (int64_t s = 0; s <= t; s++) {
            row[s] = exponential(row[s] - largest);
            sum += row[s];
        }
#pragma omp simd
        for (int64_t s = 0; s <= t; s++)
            row[s] /= sum;
        fill(row + t + 1, 0, T - t - 1);
    }
}

static struct status forward(struct sequence_plan *plan, const void *x, void *y)
{
    int64_t T = plan->T, d = plan->d, N = plan->B * T, width = plan->width;
    linear_forward(plan->threads, N, plan->D, 3 * d, x, plan->p[W_QKV].value, NULL, false, plan->qkv);
    turn(plan, plan->qkv, 1);
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < plan->B * plan->heads; i++) {
        real *weights = plan->memory + omp_get_thread_num() * plan->scratch;
        int64_t first = i / plan->heads * T, channel = i % plan->heads * width;
        const real *q = plan->qkv + first * 3 * d + channel;
        head_weights(plan, q, weights);
        blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)T, (int)width, (int)T, 1, weights, (int)T, q + 2 * d,
                  (int)(3 * d), 0, plan->o + first * d + channel, (int)d);
    }
    linear_forward(plan->threads, N, d, plan->D, plan->o, plan->p[W_OUT].value, NULL, false, y);
    return status_ok();
}

/* With P the weights and dP = do v^T:  dv = P^T do;  dS = P (dP - rowsum(P dP));  dq = dS k, dk = dS^T q, both / sqrt(width). */
static void head_backward(const struct sequence_plan *plan, const real *q, const real *d_o, real *dq, real *weights)
{
    int64_t T = plan->T, d = plan->d, width = plan->width;
    int n = (int)T, w = (int)width, ld = (int)(3 * d);
    real *scores = weights + T * T, scale = 1 / real_sqrt((real)width);
    head_weights(plan, q, weights);
    blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, w, n, 1, weights, n, d_o, (int)d, 0, dq + 2 * d, ld);
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, w, 1, d_o, (int)d, q + 2 * d, ld, 0, scores, n);
    for (int64_t t = 0; t < T; t++) {
        real *row = scores + t * T, *weight = weights + t * T, sum = dot(row, weight, T);
#pragma omp simd
        for (int64_t s = 0; s < T; s++)
            row[s] = weight[s] * (row[s] - sum);
    }
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, w, n, scale, scores, n, q + d, ld, 0, dq, ld);
    blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, w, n, scale, scores, n, q, ld, 0, dq + d, ld);
}

static struct status backward(struct sequence_plan *plan, const void *x, const void *dy, void *dx)
{
    int64_t T = plan->T, d = plan->d, N = plan->B * T;
    const struct parameter *p = plan->p;
    linear_backward(plan->threads, N, d, plan->D, plan->o, p[W_OUT].value, dy, false, plan->d_o, p[W_OUT].gradient, NULL);
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < plan->B * plan->heads; i++) {
        int64_t first = i / plan->heads * T, channel = i % plan->heads * plan->width;
        head_backward(plan, plan->qkv + first * 3 * d + channel, plan->d_o + first * d + channel,
                      plan->d_qkv + first * 3 * d + channel, plan->memory + omp_get_thread_num() * plan->scratch);
    }
    turn(plan, plan->d_qkv, -1);
    linear_backward(plan->threads, N, plan->D, 3 * d, x, p[W_QKV].value, plan->d_qkv, false, dx, p[W_QKV].gradient, NULL);
    return status_ok();
}

const struct sequence_layer VARIANT(attention) = {
    .name = "attention",
    .summary = "causal softmax attention with rotary positions",
    .takes = TAKES_FEED_FORWARD,
    .around = SURROUNDINGS_USUAL,
    .check = check,
    .declare = declare,
    .plan = plan,
    .resize = resize,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
