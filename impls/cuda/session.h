/* What a plan of every implementation here has on the device: the tensors of its problem and of their gradients, and a clock; and what
 * the slots of the contract do alike. */
#ifndef IMPLS_CUDA_SESSION_H
#define IMPLS_CUDA_SESSION_H

#include "impls/contract/support.h"
#include "impls/cuda/launch.h"

#include <stdlib.h>
#include <string.h>

/* Goes on only after a status that is ok; else it is what the function returns. */
#define TRY(call)                                                                                                                  \
    do {                                                                                                                           \
        struct status status_of_call = (call);                                                                                     \
        if (status_of_call.code != STATUS_OK)                                                                                      \
            return status_of_call;                                                                                                 \
    } while (0)

static inline bool state_dependent(const struct problem *p)
{
    return p->feedback != FEEDBACK_NONE;
}

/* No where a block has too little shared memory. */
static inline bool shared_fits(struct support *support, double bytes)
{
    if (bytes <= (double)(device_get()->shared - 1024)) /* static arrays come on top */
        return true;
    support_no(support, "needs %.0f bytes of shared memory a block, the device has %zu", bytes, device_get()->shared);
    return false;
}

static constexpr int TENSORS = 5; /* v, lambda, theta, W, h0 */

struct session {
    struct problem problem;
    struct settings settings;
    float *input[TENSORS];
    bool given[TENSORS];                            /* by the last upload(): h0 may be missing */
    float *h;                                       /* (B,T,d) */
    float *gradient[TENSORS], *grad_h, *grad_final; /* nothing, unless settings ask for a gradient */
    int64_t *place, *place_host;                    /* (B) first token of a sequence that is not finite, or T */
    struct device_timer *timer;
};

static inline void session_sizes(const struct problem *p, int64_t size[TENSORS])
{
    int64_t tokens = p->B * p->T, m = problem_m(p);
    size[0] = size[1] = tokens * p->d;
    size[2] = tokens * m;
    size[3] = p->feedback != FEEDBACK_NONE ? m * p->d : 0;
    size[4] = p->B * p->d;
}

/* Bytes on the device. */
static inline double session_bytes(const struct problem *p, const struct settings *settings)
{
    int64_t size[TENSORS];
    double sum = 0, n = (double)p->B * (double)p->T * (double)p->d;
    session_sizes(p, size);
    for (int i = 0; i < TENSORS; i++)
        sum += (double)size[i];
    if (settings->gradient != GRADIENT_NONE)
        sum = 2 * sum + n + (double)p->B * (double)p->d;
    return (sum + n) * sizeof(float) + (double)p->B * sizeof(int64_t);
}

static inline void session_close(struct session *s)
{
    for (int i = 0; i < TENSORS; i++) {
        device_free(s->input[i]);
        device_free(s->gradient[i]);
    }
    device_free(s->h);
    device_free(s->grad_h);
    device_free(s->grad_final);
    device_free(s->place);
    free(s->place_host);
    device_timer_destroy(s->timer);
}

/* What it has got stays in the session after a failure too: session_close() frees it. */
static inline struct status session_open(const struct problem *p, const struct settings *settings, struct session *s)
{
    int64_t size[TENSORS];
    *s = session{};
    s->problem = *p;
    s->settings = *settings;
    session_sizes(p, size);
    for (int i = 0; i < TENSORS; i++) {
        TRY(device_allocate(&s->input[i], (size_t)size[i] * sizeof(float)));
        if (settings->gradient != GRADIENT_NONE)
            TRY(device_allocate(&s->gradient[i], (size_t)size[i] * sizeof(float)));
    }
    TRY(device_allocate(&s->h, (size_t)size[0] * sizeof(float)));
    if (settings->gradient != GRADIENT_NONE) {
        TRY(device_allocate(&s->grad_h, (size_t)size[0] * sizeof(float)));
        TRY(device_allocate(&s->grad_final, (size_t)size[4] * sizeof(float)));
    }
    TRY(device_allocate(&s->place, (size_t)p->B * sizeof(int64_t)));
    s->place_host = (int64_t *)malloc((size_t)p->B * sizeof(int64_t));
    if (s->place_host == NULL)
        return status_no_memory();
    return device_timer_create(&s->timer);
}

/* plan() of the contract: open() fills a plan of zeros, and destroy() takes what it left, also after a failure. */
template <typename Plan>
static struct status session_plan(const struct problem *p, const struct settings *settings,
                                  struct status (*open)(Plan *, const struct problem *, const struct settings *),
                                  void (*destroy)(Plan *), Plan **out)
{
    *out = (Plan *)calloc(1, sizeof **out);
    if (*out == NULL)
        return status_no_memory();
    struct status status = open(*out, p, settings);
    if (status.code != STATUS_OK) {
        destroy(*out);
        *out = NULL;
    }
    return status;
}

static inline struct status session_upload(struct session *s, const struct inputs *inputs)
{
    const void *const from[TENSORS] = {inputs->v, inputs->lambda, inputs->theta, inputs->W, inputs->h0};
    int64_t size[TENSORS];
    session_sizes(&s->problem, size);
    for (int i = 0; i < TENSORS; i++) {
        s->given[i] = from[i] != NULL && size[i] > 0;
        if (s->given[i])
            TRY(device_upload(s->input[i], from[i], (size_t)size[i] * sizeof(float)));
    }
    return status_ok();
}

/* The initial state (B,d), or NULL where it is zero. */
static inline const float *session_initial(const struct session *s)
{
    return s->given[4] ? s->input[4] : NULL;
}

static inline struct status session_download(struct session *s, const struct outputs *outputs)
{
    const struct problem *p = &s->problem;
    size_t row = (size_t)p->d * sizeof(float);
    TRY(device_download(outputs->h, s->h, (size_t)(p->B * p->T) * row));
    for (int64_t b = 0; outputs->final != NULL && b < p->B; b++)
        memcpy((char *)outputs->final + (size_t)b * row, (const char *)outputs->h + (size_t)(b * p->T + p->T - 1) * row, row);
    return status_ok();
}

static __device__ inline bool row_finite(const float *row, int64_t d)
{
    float sum = 0; /* 0 for finite channels, NaN for any other */
    for (int64_t c = 0; c < d; c++)
        sum += row[c] - row[c];
    return sum == 0;
}

/* place (B): the first token of each sequence that is not finite, or T. A block a sequence. Only where the last token is broken
 * are the others looked at; `all`: always (of an adjoint, which goes backwards: its last broken token, or T). */
static __global__ void find_broken(const float *h, int64_t T, int64_t d, bool all, int64_t *place)
{
    SHARED(long long, found, WARP);
    const float *rows = h + (int64_t)blockIdx.x * T * d;
    long long mine = T;
    if (all)
        for (int64_t t = threadIdx.x; t < T; t += WARP)
            mine = row_finite(rows + t * d, d) ? mine : t;
    else if (!row_finite(rows + (T - 1) * d, d))
        for (int64_t t = threadIdx.x; t < T && mine == T; t += WARP)
            mine = row_finite(rows + t * d, d) ? T : t;
    found[threadIdx.x] = mine;
    __syncthreads();
    if (threadIdx.x > 0)
        return;
    for (int i = 1; i < WARP; i++) {
        bool better = all ? found[i] < T && (mine == T || found[i] > mine) : found[i] < mine;
        mine = better ? found[i] : mine;
    }
    place[blockIdx.x] = mine;
}

/* diverged at the first sequence that is not finite (the states; or an adjoint, searched from its end); waits for the device. */
static inline struct status session_finite(struct session *s, const float *h, bool adjoint)
{
    const struct problem *p = &s->problem;
    TRY(LAUNCH(find_broken, p->B, WARP, 0, h, p->T, p->d, adjoint, s->place));
    TRY(device_download(s->place_host, s->place, (size_t)p->B * sizeof(int64_t)));
    for (int64_t b = 0; b < p->B; b++)
        if (s->place_host[b] < p->T)
            return status_at(STATUS_DIVERGED, b, s->place_host[b],
                             adjoint ? "the adjoint is not finite" : "the state is not finite");
    return status_ok();
}

/* backward(): the derivatives of the loss go up, zeros where there are none; and the gradients that are asked for come down. */
static inline struct status session_upload_loss(struct session *s, const struct outputs *grad_outputs)
{
    const struct problem *p = &s->problem;
    size_t row = (size_t)p->d * sizeof(float);
    TRY(grad_outputs->h != NULL ? device_upload(s->grad_h, grad_outputs->h, (size_t)(p->B * p->T) * row)
                                : device_fill(s->grad_h, 0, (size_t)(p->B * p->T) * row));
    return grad_outputs->final != NULL ? device_upload(s->grad_final, grad_outputs->final, (size_t)p->B * row)
                                       : device_fill(s->grad_final, 0, (size_t)p->B * row);
}

static inline struct status session_download_gradients(struct session *s, const struct gradients *gradients)
{
    void *const to[TENSORS] = {gradients->v, gradients->lambda, gradients->theta, gradients->W, gradients->h0};
    int64_t size[TENSORS];
    session_sizes(&s->problem, size);
    for (int i = 0; i < TENSORS; i++)
        if (to[i] != NULL)
            TRY(device_download(to[i], s->gradient[i], (size_t)size[i] * sizeof(float)));
    return status_ok();
}

/* out (B,T,d) = the derivative of the loss with respect to every state. */
static __global__ void seed_adjoint(const float *grad_h, const float *grad_final, int64_t B, int64_t T, int64_t d, float *out)
{
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, t = i / d % T;
    if (i < B * T * d)
        out[i] = grad_h[i] + (t == T - 1 ? grad_final[i / (T * d) * d + i % d] : 0);
}

static inline struct status session_seed(const struct session *s, float *out)
{
    const struct problem *p = &s->problem;
    return LAUNCH(seed_adjoint, blocks_for(p->B * p->T * p->d), THREADS, 0, s->grad_h, s->grad_final, p->B, p->T, p->d, out);
}

/* The trace of an implementation that does not iterate. */
static inline void session_trace_exact(const struct problem *p, struct trace *trace)
{
    if (trace == NULL)
        return;
    for (int64_t b = 0; trace->l != NULL && b < p->B; b++)
        trace->l[b] = 0;
    trace->l_run = trace->n_kept = 0;
    trace->applications = 0;
}

#endif
