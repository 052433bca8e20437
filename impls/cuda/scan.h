/* The diagonal recurrence over time, out_t = lambda_t out_{t-1} + (1 - lambda_t) x_t (gated) or + x_t, of all channels of all
 * sequences, in either direction. Backwards it is the adjoint of the plain one: out_t = x_t + lambda_{t+1} out_{t+1}.
 *
 * channels: a thread a channel goes through time; neighbours read neighbouring words. Enough where B d threads fill the card.
 * time:     time is cut into tiles, each of a block, and the tiles of a channel are joined by decoupled look-back (Merrill and Garland,
 *           Single-pass Parallel Prefix Scan with Decoupled Look-back, 2016), so all is read once. A tile leaves one word a channel:
 *           first (product of lambda, value from a zero state), then its last state. A block looks back to the nearest state and goes
 *           forward from there through the pairs in order of time. That is what the tile there did to get its own state, so the bits
 *           do not depend on how far back a block had to look. A product of lambdas above 1 may overflow where no state does: a tile
 *           with such a lambda leaves no pair, only its last state, and its parts take their turns. */
#ifndef IMPLS_CUDA_SCAN_H
#define IMPLS_CUDA_SCAN_H

#include "impls/cuda/launch.h"

#include <math.h>
#include <string.h>

struct scan_task {
    int64_t B, T, d;
    const float *lambda, *x; /* (B,T,d) */
    const float *initial;    /* (B,d) the state before; NULL: zero. Forwards only */
    float *out;              /* (B,T,d); may be x */
    bool gated, reversed;
};

/* What the tiles share: a word each and channel, and the number of tiles that have begun. */
struct scan_tiles {
    unsigned long long *words;
    unsigned *ticket; /* behind the words */
    size_t bytes;     /* of both */
};

static constexpr int SCAN_STEPS = 16; /* of a thread in a tile */
static constexpr int SCAN_PARTS = 8;  /* threads of a channel in a tile */
static constexpr int SCAN_TILE = SCAN_STEPS * SCAN_PARTS;

/* The upper half of a word: bits of a product of lambda, or one of these two NaN, which are nobody's product (scan_word). All ones
 * are what filling memory with 0xff leaves. */
#define SCAN_NOTHING 0xffffffffu
#define SCAN_STATE 0xfffffffeu

static __device__ inline unsigned long long scan_word(unsigned upper, float value)
{
    return (unsigned long long)upper << 32 | __float_as_uint(value);
}

static __device__ inline unsigned scan_product(float product)
{
    return product == product ? __float_as_uint(product) : 0x7fc00000u;
}

/* Step i in the direction of the walk, channel c of sequence b: what the state is multiplied with, and what is added. */
static __device__ inline void scan_load(const struct scan_task &task, int64_t b, int64_t i, int64_t c, float *lambda, float *x)
{
    int64_t t = task.reversed ? task.T - 1 - i : i, at = (b * task.T + t) * task.d + c;
    *x = task.x[at];
    if (task.reversed)
        *lambda = i > 0 ? task.lambda[at + task.d] : 0;
    else
        *lambda = task.lambda[at];
    if (task.gated)
        *x -= *lambda * *x;
}

static __device__ inline void scan_store(const struct scan_task &task, int64_t b, int64_t i, int64_t c, float state)
{
    int64_t t = task.reversed ? task.T - 1 - i : i;
    task.out[(b * task.T + t) * task.d + c] = state;
}

static __global__ void scan_channels(struct scan_task task)
{
    int64_t channel = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= task.B * task.d)
        return;
    int64_t b = channel / task.d, c = channel % task.d;
    float state = task.initial != NULL ? task.initial[channel] : 0, lambda, x;
    for (int64_t i = 0; i < task.T; i++) {
        scan_load(task, b, i, c, &lambda, &x);
        state = fmaf(lambda, state, x);
        scan_store(task, b, i, c, state);
    }
}

/* The state that channel `channel` enters tile k with; words of a channel lie `stride` apart. */
static __device__ float scan_look_back(const unsigned long long *words, int64_t stride, int64_t k, float initial)
{
    int64_t from = k; /* the first tile whose pair is still to be applied */
    float state = initial;
    while (from > 0) {
        unsigned long long word = load_acquire(words + (from - 1) * stride);
        unsigned upper = (unsigned)(word >> 32);
        if (upper == SCAN_NOTHING)
            continue;
        if (upper == SCAN_STATE) {
            state = __uint_as_float((unsigned)word);
            break;
        }
        from--;
    }
    for (; from < k; from++) {
        unsigned long long word = load_acquire(words + from * stride);
        unsigned upper = (unsigned)(word >> 32);
        float value = __uint_as_float((unsigned)word);
        state = upper == SCAN_STATE ? value : fmaf(__uint_as_float(upper), state, value);
    }
    return state;
}

/* A block a tile of WARP channels and SCAN_TILE steps. Tiles are handed out in order of time, so that whoever a block waits for has
 * begun. */
static __global__ void __launch_bounds__(WARP *SCAN_PARTS) scan_time(struct scan_task task, struct scan_tiles tiles)
{
    SHARED(unsigned, turn, 1);
    SHARED(unsigned, growing, 1);
    SHARED(float, product, SCAN_PARTS *WARP);
    SHARED(float, value, SCAN_PARTS *WARP);
    if (threadIdx.x == 0) {
        turn[0] = atomicAdd(tiles.ticket, 1u);
        growing[0] = 0;
    }
    __syncthreads();
    int64_t groups = (task.d + WARP - 1) / WARP, k = turn[0] / (task.B * groups), rest = turn[0] % (task.B * groups);
    int lane = threadIdx.x % WARP, part = threadIdx.x / WARP;
    int64_t b = rest / groups, c = rest % groups * WARP + lane, first = k * SCAN_TILE + part * SCAN_STEPS;
    bool inside = c < task.d;
    float lambda[SCAN_STEPS], x[SCAN_STEPS], all = 1, last = 0;
    bool above = false;
#pragma unroll
    for (int i = 0; i < SCAN_STEPS; i++) {
        lambda[i] = 1;
        x[i] = 0;
        if (inside && first + i < task.T)
            scan_load(task, b, first + i, c, &lambda[i], &x[i]);
        all *= lambda[i];
        last = fmaf(lambda[i], last, x[i]);
        above = above || !(fabsf(lambda[i]) <= 1);
    }
    if (above)
        atomicAdd(growing, 1u);
    product[threadIdx.x] = all;
    value[threadIdx.x] = last;
    __syncthreads();
    unsigned long long *words = tiles.words + b * task.d + c;
    int64_t stride = task.B * task.d;
    const bool turns = growing[0] != 0;
    if (part == 0 && inside) {
        if (!turns) {
            for (int i = 1; i < SCAN_PARTS; i++) {
                last = fmaf(product[i * WARP + lane], last, value[i * WARP + lane]);
                all *= product[i * WARP + lane];
            }
            store_release(words + k * stride, scan_word(scan_product(all), last));
        }
        float state = scan_look_back(words, stride, k, task.initial != NULL ? task.initial[b * task.d + c] : 0);
        if (!turns) {
            store_release(words + k * stride, scan_word(SCAN_STATE, fmaf(__uint_as_float(scan_product(all)), state, last)));
            for (int i = 0; i < SCAN_PARTS; i++) { /* the state that each part enters with */
                float next = fmaf(product[i * WARP + lane], state, value[i * WARP + lane]);
                value[i * WARP + lane] = state;
                state = next;
            }
        } else
            value[lane] = state;
    }
#pragma unroll 1 /* the steps stand there once: a second copy would need registers that there are not */
    for (int i = 0; i < (turns ? SCAN_PARTS : 1); i++) {
        __syncthreads();
        if (turns && part != i)
            continue;
        float state = value[turns ? lane : threadIdx.x];
#pragma unroll
        for (int step = 0; step < SCAN_STEPS; step++) {
            state = fmaf(lambda[step], state, x[step]);
            if (inside && first + step < task.T)
                scan_store(task, b, first + step, c, state);
        }
        if (turns)
            value[lane] = state;
    }
    if (!turns)
        return;
    __syncthreads();
    if (part == 0 && inside)
        store_release(words + k * stride, scan_word(SCAN_STATE, value[lane]));
}

/* ---- Host side --------------------------------------------------------------------------------------------------------- */

#define SCAN_OPTIONS_CUDA "split=channels|time"

static inline int64_t scan_tiles_of(const struct problem *p)
{
    return (p->T + SCAN_TILE - 1) / SCAN_TILE;
}

/* Whether time is cut: asked for, or there are fewer channels than the card has threads and more than one tile. */
static inline bool scan_cuts_time(const struct problem *p, const struct settings *settings)
{
    const char *split = settings_option(settings, "split");
    const struct device_facts *device = device_get();
    if (split != NULL)
        return strcmp(split, "time") == 0;
    return p->B * p->d < (int64_t)device->multiprocessors * device->threads && scan_tiles_of(p) > 1;
}

static inline size_t scan_bytes(const struct problem *p, const struct settings *settings)
{
    if (!scan_cuts_time(p, settings))
        return 0;
    return (size_t)(scan_tiles_of(p) * p->B * p->d) * sizeof(unsigned long long) + sizeof(unsigned long long);
}

static inline struct status scan_open(const struct problem *p, const struct settings *settings, struct scan_tiles *tiles)
{
    tiles->bytes = scan_bytes(p, settings);
    struct status status = device_allocate(&tiles->words, tiles->bytes);
    if (tiles->words != NULL)
        tiles->ticket = (unsigned *)(tiles->words + scan_tiles_of(p) * p->B * p->d);
    return status;
}

/* tiles without words: a thread a channel. */
static inline struct status scan_run(const struct scan_task *task, const struct scan_tiles *tiles)
{
    int64_t channels = task->B * task->d;
    if (tiles->words == NULL)
        return LAUNCH(scan_channels, blocks_for(channels), THREADS, 0, *task);
    struct status status = device_fill(tiles->words, 0xff, tiles->bytes);
    if (status.code == STATUS_OK)
        status = device_fill(tiles->ticket, 0, sizeof *tiles->ticket);
    int64_t blocks = (task->T + SCAN_TILE - 1) / SCAN_TILE * task->B * ((task->d + WARP - 1) / WARP);
    return status.code == STATUS_OK ? LAUNCH(scan_time, blocks, WARP * SCAN_PARTS, 0, *task, *tiles) : status;
}

#endif
