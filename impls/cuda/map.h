/* One application of the map of the paper's iteration to all tokens:
 *
 *     f(h)_t = Lambda_t f(h)_{t-1} + G_t w_t,   w_t = v_t + (I - Q_t)(h_t - v_t)      (plain: without G)
 *
 * a block a token for w, then a scan over time. A state-dependent problem first makes its parameters, theta_t + W k(h_{t-1}), by one
 * product for all tokens. */
#ifndef IMPLS_CUDA_MAP_H
#define IMPLS_CUDA_MAP_H

#include "impls/contract/support.h"
#include "impls/cuda/mixer.h"
#include "impls/cuda/product.h"
#include "impls/cuda/scan.h"
#include "impls/cuda/session.h"

struct device_map {
    struct session *session;
    struct mixing mix;
    struct scan_tiles tiles;
    float *q;     /* (B,T,size) activated parameters: of the problem, or of the last map_mix() when state-dependent */
    float *raw;   /* (B,T,m) what they were activated from, when state-dependent */
    float *scale; /* (B,T) of k(h_{t-1}), when state-dependent */
    int threads;
    size_t shared_activate, shared_mix;
};

/* The state before each token, as the mixer parameters read it: A(i, k) of a product. */
struct states_before {
    const float *h, *initial, *scale;
    int64_t T, d;
    __device__ float state(int64_t token, int64_t c) const
    {
        if (token % T > 0)
            return h[(token - 1) * d + c];
        return initial != NULL ? initial[token / T * d + c] : 0;
    }
    __device__ float operator()(int64_t token, int64_t c) const
    {
        return scale[token] * state(token, c);
    }
};

/* A matrix, row-major or its transpose, as a factor of a product. */
struct factor {
    const float *matrix;
    int64_t stride;
    bool transposed;
    __device__ float operator()(int64_t i, int64_t j) const
    {
        return transposed ? matrix[j * stride + i] : matrix[i * stride + j];
    }
};

/* scale (B,T): 1, or 1 / sqrt(mean h_{t-1}^2 + 1e-6). A block a token. */
static __global__ void scale_states(struct states_before states, bool rms, float *scale)
{
    SHARED(float, room, ROOM);
    int64_t token = blockIdx.x;
    float sum = 0;
    for (int64_t c = threadIdx.x; c < states.d; c += blockDim.x) {
        float x = states.state(token, c);
        sum = fmaf(x, x, sum);
    }
    sum = block_sum(sum, room);
    if (threadIdx.x == 0)
        scale[token] = rms ? 1 / sqrtf(sum / (float)states.d + 1e-6f) : 1;
}

/* q (B,T,size) from raw (B,T,m). A block a token. */
static __global__ void activate_tokens(struct mixing mix, const float *raw, float *q)
{
    SHARED_DYNAMIC(float, scratch);
    SHARED(float, room, ROOM);
    mixer_activate(mix, raw + (int64_t)blockIdx.x * mix.m, q + (int64_t)blockIdx.x * mix.size, scratch, room);
}

/* w (B,T,d) from q and h. A block a token. */
static __global__ void mix_tokens(struct mixing mix, const float *q, const float *v, const float *h, float *w)
{
    SHARED_DYNAMIC(float, x);
    SHARED(float, room, ROOM);
    float *y = x + mix.d;
    int64_t at = (int64_t)blockIdx.x * mix.d;
    for (int c = threadIdx.x; c < mix.d; c += blockDim.x)
        x[c] = h[at + c] - v[at + c];
    __syncthreads();
    mixer_apply(mix, q + (int64_t)blockIdx.x * mix.size, x, y, y + mix.d, room);
    for (int c = threadIdx.x; c < mix.d; c += blockDim.x)
        w[at + c] = y[c] + v[at + c];
}

/* Bytes of shared memory that a block needs at most. */
static inline double map_shared(const struct problem *p)
{
    double activate = (double)mixer_activate_scratch(p), mix = 2 * (double)p->d + (double)mixer_apply_scratch(p);
    return (activate > mix ? activate : mix) * sizeof(float);
}

static inline double map_bytes(const struct problem *p, const struct settings *settings)
{
    double tokens = (double)p->B * (double)p->T, dependent = state_dependent(p);
    return tokens * (mixing_of(p).size + dependent * ((double)problem_m(p) + 1)) * sizeof(float) + (double)scan_bytes(p, settings);
}

static inline void map_close(struct device_map *map)
{
    device_free(map->tiles.words);
    device_free(map->q);
    device_free(map->raw);
    device_free(map->scale);
}

static inline struct status map_open(struct session *session, struct device_map *map)
{
    const struct problem *p = &session->problem;
    size_t tokens = (size_t)(p->B * p->T);
    map->session = session;
    map->mix = mixing_of(p);
    map->threads = block_threads(p->d);
    map->shared_activate = (size_t)mixer_activate_scratch(p) * sizeof(float);
    map->shared_mix = (size_t)(2 * p->d + mixer_apply_scratch(p)) * sizeof(float);
    TRY(scan_open(p, &session->settings, &map->tiles));
    TRY(device_allocate(&map->q, tokens * (size_t)map->mix.size * sizeof(float)));
    if (state_dependent(p)) {
        TRY(device_allocate(&map->raw, tokens * (size_t)map->mix.m * sizeof(float)));
        TRY(device_allocate(&map->scale, tokens * sizeof(float)));
    }
    TRY(device_shared_allow(activate_tokens, map->shared_activate));
    return device_shared_allow(mix_tokens, map->shared_mix);
}

/* Once before map_mix(): activates the parameters that do not depend on the state. */
static inline struct status map_begin(const struct device_map *map)
{
    const struct problem *p = &map->session->problem;
    if (state_dependent(p) || map->mix.size == 0)
        return status_ok();
    return LAUNCH(activate_tokens, p->B * p->T, map->threads, map->shared_activate, map->mix, map->session->input[2], map->q);
}

/* w (B,T,d) at h (B,T,d); w may be h. */
static inline struct status map_mix(const struct device_map *map, const float *h, float *w)
{
    const struct session *s = map->session;
    const struct problem *p = &s->problem;
    int64_t tokens = p->B * p->T;
    if (state_dependent(p)) {
        const struct states_before states = {h, session_initial(s), map->scale, p->T, p->d};
        TRY(LAUNCH(scale_states, tokens, map->threads, 0, states, p->feedback == FEEDBACK_RMS, map->scale));
        TRY(multiply_run({tokens, map->mix.m, p->d, s->input[2], map->raw}, states, factor{s->input[3], p->d, true}));
        TRY(LAUNCH(activate_tokens, tokens, map->threads, map->shared_activate, map->mix, map->raw, map->q));
    }
    return LAUNCH(mix_tokens, tokens, map->threads, map->shared_mix, map->mix, map->q, s->input[0], h, w);
}

/* next (B,T,d) = f(h) */
static inline struct status map_apply(const struct device_map *map, const float *h, float *next)
{
    const struct session *s = map->session;
    const struct problem *p = &s->problem;
    const struct scan_task task = {.B = p->B,
                                   .T = p->T,
                                   .d = p->d,
                                   .lambda = s->input[1],
                                   .x = next,
                                   .initial = session_initial(s),
                                   .out = next,
                                   .gated = map->mix.gated,
                                   .reversed = false};
    TRY(map_mix(map, h, next));
    return scan_run(&task, &map->tiles);
}

/* Bytes and operations of one application; and of what map_begin() does. */
static inline void map_count(const struct problem *p, const struct settings *settings, struct work *once, struct work *each)
{
    struct mixing mix = mixing_of(p);
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = mix.m, size = mix.size, r = (double)p->r;
    double apply[MIXER_COUNT] = {0, 4 * r * d, 6 * r * d, 2 * d * (mix.n1 + mix.n2), 2 * d * d},
           activate = mixer_activate_operations(p);
    bool dependent = state_dependent(p);
    double tiles = 2 * (double)scan_bytes(p, settings);
    *once = work{tokens * (dependent ? 0 : m + size) * sizeof(float), tokens * (dependent ? 0 : activate), 0, false, 0};
    *each = work{tokens * (6 * d + size + (dependent ? 2 * d + 3 * m + size + 1 : 0)) * sizeof(float) + tiles,
                 tokens * (apply[p->mixer] + 6 * d + (dependent ? 2 * m * d + 2 * d + activate : 0)), 0, false, 0};
    each->set = each->bytes;
}

#endif
