/* See fresh.h. What a projection of x gives is drawn as a normal number of that variance: weights of torch's Linear are uniform within
 * one over the root of the inputs, so that each output has a third of the variance of x. */
#include "bench/problems/fresh.h"

#include "bench/base/random.h"

#include <math.h>

#define DT_LEAST 1e-3 /* steps are drawn between these, evenly in their logarithm, one a channel ... */
#define DT_MOST 1e-1
#define STATE_SCALE 0.1
#define RATE_MOST 16 /* of cells with heads: their rates are drawn between 0, or RATE_LEAST, and this */
#define RATE_LEAST 1
#define LENGTH_LEAST 1e-6 /* beside the square of a vector's length that it is divided by */

static double normal(const struct regime *regime, enum tensor_id id, int64_t i)
{
    return random_normal(regime->seed, STREAM_FRESH + (uint32_t)id, (uint64_t)i);
}

/* Within one over the root of n. */
static double uniform(const struct regime *regime, enum tensor_id id, int64_t i, int64_t n)
{
    return (2 * random_uniform(regime->seed, STREAM_FRESH + (uint32_t)id, (uint64_t)i) - 1) / sqrt((double)n);
}

/* A projection of x. */
static double projected(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    (void)p;
    return regime->scale / sqrt(3) * normal(regime, id, i);
}

/* A projection of x beside the output, whose weights are those of twice as many inputs. */
static double parameter(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    return projected(p, regime, id, i) / (p->feedback != FEEDBACK_NONE ? sqrt(2) : 1);
}

/* SiLU of a projection of x. */
static double activated(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    double x = projected(p, regime, id, i);
    return x / (1 + exp(-x));
}

static bool in_heads(const struct problem *p)
{
    return p->cell == CELL_SELECTIVE_HEADS;
}

/* What enters the recurrence; in selective_heads the layer's x has been projected, and activated. */
static double of_x(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    return in_heads(p) ? activated(p, regime, id, i) : regime->scale * normal(regime, id, i);
}

static double gate(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    return in_heads(p) ? projected(p, regime, id, i) : regime->scale * normal(regime, id, i);
}

static double vector(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    return in_heads(p) ? activated(p, regime, id, i) : projected(p, regime, id, i);
}

/* softplus(a channel's own number + two projections, one after the other, of x); before the softplus where it reads the output. Of a head:
 * one projection. */
static double step(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    double u = random_uniform(regime->seed, STREAM_FRESH_STEP, (uint64_t)(i % (in_heads(p) ? p->heads : p->d)));
    double own = exp(log(DT_LEAST) + u * log(DT_MOST / DT_LEAST));
    double moved = in_heads(p) ? projected(p, regime, id, i) : regime->scale / 3 * normal(regime, id, i);
    double raw = log(expm1(own)) + moved;
    return tensor_elements(p, TENSOR_W_DT) > 0 ? raw : log1p(exp(raw));
}

static double rate(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    double u = in_heads(p) ? random_uniform(regime->seed, STREAM_FRESH + (uint32_t)id, (uint64_t)i) : 0;
    return in_heads(p) ? RATE_LEAST + u * (RATE_MOST - RATE_LEAST) : (double)(i % p->N + 1);
}

static double one(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    (void)p, (void)regime, (void)id, (void)i;
    return 1;
}

static double zero(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    (void)p, (void)regime, (void)id, (void)i;
    return 0;
}

static double weight(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    return uniform(regime, id, i, p->d);
}

static double weight_of_both(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    return uniform(regime, id, i, 2 * p->d);
}

static double state(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    (void)p;
    return STATE_SCALE * normal(regime, id, i);
}

static double output(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    (void)p;
    return normal(regime, id, i);
}

/* 2 sigmoid(a projection of x): what takes a step to a reflection, or no further than to a projection, as often as not. */
static double strength(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    return 2 / (1 + exp(-projected(p, regime, id, i)));
}

/* -(a rate) softplus(a number + a projection of x): both are a head's own, the number the softplus's inverse of a step. */
static double forgetting(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i)
{
    int64_t head = i % p->heads;
    double u = random_uniform(regime->seed, STREAM_FRESH_STEP, (uint64_t)head);
    double rate_of_head = RATE_MOST * random_uniform(regime->seed, STREAM_FRESH_STEP, (uint64_t)(p->heads + head));
    double own = exp(log(DT_LEAST) + u * log(DT_MOST / DT_LEAST));
    double x = log(expm1(own)) + projected(p, regime, id, i);
    return -rate_of_head * (fmax(x, 0) + log1p(exp(-fabs(x)))); /* an exponential of large x would overflow */
}

static double (*const draws[TENSORS_MAX])(const struct problem *, const struct regime *, enum tensor_id, int64_t) = {
    [TENSOR_X] = of_x,       [TENSOR_DT] = step,          [TENSOR_A] = rate,        [TENSOR_B] = vector,
    [TENSOR_C] = vector,     [TENSOR_SKIP] = one,         [TENSOR_GAIN] = one,      [TENSOR_BIAS] = zero,
    [TENSOR_W_B] = weight,   [TENSOR_W_C] = weight,       [TENSOR_W_DT] = weight,   [TENSOR_THETA] = parameter,
    [TENSOR_Z] = gate,       [TENSOR_W] = weight_of_both, [TENSOR_MATRIX0] = state, [TENSOR_Y0] = output,
    [TENSOR_Q] = activated,  [TENSOR_K] = activated,      [TENSOR_V] = activated,   [TENSOR_BETA] = strength,
    [TENSOR_G] = forgetting,
};

static bool of_length_one(enum tensor_id id)
{
    return id == TENSOR_Q || id == TENSOR_K;
}

int64_t fresh_together(const struct problem *p, enum tensor_id id)
{
    return of_length_one(id) ? p->N : 1;
}

void fresh_elements(const struct problem *p, const struct regime *regime, enum tensor_id id, int64_t i, double *elements)
{
    int64_t n = fresh_together(p, id);
    double squares = LENGTH_LEAST;
    for (int64_t k = 0; k < n; k++) {
        elements[k] = draws[id](p, regime, id, i + k);
        squares += elements[k] * elements[k];
    }
    for (int64_t k = 0; k < n && of_length_one(id); k++)
        elements[k] /= sqrt(squares);
}
