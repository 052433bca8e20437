/* See limits.h. Two kernels that do nothing else than what is measured, each launched until its time no longer falls. */
#include "bench/cuda/limits.h"

#include "impls/cuda/launch.h"

#include <math.h>

namespace
{

constexpr int COPY_THREADS = 256, FMA_THREADS = 256, CHAINS = 8, FMA_STEPS = 4096, BLOCKS_EACH = 8 /* a multiprocessor */;
constexpr int SAMPLES = 20;
constexpr int64_t CACHES = 4, COPY_LEAST = 32 << 20; /* an array: so many caches, and bytes at the least */

struct vector {
    float x, y, z, w;
};

/* to = from, n vectors of 16 bytes: neighbouring threads take neighbours, and go on a whole grid further. */
__global__ void copy(const vector *from, vector *to, int64_t n)
{
    int64_t step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step)
        to[i] = from[i];
}

/* CHAINS independent x = x factor + term in every thread, FMA_STEPS long; left[thread of the grid] is their sum. */
__global__ void multiply_add(float factor, float term, float *left)
{
    float x[CHAINS], sum = 0;
    for (int i = 0; i < CHAINS; i++)
        x[i] = (float)(threadIdx.x + i);
#pragma unroll 16
    for (int step = 0; step < FMA_STEPS; step++)
#pragma unroll
        for (int i = 0; i < CHAINS; i++)
            x[i] = fmaf(x[i], factor, term);
    for (int i = 0; i < CHAINS; i++)
        sum += x[i];
    left[(int64_t)blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

struct probe {
    void *from, *to;
    int64_t bytes, blocks;
    struct device_timer *timer;
};

struct status launch_copy(const struct probe *probe)
{
    return LAUNCH(copy, probe->blocks, COPY_THREADS, 0, (const vector *)probe->from, (vector *)probe->to,
                  probe->bytes / (int64_t)sizeof(vector));
}

struct status launch_multiply_add(const struct probe *probe)
{
    return LAUNCH(multiply_add, probe->blocks, FMA_THREADS, 0, 0.5f, 1.0f, (float *)probe->to);
}

/* Raises a rate to that of the best sample, of so much work each; the first launch only warms up. */
struct status raise(const struct probe *probe, struct status (*launch)(const struct probe *), double work, double *rate)
{
    struct status status = launch(probe);
    for (int i = 0; i < SAMPLES && status.code == STATUS_OK; i++) {
        status = device_timer_begin(probe->timer);
        if (status.code == STATUS_OK)
            status = launch(probe);
        if (status.code == STATUS_OK)
            status = device_timer_end(probe->timer);
        double seconds = device_timer_seconds(probe->timer);
        if (status.code == STATUS_OK && seconds > 0)
            *rate = fmax(*rate, work / seconds);
    }
    return status;
}

} // namespace

extern "C" struct status device_limits_measure(struct device_limits *limits)
{
    const struct device_facts *device = device_get();
    *limits = {0, 0};
    if (!device->there)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "%s", device->reason);
    struct probe probe = {};
    int64_t cached = CACHES * (int64_t)device->cache;
    probe.bytes = cached > COPY_LEAST ? cached : COPY_LEAST;
    probe.blocks = (int64_t)BLOCKS_EACH * device->multiprocessors;
    double operations = 2.0 * CHAINS * FMA_STEPS * FMA_THREADS * (double)probe.blocks;
    struct status status = device_allocate(&probe.from, (size_t)probe.bytes);
    if (status.code == STATUS_OK)
        status = device_allocate(&probe.to, (size_t)probe.bytes);
    if (status.code == STATUS_OK)
        status = device_fill(probe.from, 0, (size_t)probe.bytes);
    if (status.code == STATUS_OK)
        status = device_timer_create(&probe.timer);
    if (status.code == STATUS_OK)
        status = raise(&probe, launch_copy, 2.0 * (double)probe.bytes, &limits->bandwidth);
    if (status.code == STATUS_OK)
        status = raise(&probe, launch_multiply_add, operations, &limits->rate);
    device_timer_destroy(probe.timer);
    device_free(probe.to);
    device_free(probe.from);
    return status;
}
