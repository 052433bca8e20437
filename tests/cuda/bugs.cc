/* Small kernels with a bug in each, and the same ones without: what the runner (runner.h) must tell apart.
 *
 *   bugs KIND forward|reverse|random RESIDENT      status 0: the answer is right; 1: it is wrong or the launch failed, which is said */
#include "impls/cuda/launch.h"

#include <stdio.h>
#include <stdlib.h>

static constexpr int N = 64, BLOCKS = 6;

/* out = the sum of the values of a block's threads, by thread 0 from shared memory. */
template <bool barrier> static __global__ void sum(const float *x, float *out)
{
    SHARED(float, values, N);
    values[threadIdx.x] = x[blockIdx.x * N + threadIdx.x];
    if (barrier)
        __syncthreads();
    float total = 0;
    for (int i = 0; i < N && threadIdx.x == (barrier ? 0 : N - 1); i++)
        total += values[i];
    if (threadIdx.x == (barrier ? 0 : N - 1))
        out[blockIdx.x] = total;
}

static __global__ void divergent_barrier(const float *x, float *out)
{
    if (threadIdx.x < N / 2)
        __syncthreads();
    else
        __syncthreads();
    out[blockIdx.x] = x[0];
}

static __global__ void early_return(const float *x, float *out)
{
    if (threadIdx.x == N - 1)
        return;
    __syncthreads();
    out[blockIdx.x] = x[0];
}

static __global__ void divergent_shuffle(const float *x, float *out)
{
    float value = x[threadIdx.x];
    if (threadIdx.x % 2 == 0)
        value += __shfl_xor_sync(0xffffffffu, value, 1);
    out[blockIdx.x] = value;
}

static __global__ void out_of_bounds(const float *x, float *out)
{
    SHARED(float, values, N);
    values[threadIdx.x + 1] = x[threadIdx.x];
    __syncthreads();
    if (threadIdx.x == 0)
        out[blockIdx.x] = values[N - 1];
}

static __global__ void uninitialised(const float *x, float *out)
{
    SHARED(float, values, N);
    if (threadIdx.x > 0)
        values[threadIdx.x] = x[blockIdx.x * N + threadIdx.x];
    __syncthreads();
    float total = 0;
    for (int i = 0; i < N && threadIdx.x == 0; i++)
        total += values[i];
    if (threadIdx.x == 0)
        out[blockIdx.x] = total;
}

/* Neighbouring lanes exchange through shared memory. */
template <bool barrier> static __global__ void warp_exchange(const float *x, float *out)
{
    SHARED(float, values, N);
    values[threadIdx.x] = x[blockIdx.x * N + threadIdx.x];
    if (barrier)
        __syncwarp();
    float other = values[threadIdx.x ^ 1];
    __syncthreads();
    values[threadIdx.x] = other;
    __syncthreads();
    float total = 0;
    for (int i = 0; i < N && threadIdx.x == 0; i++)
        total += values[i];
    if (threadIdx.x == 0)
        out[blockIdx.x] = total;
}

/* Blocks, numbered by ticket or by index, hand on a sum: payload[i], then word[i] says that it is there. */
template <bool release, bool ticket>
static __global__ void chain(const float *x, float *out, float *payload, unsigned long long *word, unsigned *turns)
{
    SHARED(unsigned, turn, 1);
    if (threadIdx.x == 0)
        turn[0] = ticket ? atomicAdd(turns, 1u) : blockIdx.x;
    __syncthreads();
    unsigned k = turn[0];
    if (threadIdx.x > 0)
        return;
    float total = 0;
    for (int i = 0; i < N; i++)
        total += x[k * N + i];
    while (k > 0 && load_acquire(word + k - 1) == 0)
        ;
    payload[k] = total + (k > 0 ? payload[k - 1] : 0);
    if (release)
        store_release(word + k, 1);
    else
        *(volatile unsigned long long *)(word + k) = 1;
    out[k] = total;
}

static float x[BLOCKS * N], out[BLOCKS], payload[BLOCKS];
static unsigned long long word[BLOCKS];
static unsigned turns;

static struct status run(const char *kind)
{
#define PLAIN(name, kernel)                                                                                                        \
    if (strcmp(kind, name) == 0)                                                                                                   \
        return LAUNCH(kernel, BLOCKS, N, 0, x, out);
#define CHAIN(name, release, ticket)                                                                                               \
    if (strcmp(kind, name) == 0)                                                                                                   \
        return LAUNCH((chain<release, ticket>), BLOCKS, N, 0, x, out, payload, word, &turns);
    PLAIN("sum", sum<true>)
    PLAIN("missing-barrier", sum<false>)
    PLAIN("divergent-barrier", divergent_barrier)
    PLAIN("early-return", early_return)
    PLAIN("divergent-shuffle", divergent_shuffle)
    PLAIN("out-of-bounds", out_of_bounds)
    PLAIN("uninitialised", uninitialised)
    PLAIN("warp", warp_exchange<true>)
    PLAIN("missing-warp-barrier", warp_exchange<false>)
    CHAIN("chain", true, true)
    CHAIN("missing-release", false, true)
    CHAIN("missing-ticket", true, false)
    fprintf(stderr, "there is no %s\n", kind);
    exit(2);
}

int main(int argc, char **argv)
{
    static const char *const orders[] = {"forward", "reverse", "random"};
    if (argc != 4)
        return 2;
    for (int i = 0; i < 3; i++)
        if (strcmp(argv[2], orders[i]) == 0)
            runner_ways_choose(i, atoi(argv[3]), 1);
    for (int i = 0; i < BLOCKS * N; i++)
        x[i] = (float)(i % 7 + 1);
    struct status status = run(argv[1]);
    if (status.code != STATUS_OK) {
        printf("%s\n", status.message);
        return 1;
    }
    for (int block = 0; block < BLOCKS; block++) {
        float total = 0;
        for (int i = 0; i < N; i++)
            total += x[block * N + i];
        if (out[block] != total) {
            printf("wrong: block %d has %g, expected %g\n", block, (double)out[block], (double)total);
            return 1;
        }
    }
    return 0;
}
