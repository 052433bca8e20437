/* The activated parameters of one token whose mixer may read the state before it, for blocks that go through a sequence step by step. */
#ifndef IMPLS_CUDA_TOKEN_H
#define IMPLS_CUDA_TOKEN_H

#include "impls/cuda/mixer.h"

/* q of one token from theta (m) and the state before it (d, in shared memory), by way of raw (m) when state-dependent; returns the scale
 * of k(h). scratch is mixer_activate()'s. */
static __device__ inline float activate_token(const struct mixing &mix, const float *theta, const float *W, const float *before,
                                              float *raw, float *q, float *scratch, float *room)
{
    float scale = 1;
    if (mix.feedback != FEEDBACK_NONE) {
        if (mix.feedback == FEEDBACK_RMS)
            scale = 1 / sqrtf(block_dot(before, before, mix.d, room) / (float)mix.d + 1e-6f);
        block_product(W, before, mix.m, mix.d, raw);
        for (int k = threadIdx.x; k < mix.m; k += blockDim.x)
            raw[k] = fmaf(scale, raw[k], theta[k]);
        __syncthreads();
        theta = raw;
    }
    mixer_activate(mix, theta, q, scratch, room);
    return scale;
}

#endif
