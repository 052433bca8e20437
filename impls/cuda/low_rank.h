/* The exact step of low-rank mixers in r x r algebra, on the device; impls/math/low_rank.h has the definitions: with I - Q = U F^{-1} S U^T,
 * b = (F - S W)^{-1} S y, W = U^T G U. A block a step; the elimination is one thread's. */
#ifndef IMPLS_CUDA_LOW_RANK_H
#define IMPLS_CUDA_LOW_RANK_H

#include "impls/cuda/mixer.h"

/* Floats of shared memory of core_solve(): the core, and its y; and of core_inverse(). */
static inline int64_t core_scratch(const struct problem *p)
{
    return p->r * p->r + p->r;
}

static inline int64_t core_inverse_scratch(const struct problem *p)
{
    return 2 * p->r * p->r;
}

/* The largest pivot that is no more than what rounding leaves of an exact zero, where entries are as large as scale. */
static __device__ inline float tiny_pivot(const struct mixing &mix, float scale)
{
    return fmaxf(1, scale) * 1.1920929e-7f * (float)(16 + mix.d);
}

/* A (r,r) x = y (r,columns) by elimination with partial pivoting, x in the place of y. False when a pivot is tiny. What is not finite is not
 * singular: it goes through, and shows in y. */
static __device__ inline bool eliminate(const struct mixing &mix, int columns, float *A, float *y)
{
    int n = mix.r;
    float scale = 0;
    for (int i = 0; i < n * n; i++)
        scale = larger(scale, fabsf(A[i]));
    bool finite = scale <= LARGEST;
    for (int i = 0; i < n * columns && !finite; i++)
        y[i] = NAN;
    float tiny = tiny_pivot(mix, scale);
    for (int k = 0; k < n && finite; k++) {
        int pivot = k;
        for (int i = k + 1; i < n; i++)
            if (fabsf(A[i * n + k]) > fabsf(A[pivot * n + k]))
                pivot = i;
        if (fabsf(A[pivot * n + k]) <= tiny)
            return false;
        for (int j = k; j < n && pivot != k; j++) {
            float swap = A[k * n + j];
            A[k * n + j] = A[pivot * n + j];
            A[pivot * n + j] = swap;
        }
        for (int j = 0; j < columns && pivot != k; j++) {
            float swap = y[k * columns + j];
            y[k * columns + j] = y[pivot * columns + j];
            y[pivot * columns + j] = swap;
        }
        for (int i = k + 1; i < n; i++) {
            float times = A[i * n + k] / A[k * n + k];
            for (int j = k + 1; j < n; j++)
                A[i * n + j] -= times * A[k * n + j];
            for (int j = 0; j < columns; j++)
                y[i * columns + j] -= times * y[k * columns + j];
        }
    }
    for (int k = n - 1; k >= 0 && finite; k--)
        for (int i = 0; i < columns; i++) {
            for (int j = k + 1; j < n; j++)
                y[k * columns + i] -= A[k * n + j] * y[j * columns + i];
            y[k * columns + i] /= A[k * n + k];
        }
    return true;
}

/* Row i, up to its diagonal, and column i of A (r,r) = F - S W, or of its transpose, by the first thread. */
static __device__ inline void core_row(const struct mixing &mix, const float *q, const float *lambda, int i, bool transposed,
                                       float *A, float *room)
{
    int d = mix.d, r = mix.r;
    const float *strength = q + r * d, *ui = q + i * d;
    for (int j = 0; j <= i; j++) {
        const float *uj = q + j * d;
        float weighted = 0, product = 0;
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            float uu = ui[c] * uj[c];
            product += uu;
            weighted = fmaf(mix.gated ? 1 - lambda[c] : 1, uu, weighted);
        }
        weighted = block_sum(weighted, room);
        if (mix.mixer == MIXER_HOUSEHOLDER && i != j)
            product = block_sum(product, room);
        if (threadIdx.x > 0)
            continue;
        float below = (float)(i == j) - strength[i] * weighted, above = -strength[j] * weighted;
        if (mix.mixer == MIXER_HOUSEHOLDER && i != j)
            below += strength[i] * product;
        A[transposed ? j * r + i : i * r + j] = below;
        if (i != j)
            A[transposed ? i * r + j : j * r + i] = above;
    }
}

/* eliminate() by the first thread, with what it says in every thread. */
static __device__ inline bool core_eliminate(const struct mixing &mix, int columns, float *A, float *y)
{
    SHARED(int, regular, 1);
    __syncthreads();
    if (threadIdx.x == 0)
        regular[0] = eliminate(mix, columns, A, y);
    __syncthreads();
    bool answer = regular[0] != 0;
    __syncthreads();
    return answer;
}

/* b (r), in scratch + r r, from q, x (d) and lambda (d): (F - S W)^{-1} S U^T x; transposed: S (F - S W)^{-T} U^T G x. Every thread
 * calls this and gets whether there is one. */
static __device__ inline bool core_solve(const struct mixing &mix, const float *q, const float *lambda, const float *x,
                                         bool transposed, float *scratch, float *room)
{
    int d = mix.d, r = mix.r;
    float *A = scratch, *y = A + r * r;
    const float *strength = q + r * d;
    for (int i = 0; i < r; i++) {
        const float *ui = q + i * d;
        float sum = 0;
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            sum = fmaf(ui[c] * (transposed && mix.gated ? 1 - lambda[c] : 1), x[c], sum);
        sum = block_sum(sum, room);
        if (threadIdx.x == 0)
            y[i] = transposed ? sum : strength[i] * sum;
        core_row(mix, q, lambda, i, transposed, A, room);
    }
    bool regular = core_eliminate(mix, 1, A, y);
    for (int i = threadIdx.x; i < r && transposed; i += blockDim.x)
        y[i] *= strength[i];
    if (transposed)
        __syncthreads();
    return regular;
}

/* C (r,r) = (F - S W)^{-1} S, in scratch + r r, so that b = C U^T x for any x. Every thread calls this and gets whether there is one. */
static __device__ inline bool core_inverse(const struct mixing &mix, const float *q, const float *lambda, float *scratch,
                                           float *room)
{
    int r = mix.r;
    float *A = scratch, *C = A + r * r;
    for (int i = 0; i < r; i++)
        core_row(mix, q, lambda, i, false, A, room);
    for (int k = threadIdx.x; k < r * r; k += blockDim.x)
        C[k] = k / r == k % r ? q[r * mix.d + k / r] : 0;
    return core_eliminate(mix, r, A, C);
}

/* x (d) += U b, times G when gated; b as core_solve() left it. Own channels only. */
static __device__ inline void core_add(const struct mixing &mix, const float *q, const float *lambda, bool gated, const float *b,
                                       float *x)
{
    for (int c = threadIdx.x; c < mix.d; c += blockDim.x) {
        float sum = 0;
        for (int i = 0; i < mix.r; i++)
            sum = fmaf(b[i], q[i * mix.d + c], sum);
        x[c] += gated ? (1 - lambda[c]) * sum : sum;
    }
}

#endif
