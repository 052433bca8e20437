/* Steps without an answer, because Q or I - G (I - Q) is singular: which is the first, and the status that says so. */
#ifndef IMPLS_CUDA_SINGULAR_H
#define IMPLS_CUDA_SINGULAR_H

#include "impls/cuda/session.h"

/* place (B): the first token of each sequence whose step is singular, or T. A block a sequence. */
static __global__ void find_singular(const int *singular, int64_t T, int64_t *place)
{
    SHARED(long long, found, WARP);
    long long mine = T;
    for (int64_t t = threadIdx.x; t < T && mine == T; t += WARP)
        mine = singular[(int64_t)blockIdx.x * T + t] ? t : T;
    found[threadIdx.x] = mine;
    __syncthreads();
    for (int i = 0; i < WARP && threadIdx.x == 0; i++)
        mine = found[i] < mine ? found[i] : mine;
    if (threadIdx.x == 0)
        place[blockIdx.x] = mine;
}

/* singular at the first sequence and token without an answer, by the session's place (B); waits for the device. */
static inline struct status singular_status(struct session *s)
{
    const struct problem *p = &s->problem;
    TRY(device_download(s->place_host, s->place, (size_t)p->B * sizeof(int64_t)));
    for (int64_t b = 0; b < p->B; b++)
        if (s->place_host[b] < p->T)
            return status_at(STATUS_SINGULAR, b, s->place_host[b], "the %s matrix of this step is singular",
                             p->form == FORM_NORMALISED ? "I - G (I - Q)" : "Q");
    return status_ok();
}

/* The same of singular (B,T), 1 where a step is. */
static inline struct status singular_among(struct session *s, const int *singular)
{
    TRY(LAUNCH(find_singular, s->problem.B, WARP, 0, singular, s->problem.T, s->place));
    return singular_status(s);
}

#endif
