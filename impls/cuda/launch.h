/* The few things that kernels here say in words of their own, so that the same source also runs where there is no card: nvcc makes one
 * line of CUDA of each; the tests' runner (KERNEL_RUNNER names its header) executes them on the CPU.
 *
 * Beside these, kernels use __global__, __device__, threadIdx.x, blockIdx.x, blockDim.x, gridDim.x, __syncthreads(),
 * __shfl_xor_sync(), atomicAdd() and the mathematics of CUDA, and nothing else that the runner would have to know. */
#ifndef IMPLS_CUDA_LAUNCH_H
#define IMPLS_CUDA_LAUNCH_H

#include "impls/cuda/device.h"

#ifdef KERNEL_RUNNER
#include KERNEL_RUNNER
#else

/* Starts blocks of so many threads with so many bytes of dynamic shared memory; a struct status. */
#define LAUNCH(kernel, blocks, threads, shared, ...)                                                                               \
    (kernel<<<(unsigned)(blocks), (unsigned)(threads), (size_t)(shared)>>>(__VA_ARGS__),                                           \
     device_launched_at(#kernel, __FILE__, __LINE__))

/* An array in the shared memory of a block, and all of its dynamic part. */
#define SHARED(type, name, size) __shared__ type name[size]
#define SHARED_DYNAMIC(type, name)                                                                                                 \
    extern __shared__ float4 shared_dynamic[];                                                                                     \
    type *name = (type *)shared_dynamic

/* A word in global memory that another block writes: what the writer did before is seen by who reads the word after. */
static __device__ inline unsigned long long load_acquire(const unsigned long long *word)
{
    unsigned long long value;
    asm volatile("ld.acquire.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(word) : "memory");
    return value;
}

static __device__ inline void store_release(unsigned long long *word, unsigned long long value)
{
    asm volatile("st.release.gpu.global.u64 [%0], %1;" : : "l"(word), "l"(value) : "memory");
}

#endif

static constexpr int WARP = 32;
static constexpr int THREADS = 128; /* of a block, where each does one element */

static inline int64_t blocks_for(int64_t elements)
{
    return (elements + THREADS - 1) / THREADS;
}

#endif
