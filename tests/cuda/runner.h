/* Runs kernels on the CPU, for tests: a .cu file that is compiled as C++ with -DKERNEL_RUNNER='"tests/cuda/runner.h"' launches its
 * kernels here. Each CUDA thread is a fiber on the one thread of the process. A barrier, a shuffle and a load of what another block
 * writes give way to others; a number of blocks are resident and take turns, so that waiting for another block ends. Threads and
 * blocks run in the order that the test chooses, for an order must not matter:
 *
 *     missing barrier            in reverse or random order results differ; in any order ThreadSanitizer tells
 *     barrier or shuffle that not all threads reach, waiting that cannot end            the launch fails, with the source lines
 *     shared or global memory read before it is written                                  holds NaN at first
 *     an index out of bounds                                                             AddressSanitizer
 *     a word published without release                                                   ThreadSanitizer
 *
 * Speed means nothing here, and __threadfence() is not known: load_acquire() and store_release() are. */
#ifndef TESTS_CUDA_RUNNER_H
#define TESTS_CUDA_RUNNER_H

#include "impls/impl.h"
#include "tests/cuda/runner_ways.h"

#include <math.h>
#include <string.h>

#include <tuple>

/* ---- What kernels see --------------------------------------------------------------------------------------------------- */

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)

struct runner_index {
    unsigned x;
};

/* The thread that is running. */
struct runner_here {
    struct runner_index thread, block, block_size, grid_size;
};
extern const struct runner_here *runner_now;
#define threadIdx (runner_now->thread)
#define blockIdx (runner_now->block)
#define blockDim (runner_now->block_size)
#define gridDim (runner_now->grid_size)

void runner_barrier(const char *file, int line);
void runner_warp_barrier(const char *file, int line);
unsigned runner_shuffle(unsigned value, unsigned from, const char *file, int line); /* from: a lane */
void *runner_shared(size_t bytes, const char *file, int line);
void *runner_shared_dynamic(void);
void runner_waits(const void *word, unsigned long long value, const char *file, int line);
void runner_moves(void);

#define __syncthreads() runner_barrier(__FILE__, __LINE__)
#define __syncwarp() runner_warp_barrier(__FILE__, __LINE__)
#define __shfl_xor_sync(mask, value, lanes) runner_shuffle_as(value, threadIdx.x % 32 ^ (unsigned)(lanes), __FILE__, __LINE__)
#define __shfl_sync(mask, value, lane) runner_shuffle_as(value, (unsigned)(lane), __FILE__, __LINE__)

template <class T> static inline T runner_shuffle_as(T value, unsigned from, const char *file, int line)
{
    static_assert(sizeof(T) == sizeof(unsigned), "shuffles are of words of 32 bits");
    unsigned word;
    memcpy(&word, &value, sizeof word);
    word = runner_shuffle(word, from, file, line);
    memcpy(&value, &word, sizeof value);
    return value;
}

#define SHARED(type, name, size) type *name = (type *)runner_shared(sizeof(type) * (size), __FILE__, __LINE__)
#define SHARED_DYNAMIC(type, name) type *name = (type *)runner_shared_dynamic()

#define load_acquire(word) runner_load_acquire(word, __FILE__, __LINE__)
static inline unsigned long long runner_load_acquire(const unsigned long long *word, const char *file, int line)
{
    unsigned long long value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    runner_waits(word, value, file, line);
    return value;
}

static inline void store_release(unsigned long long *word, unsigned long long value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    runner_moves();
}

static inline unsigned atomicAdd(unsigned *word, unsigned value)
{
    runner_moves();
    return __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

static inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float __uint_as_float(unsigned bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- Launches ----------------------------------------------------------------------------------------------------------- */

struct runner_launch {
    const char *kernel, *file;
    int line;
    const void *address;
    unsigned blocks, threads;
    size_t shared;
    void (*body)(void *);
    void *arguments;
};

struct status runner_run(const struct runner_launch *launch);

template <class... P, class... A>
static inline struct status runner_start(struct runner_launch launch, void (*kernel)(P...), A... arguments)
{
    struct {
        void (*kernel)(P...);
        std::tuple<P...> arguments;
    } call = {kernel, std::tuple<P...>(static_cast<P>(arguments)...)};
    launch.address = (const void *)kernel;
    launch.arguments = &call;
    launch.body = [](void *given) {
        auto *one = static_cast<decltype(call) *>(given);
        std::apply(one->kernel, one->arguments);
    };
    return runner_run(&launch);
}

#define LAUNCH(kernel, blocks, threads, shared, ...)                                                                               \
    runner_start({#kernel, __FILE__, __LINE__, NULL, (unsigned)(blocks), (unsigned)(threads), (size_t)(shared), NULL, NULL},       \
                 kernel, __VA_ARGS__)

#endif
