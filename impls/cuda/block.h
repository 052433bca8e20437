/* What the threads of a block do together: sums and maxima, always in the same order, so that the same inputs give the same bits. Every
 * thread of the block calls these; a block is a whole number of warps. Sums begin and end with nothing pending in `room`. */
#ifndef IMPLS_CUDA_BLOCK_H
#define IMPLS_CUDA_BLOCK_H

#include "impls/cuda/launch.h"

#include <math.h>

static constexpr int BLOCK_MOST = 256; /* threads of a block that works on one vector */
static constexpr int ROOM = 32;        /* floats of shared memory that a reduction uses: a warp one */

/* Threads for vectors of n elements. */
static inline int block_threads(int64_t n)
{
    return n >= BLOCK_MOST ? BLOCK_MOST : (int)((n + WARP - 1) / WARP * WARP);
}

static __device__ inline float warp_sum(float value)
{
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2)
        value += __shfl_xor_sync(0xffffffffu, value, lanes);
    return value;
}

/* The larger one; NaN where there is one. */
static __device__ inline float larger(float a, float b)
{
    return a > b || a != a ? a : b;
}

/* The sum of all threads' values, in each of them. */
static __device__ inline float block_sum(float value, float *room)
{
    value = warp_sum(value);
    if (threadIdx.x % WARP == 0)
        room[threadIdx.x / WARP] = value;
    __syncthreads();
    value = 0;
    for (int i = 0; i < (int)blockDim.x / WARP; i++)
        value += room[i];
    __syncthreads();
    return value;
}

static __device__ inline float block_max(float value, float *room)
{
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2)
        value = larger(value, __shfl_xor_sync(0xffffffffu, value, lanes));
    if (threadIdx.x % WARP == 0)
        room[threadIdx.x / WARP] = value;
    __syncthreads();
    value = room[0];
    for (int i = 1; i < (int)blockDim.x / WARP; i++)
        value = larger(value, room[i]);
    __syncthreads();
    return value;
}

/* x . y (n); each thread reads the elements threadIdx.x + k blockDim.x. */
static __device__ inline float block_dot(const float *x, const float *y, int n, float *room)
{
    float sum = 0;
    for (int c = threadIdx.x; c < n; c += blockDim.x)
        sum = fmaf(x[c], y[c], sum);
    return block_sum(sum, room);
}

/* out (rows) = matrix (rows,n) row-major times x (n): a warp a row. Ends with a barrier. */
static __device__ inline void block_product(const float *matrix, const float *x, int rows, int n, float *out)
{
    for (int row = threadIdx.x / WARP; row < rows; row += blockDim.x / WARP) {
        float sum = 0;
        for (int c = threadIdx.x % WARP; c < n; c += WARP)
            sum = fmaf(matrix[(int64_t)row * n + c], x[c], sum);
        sum = warp_sum(sum);
        if (threadIdx.x % WARP == 0)
            out[row] = sum;
    }
    __syncthreads();
}

#endif
