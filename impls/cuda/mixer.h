/* Channel mixers on the device, a block a token: raw parameters to activated ones q, and the action of I - Q on a vector. Definitions
 * and the layout of q are those of impls/math/mixer.h.
 *
 * Vectors may lie in shared or in global memory. A thread owns the channels threadIdx.x + k blockDim.x: what it reads and writes of a
 * vector there needs no barrier. Every thread of the block calls these functions; all end with a barrier. */
#ifndef IMPLS_CUDA_MIXER_H
#define IMPLS_CUDA_MIXER_H

#include "impls/cuda/block.h"

#define NORM_LEAST 1e-5f /* normalise(x) = x / max(||x||, this) */
#define LARGEST 3.402823466e+38f
static constexpr int POWER_STEPS = 16;

struct mixing {
    enum mixer mixer;
    int r, d, n1, n2, m, size; /* n1 n2 = d; m raw parameters, size activated ones */
    float s;
    bool gated;
    enum feedback feedback;
};

static inline struct mixing mixing_of(const struct problem *p)
{
    int64_t n1, n2, m = problem_m(p), size = p->mixer == MIXER_KRONECKER ? 0 : m;
    kronecker_sizes(p->d, &n1, &n2);
    if (p->mixer == MIXER_KRONECKER)
        size = n1 * n1 + n2 * n2;
    return {p->mixer,   (int)p->r, (int)p->d, (int)n1, (int)n2, (int)m, (int)size, (float)p->s, p->form == FORM_NORMALISED,
            p->feedback};
}

/* 1 / (1 + e^-a). Of an infinite value it would be a harmless 0 or 1: (a - a) turns it into NaN, which shows. */
static __device__ inline float sigmoid(float a)
{
    return 1 / (1 + expf(-a)) + (a - a);
}

/* x / (1 + e^-x), without infinity over infinity. */
static __device__ inline float silu(float x)
{
    return x / (1 + expf(fminf(-x, 80.0f)));
}

/* 1 / max(||x||, NORM_LEAST) from ||x||^2; NaN where that is not finite. */
static __device__ inline float norm_inverse(float squares)
{
    float norm = sqrtf(squares);
    return norm <= LARGEST ? 1 / (norm > NORM_LEAST ? norm : NORM_LEAST) : NAN;
}

/* ---- Kronecker factors ---------------------------------------------------------------------------------------------------- */

/* Floats of scratch for one factor of n: L and C (n,n), the vectors of the power steps, and their norms. */
static __host__ __device__ inline int kronecker_scratch(int n)
{
    return 2 * n * n + (POWER_STEPS + 1) * n + POWER_STEPS;
}

/* L, C = L L^T, and the power steps of one factor from its raw lower triangle. Returns sigma's inverse; *steps: how many were made,
 * fewer when C w = 0. */
static __device__ inline float kronecker_power(int n, const float *raw, float *scratch, float *room, int *steps)
{
    float *L = scratch, *C = L + n * n, *w = C + n * n, *norm = w + (POWER_STEPS + 1) * n;
    for (int k = threadIdx.x; k < n * n; k += blockDim.x) {
        int i = k / n, j = k % n;
        L[k] = j <= i ? silu(raw[i * (i + 1) / 2 + j]) : 0;
    }
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        w[i] = 1 / sqrtf((float)n);
    __syncthreads();
    for (int k = threadIdx.x; k < n * n; k += blockDim.x) {
        int i = k / n, j = k % n;
        float sum = 0;
        for (int a = 0; a <= (i < j ? i : j); a++)
            sum = fmaf(L[i * n + a], L[j * n + a], sum);
        C[k] = sum;
    }
    __syncthreads();
    int step = 0;
    for (; step < POWER_STEPS; step++) {
        const float *last = w + step * n;
        float *next = w + (step + 1) * n;
        block_product(C, last, n, n, next);
        float length = sqrtf(block_dot(next, next, n, room));
        if (length == 0)
            break;
        for (int i = threadIdx.x; i < n; i += blockDim.x)
            next[i] /= length;
        if (threadIdx.x == 0)
            norm[step] = length;
        __syncthreads();
    }
    float sigma = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        float sum = 0;
        for (int j = 0; j < n; j++)
            sum = fmaf(C[i * n + j], w[step * n + j], sum);
        sigma = fmaf(sum, w[step * n + i], sigma);
    }
    *steps = step;
    return 1 / (block_sum(sigma, room) + 1e-6f);
}

static __device__ inline void kronecker_factor(int n, float scale, const float *raw, const float *strength, float *out,
                                               float *scratch, float *room)
{
    int steps;
    float inverse = kronecker_power(n, raw, scratch, room, &steps);
    for (int k = threadIdx.x; k < n * n; k += blockDim.x)
        out[k] = scratch[n * n + k] * (scale * sigmoid(strength[k / n]) * inverse);
    __syncthreads();
}

/* ---- All mixers ------------------------------------------------------------------------------------------------------------ */

/* Floats of scratch of mixer_activate() and of mixer_apply(). */
static inline int64_t mixer_activate_scratch(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    return p->mixer == MIXER_KRONECKER ? 2 * n2 * n2 + (POWER_STEPS + 1) * n2 + POWER_STEPS : 0;
}

static inline int64_t mixer_apply_scratch(const struct problem *p)
{
    return p->mixer == MIXER_KRONECKER ? p->d : 0;
}

/* Operations of mixer_activate(). */
static inline double mixer_activate_operations(const struct problem *p)
{
    struct mixing mix = mixing_of(p);
    double sum = 7 * (double)p->r * (double)p->d, n[] = {(double)mix.n1, (double)mix.n2};
    for (int i = 0; i < 2 && p->mixer == MIXER_KRONECKER; i++)
        sum += 2 * n[i] * n[i] + n[i] * n[i] * n[i] / 3 + (POWER_STEPS + 1) * 2 * n[i] * n[i] + n[i] * n[i];
    return p->mixer == MIXER_DENSE ? (double)p->d * (double)p->d : sum;
}

static __device__ inline void mixer_activate(const struct mixing &mix, const float *raw, float *q, float *scratch, float *room)
{
    int d = mix.d, r = mix.r;
    switch (mix.mixer) {
    case MIXER_DPLR:
    case MIXER_HOUSEHOLDER:
        for (int i = 0; i < r; i++) {
            float squares = 0;
            for (int c = threadIdx.x; c < d; c += blockDim.x) {
                float x = silu(raw[i * d + c]);
                squares = fmaf(x, x, squares);
            }
            float inverse = norm_inverse(block_sum(squares, room));
            for (int c = threadIdx.x; c < d; c += blockDim.x)
                q[i * d + c] = silu(raw[i * d + c]) * inverse;
        }
        for (int i = threadIdx.x; i < r; i += blockDim.x)
            q[r * d + i] = mix.s * sigmoid(raw[r * d + i]);
        break;
    case MIXER_KRONECKER: {
        int n1 = mix.n1, n2 = mix.n2;
        const float *L1 = raw, *L2 = L1 + n1 * (n1 + 1) / 2, *D1 = L2 + n2 * (n2 + 1) / 2, *D2 = D1 + n1;
        kronecker_factor(n1, mix.s, L1, D1, q, scratch, room);
        kronecker_factor(n2, 1, L2, D2, q + n1 * n1, scratch, room);
        break;
    }
    case MIXER_DENSE:
        for (int64_t k = threadIdx.x; k < (int64_t)d * d; k += blockDim.x)
            q[k] = (float)(k / d == k % d) - raw[k];
        break;
    default:
        break;
    }
    __syncthreads();
}

/* y (d) = (I - Q) x (d); y is not x. */
static __device__ inline void mixer_apply(const struct mixing &mix, const float *q, const float *x, float *y, float *scratch,
                                          float *room)
{
    int d = mix.d, r = mix.r;
    bool householder = mix.mixer == MIXER_HOUSEHOLDER;
    switch (mix.mixer) {
    case MIXER_DPLR:
    case MIXER_HOUSEHOLDER: /* what earlier reflections have taken from x is y */
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            y[c] = 0;
        for (int i = 0; i < r; i++) {
            const float *u = q + i * d;
            float sum = 0;
            for (int c = threadIdx.x; c < d; c += blockDim.x)
                sum = fmaf(u[c], householder ? x[c] - y[c] : x[c], sum);
            sum = block_sum(sum, room) * q[r * d + i];
            for (int c = threadIdx.x; c < d; c += blockDim.x)
                y[c] = fmaf(sum, u[c], y[c]);
        }
        break;
    case MIXER_KRONECKER: { /* y = A X B^T with x read as X (n1,n2) */
        int n1 = mix.n1, n2 = mix.n2;
        const float *A = q, *B = q + n1 * n1;
        for (int k = threadIdx.x; k < d; k += blockDim.x) {
            float sum = 0;
            for (int a = 0; a < n1; a++)
                sum = fmaf(A[k / n2 * n1 + a], x[a * n2 + k % n2], sum);
            scratch[k] = sum;
        }
        __syncthreads();
        for (int k = threadIdx.x; k < d; k += blockDim.x) {
            float sum = 0;
            for (int b = 0; b < n2; b++)
                sum = fmaf(B[k % n2 * n2 + b], scratch[k / n2 * n2 + b], sum);
            y[k] = sum;
        }
        break;
    }
    case MIXER_DENSE:
        block_product(q, x, d, d, y);
        break;
    default:
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            y[c] = 0;
        break;
    }
    __syncthreads();
}

#endif
