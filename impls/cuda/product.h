/* Products of matrices that are read through a functor, for W of state-dependent problems: out (rows,columns) = base + A B, or added
 * to what is there. A block a square tile; sums run over k in order, so results do not depend on how blocks are scheduled. */
#ifndef IMPLS_CUDA_PRODUCT_H
#define IMPLS_CUDA_PRODUCT_H

#include "impls/cuda/launch.h"

#include <math.h>

static constexpr int TILE = 16;

struct product {
    int64_t rows, columns, inner;
    const float *base; /* (rows,columns); NULL: zero. May be out */
    float *out;
};

/* A(i, k) and B(k, j) are floats. */
template <class A, class B> static __global__ void multiply(struct product product, A a, B b)
{
    SHARED(float, left, TILE *(TILE + 1));
    SHARED(float, right, TILE *(TILE + 1));
    int64_t across = (product.columns + TILE - 1) / TILE;
    int x = threadIdx.x % TILE, y = threadIdx.x / TILE;
    int64_t row0 = blockIdx.x / across * TILE, column0 = blockIdx.x % across * TILE, row = row0 + y, column = column0 + x;
    float sum = 0;
    for (int64_t k = 0; k < product.inner; k += TILE) {
        left[y * (TILE + 1) + x] = row < product.rows && k + x < product.inner ? a(row, k + x) : 0;
        right[y * (TILE + 1) + x] = column < product.columns && k + y < product.inner ? b(k + y, column) : 0;
        __syncthreads();
        for (int i = 0; i < TILE; i++)
            sum = fmaf(left[y * (TILE + 1) + i], right[i * (TILE + 1) + x], sum);
        __syncthreads();
    }
    if (row < product.rows && column < product.columns) {
        int64_t at = row * product.columns + column;
        product.out[at] = sum + (product.base != NULL ? product.base[at] : 0);
    }
}

template <class A, class B> static struct status multiply_run(struct product product, A a, B b)
{
    int64_t blocks = (product.rows + TILE - 1) / TILE * ((product.columns + TILE - 1) / TILE);
    return LAUNCH((multiply<A, B>), blocks, TILE * TILE, 0, product, a, b);
}

#endif
