/* See limits.h. Two kernels that do nothing else than what is measured. What they leave is looked at afterwards: nothing is timed that was
 * not done. */
#include "bench/machine/cuda/limits.h"

#include "impls/cuda/launch.h"

#include <math.h>
#include <string.h>

namespace
{

constexpr int COPY_THREADS = 256, FMA_THREADS = 256, CHAINS = 8, UNROLLED = 16, BLOCKS_EACH = 8 /* a multiprocessor */;
constexpr int SAMPLES = 20, STEPS_LEAST = 256, STEPS_MOST = 1 << 20;
constexpr double SAMPLE_SECONDS = 1e-3;              /* of multiply-adds: a launch takes microseconds */
constexpr int64_t CACHES = 8, COPY_LEAST = 32 << 20; /* an array: so many caches, and bytes at the least */
constexpr int FILLING = 0x3c;                        /* every byte of what is copied */
constexpr float LIMIT = 2;                           /* of x = x / 2 + 1 */

struct alignas(16) vector {
    float x, y, z, w;
};

/* to = from, n vectors of 16 bytes: neighbouring threads take neighbours, and go on a whole grid further. */
__global__ void copy(const vector *from, vector *to, int64_t n)
{
    int64_t step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step)
        to[i] = from[i];
}

/* CHAINS independent x = x factor + term in every thread, so many steps long; left[thread of the grid] is their sum. */
__global__ void multiply_add(int steps, float factor, float term, float *left)
{
    float x[CHAINS], sum = 0;
    for (int i = 0; i < CHAINS; i++)
        x[i] = (float)(threadIdx.x + i);
    for (int step = 0; step < steps; step += UNROLLED)
#pragma unroll
        for (int k = 0; k < UNROLLED; k++)
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
    int steps; /* of multiply_add() */
    struct device_timer *timer;
};

struct status launch_copy(const struct probe *probe)
{
    return LAUNCH(copy, probe->blocks, COPY_THREADS, 0, (const vector *)probe->from, (vector *)probe->to,
                  probe->bytes / (int64_t)sizeof(vector));
}

struct status launch_multiply_add(const struct probe *probe)
{
    return LAUNCH(multiply_add, probe->blocks, FMA_THREADS, 0, probe->steps, 1 / LIMIT, 1.0f, (float *)probe->to);
}

/* Seconds of one launch, by the device's clock. */
struct status time_launch(const struct probe *probe, struct status (*launch)(const struct probe *), double *seconds)
{
    struct status status = device_timer_begin(probe->timer);
    if (status.code == STATUS_OK)
        status = launch(probe);
    if (status.code == STATUS_OK)
        status = device_timer_end(probe->timer);
    *seconds = device_timer_seconds(probe->timer);
    if (status.code == STATUS_OK && !(*seconds > 0))
        status = status_at(STATUS_INTERNAL, -1, -1, "the device timer returned no usable time");
    return status;
}

/* Whether the last of so many floats that a kernel left is what it should be. */
struct status look(const struct probe *probe, int64_t n, float expected, const char *kernel)
{
    float last = 0;
    struct status status = device_download(&last, (const float *)probe->to + n - 1, sizeof last);
    if (status.code == STATUS_OK && last != expected)
        status = status_at(STATUS_INTERNAL, -1, -1, "%s returned %g; expected %g", kernel, (double)last, (double)expected);
    return status;
}

struct status measure_copy(const struct probe *probe, double *rate)
{
    double seconds;
    float filled;
    struct status status = device_fill(probe->from, FILLING, (size_t)probe->bytes);
    memset(&filled, FILLING, sizeof filled);
    if (status.code == STATUS_OK)
        status = time_launch(probe, launch_copy, &seconds); /* warms up */
    for (int i = 0; i < SAMPLES && status.code == STATUS_OK; i++) {
        status = time_launch(probe, launch_copy, &seconds);
        *rate = fmax(*rate, 2 * (double)probe->bytes / seconds);
    }
    return status.code == STATUS_OK ? look(probe, probe->bytes / (int64_t)sizeof(float), filled, "copy") : status;
}

/* So many steps that one launch lasts as long as a sample. */
struct status measure_multiply_add(struct probe *probe, double *rate)
{
    double seconds = 0, threads = (double)FMA_THREADS * (double)probe->blocks;
    struct status status = status_ok();
    for (probe->steps = STEPS_LEAST; status.code == STATUS_OK; probe->steps *= 2) {
        status = time_launch(probe, launch_multiply_add, &seconds);
        if (seconds >= SAMPLE_SECONDS || probe->steps >= STEPS_MOST)
            break;
    }
    for (int i = 0; i < SAMPLES && status.code == STATUS_OK; i++) {
        status = time_launch(probe, launch_multiply_add, &seconds);
        *rate = fmax(*rate, 2.0 * CHAINS * probe->steps * threads / seconds);
    }
    return status.code == STATUS_OK ? look(probe, (int64_t)threads, CHAINS * LIMIT, "multiply_add") : status;
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
    struct status status = device_allocate(&probe.from, (size_t)probe.bytes);
    if (status.code == STATUS_OK)
        status = device_allocate(&probe.to, (size_t)probe.bytes);
    if (status.code == STATUS_OK)
        status = device_timer_create(&probe.timer);
    if (status.code == STATUS_OK)
        status = measure_copy(&probe, &limits->bandwidth);
    if (status.code == STATUS_OK)
        status = measure_multiply_add(&probe, &limits->rate);
    device_timer_destroy(probe.timer);
    device_free(probe.to);
    device_free(probe.from);
    return status;
}
