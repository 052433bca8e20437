/* See feed_forward.h. */
#include "train/math/feed_forward.h"

#include "train/math/operators.h"
#include "train/math/pass.h"

#include "impls/contract/support.h"
#include "impls/math/activation.h"

#include <stdlib.h>

#define GELU_SLOPE ((real)1.5957691216057308) /* sqrt(8 / pi) */
#define GELU_CUBE ((real)0.044715)
#define GELU_MOST ((real)100)

struct feed_forward {
    int64_t D, width, up; /* up: rows of W_up, and of W_gate above it */
    bool gates;
    int threads;
    struct feed_forward_parameters p;
    real *normed, *kept;     /* (N,D), (N,2) of the norm */
    real *before, *bent;     /* (N,up) before the bend; (N,width) after it */
    real *d_before, *d_bent; /* the same */
    real *d_normed;          /* (N,D) */
};

void feed_forward_close(struct feed_forward *plan)
{
    if (plan == NULL)
        return;
    real *const all[] = {plan->normed, plan->kept, plan->before, plan->bent, plan->d_before, plan->d_bent, plan->d_normed};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(plan);
}

struct status feed_forward_open(const struct model_spec *model, const struct parameter *parameter, bool rms, int threads, int64_t N,
                                bool gradient, struct feed_forward **out)
{
    *out = NULL;
    struct feed_forward *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->D = model->d_model, plan->width = FEED_FORWARD_WIDTH * plan->D, plan->gates = model->feed_forward == FEED_FORWARD_SWIGLU;
    plan->up = plan->gates ? 2 * plan->width : plan->width;
    plan->threads = threads;
    plan->p = model_feed_forward(model, parameter, rms);
    const struct {
        real **at;
        int64_t width;
        bool gradient;
    } pieces[] = {{&plan->normed, plan->D, false},   {&plan->kept, 2, false},           {&plan->before, plan->up, false},
                  {&plan->bent, plan->width, false}, {&plan->d_before, plan->up, true}, {&plan->d_bent, plan->width, true},
                  {&plan->d_normed, plan->D, true}};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        if (pieces[i].gradient && !gradient)
            continue;
        *pieces[i].at = memory_allocate(N * pieces[i].width, sizeof(real));
        if (*pieces[i].at == NULL) {
            feed_forward_close(plan);
            return status_no_memory();
        }
    }
    *out = plan;
    return status_ok();
}

static void *value_of(const struct parameter *p)
{
    return p != NULL ? p->value : NULL;
}

static void *gradient_of(const struct parameter *p)
{
    return p != NULL ? p->gradient : NULL;
}

/* gelu(a) = a sigmoid(u(held(a))): u has the cube of a, which may overflow; where a is held the sigmoid has long been 0 or 1. */
static inline real held(real a)
{
    return choose(a > GELU_MOST, GELU_MOST, choose(a < -GELU_MOST, -GELU_MOST, a));
}

static inline real gelu_argument(real a)
{
    return GELU_SLOPE * (a + GELU_CUBE * a * a * a);
}

static void bend(const struct feed_forward *plan, int64_t N)
{
    int64_t width = plan->width;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < N; n++) {
        const real *before = plan->before + n * plan->up;
        real *bent = plan->bent + n * width;
        if (plan->gates) {
#pragma omp simd
            for (int64_t c = 0; c < width; c++)
                bent[c] = silu(before[c]) * before[width + c];
        } else {
#pragma omp simd
            for (int64_t c = 0; c < width; c++)
                bent[c] = before[c] * sigmoid(gelu_argument(held(before[c])));
        }
    }
}

static void unbend(const struct feed_forward *plan, int64_t N)
{
    int64_t width = plan->width;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int64_t n = 0; n < N; n++) {
        const real *before = plan->before + n * plan->up, *d_bent = plan->d_bent + n * width;
        real *d_before = plan->d_before + n * plan->up;
        if (plan->gates) {
#pragma omp simd
            for (int64_t c = 0; c < width; c++) {
                real open = sigmoid(before[c]);
                d_before[c] = d_bent[c] * before[width + c] * silu_slope(before[c], open);
                d_before[width + c] = d_bent[c] * before[c] * open;
            }
        } else {
#pragma omp simd
            for (int64_t c = 0; c < width; c++) {
                real a = held(before[c]), u = gelu_argument(a), slope = GELU_SLOPE * (1 + 3 * GELU_CUBE * a * a);
                d_before[c] = d_bent[c] * (sigmoid(u) + a * sigmoid_slope(u) * slope);
            }
        }
    }
}

void feed_forward_forward(struct feed_forward *plan, int64_t N, const real *x, real *y)
{
    const struct feed_forward_parameters *p = &plan->p;
    int64_t D = plan->D;
    norm_forward(plan->threads, N, D, x, p->gain->value, value_of(p->bias), plan->kept, plan->normed);
    linear_forward(plan->threads, N, D, plan->up, plan->normed, p->W_up->value, value_of(p->b_up), false, plan->before);
    bend(plan, N);
#pragma omp parallel for simd num_threads(plan->threads) schedule(static)
    for (int64_t i = 0; i < N * D; i++)
        y[i] = x[i];
    linear_forward(plan->threads, N, plan->width, D, plan->bent, p->W_down->value, value_of(p->b_down), true, y);
}

void feed_forward_backward(struct feed_forward *plan, int64_t N, const real *x, real *d)
{
    const struct feed_forward_parameters *p = &plan->p;
    int64_t D = plan->D;
    linear_backward(plan->threads, N, plan->width, D, plan->bent, p->W_down->value, d, false, plan->d_bent, p->W_down->gradient,
                    gradient_of(p->b_down));
    unbend(plan, N);
    linear_backward(plan->threads, N, D, plan->up, plan->normed, p->W_up->value, plan->d_before, false, plan->d_normed,
                    p->W_up->gradient, gradient_of(p->b_up));
    norm_backward(plan->threads, N, D, x, p->gain->value, plan->kept, plan->d_normed, true, d, p->gain->gradient,
                  gradient_of(p->bias));
}
